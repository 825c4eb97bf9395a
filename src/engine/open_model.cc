#include <utility>

#include "engine/embedded/guide.h"
#include "engine/engine.h"
#include "spec/vocab.h"
#include "sys/clock.h"

namespace cistern::engine {
namespace {

Result<file::ModelFiles> open_files(const std::string& path) {
  return path == kGuide ? file::open_model(guide_model(), kGuide) : file::open_model(path);
}

}  // namespace

Result<OpenModel> open_model(const OpenOptions& options) {
  const double start = sys::steady_seconds();
  OpenModel open;
  CISTERN_TRY(open.path, resolve_model(options.model));
  CISTERN_TRY(open.files, open_files(open.path));
  const file::Metadata& metadata = open.inventory().metadata;
  CISTERN_TRY(const auto type, metadata.find_string("general.type"));
  if (type == "adapter") {
    return fail(ErrorCode::kUsage, "is an adapter, no model: name the model that it is for, then --lora",
                open.path);
  }

  CISTERN_TRY(text::Vocab vocab, spec::read_vocab(metadata));
  if (!options.pre_override.empty()) vocab.pre = options.pre_override;
  CISTERN_TRY(open.tokenizer, text::Tokenizer::create(std::move(vocab)));
  CISTERN_TRY(open.template_source, spec::read_chat_template(metadata));
  open.open_s = sys::steady_seconds() - start;
  return open;
}

Result<text::jinja::Template> OpenModel::chat_template() const {
  if (!template_source) {
    return fail(ErrorCode::kNotFound, "the model has no chat template: use --raw to complete plain text",
                path);
  }
  return text::jinja::Template::parse(*template_source, path + ": chat template", {});
}

}  // namespace cistern::engine
