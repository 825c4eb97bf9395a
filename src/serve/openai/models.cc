#include "serve/openai/models.h"

#include <array>
#include <boost/json/array.hpp>
#include <utility>

namespace cistern::serve::openai {
namespace {

namespace json = boost::json;

constexpr std::array kCapabilities = {
    std::pair{&ModelInfo::generates, "generate"}, std::pair{&ModelInfo::embeds, "embed"},
    std::pair{&ModelInfo::reranks, "rerank"},     std::pair{&ModelInfo::tools, "tools"},
    std::pair{&ModelInfo::reasons, "reasoning"},
};

}  // namespace

json::object model_json(const ModelInfo& model) {
  json::array capabilities;
  for (const auto& [member, name] : kCapabilities)
    if (model.*member) capabilities.emplace_back(name);
  return {{"id", model.id},
          {"object", "model"},
          {"created", model.modified_s},
          {"owned_by", "local"},
          {"loaded", model.loaded},
          {"context_length", model.context_tokens},
          {"trained_context_length", model.trained_context_tokens},
          {"architecture", model.arch},
          {"quantization", model.quantization},
          {"parameters", model.parameters},
          {"size_bytes", model.file_bytes},
          {"embedding_length", model.embedding_dim},
          {"capabilities", std::move(capabilities)}};
}

json::object models_document(const std::vector<ModelInfo>& models) {
  json::array data;
  for (const ModelInfo& model : models) data.emplace_back(model_json(model));
  return {{"object", "list"}, {"data", std::move(data)}};
}

}  // namespace cistern::serve::openai
