#include "serve/ollama/model_objects.h"

#include <array>
#include <utility>

#include <fmt/format.h>
#include "base/fnv.h"
#include "serve/rfc3339.h"

namespace cistern::serve::ollama {
namespace {

namespace json = boost::json;

constexpr std::string_view kLatest = ":latest";

// Models leave memory when they are idle or others need it, which is no point of time: one so far away that
// clients say "forever".
constexpr std::string_view kNoExpiry = "2318-01-01T00:00:00Z";

// 4021784576 -> "4.0B".
std::string parameter_size(std::uint64_t parameters) {
  const auto count = static_cast<double>(parameters);
  if (parameters >= 1'000'000'000'000) return fmt::format("{:.1f}T", count / 1e12);
  if (parameters >= 1'000'000'000) return fmt::format("{:.1f}B", count / 1e9);
  if (parameters >= 1'000'000) return fmt::format("{:.1f}M", count / 1e6);
  return fmt::format("{:.1f}K", count / 1e3);
}

// Clients expect 64 hexadecimal digits by which they know a model again. Reading whole files for them is not
// worth it: these follow from what the model is called, its size and its date.
std::string digest(const ModelInfo& model) {
  std::string digits;
  for (const int part : {0, 1, 2, 3})
    digits += fmt::format(
        "{:016x}", fnv1a(fmt::format("{} {} {} {}", part, model.id, model.file_bytes, model.modified_s)));
  return digits;
}

json::object details(const ModelInfo& model) {
  return {
      {"parent_model", ""},
      {"format", "gguf"},
      {"family", model.arch},
      {"families", json::array{model.arch}},
      {"parameter_size", parameter_size(model.parameters)},
      {"quantization_level", model.quantization},
  };
}

json::object entry(const ModelInfo& model) {
  const std::string name = tagged_name(model.id);
  return {{"name", name},
          {"model", name},
          {"size", model.file_bytes},
          {"digest", digest(model)},
          {"details", details(model)}};
}

json::array capabilities(const ModelInfo& model) {
  const std::array<std::pair<bool, std::string_view>, 4> table = {{
      {model.generates, "completion"},
      {model.embeds, "embedding"},
      {model.tools, "tools"},
      {model.reasons, "thinking"},
  }};
  json::array names;
  for (const auto& [has, name] : table)
    if (has) names.emplace_back(name);
  return names;
}

}  // namespace

std::string tagged_name(std::string_view id) {
  const bool has_tag = id.find(':') != std::string_view::npos;
  return fmt::format("{}{}", id, has_tag ? std::string_view() : kLatest);
}

std::string name_without_latest(std::string_view name) {
  if (name.ends_with(kLatest)) name.remove_suffix(kLatest.size());
  return std::string(name);
}

json::object tags_object(const std::vector<ModelInfo>& models) {
  json::array entries;
  for (const ModelInfo& model : models) {
    json::object object = entry(model);
    object["modified_at"] = rfc3339(model.modified_s);
    entries.push_back(std::move(object));
  }
  return {{"models", std::move(entries)}};
}

json::object ps_object(const std::vector<ModelInfo>& models) {
  json::array entries;
  for (const ModelInfo& model : models) {
    if (!model.loaded) continue;
    json::object object = entry(model);
    object["expires_at"] = kNoExpiry;
    object["size_vram"] = 0;
    object["context_length"] = model.context_tokens;
    entries.push_back(std::move(object));
  }
  return {{"models", std::move(entries)}};
}

json::object show_object(const ModelInfo& model) {
  return {
      {"modelfile", ""},
      {"parameters", ""},
      {"license", ""},
      {"template", model.chat_template},
      {"details", details(model)},
      {"model_info",
       {{"general.architecture", model.arch},
        {"general.parameter_count", model.parameters},
        {model.arch + ".context_length", model.trained_context_tokens},
        {model.arch + ".embedding_length", model.embedding_dim}}},
      {"capabilities", capabilities(model)},
      {"modified_at", rfc3339(model.modified_s)},
  };
}

}  // namespace cistern::serve::ollama
