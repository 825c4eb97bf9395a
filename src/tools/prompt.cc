#include "tools/prompt.h"

#include "engine/prompt.h"
#include "tools/input.h"

namespace cistern::tools {
namespace {

constexpr std::uint64_t kMaxTemplateBytes = 1U << 20U;

}  // namespace

Result<text::jinja::Template> load_template(const engine::OpenModel& model, const std::string& file) {
  if (file.empty()) return model.chat_template();
  CISTERN_TRY(const std::string source, read_file(file, kMaxTemplateBytes));
  return text::jinja::Template::parse(source, file);
}

Result<std::vector<text::TokenId>> chat_prompt(const engine::OpenModel& model,
                                               const text::jinja::Template& chat,
                                               const std::vector<Message>& messages) {
  boost::json::array list;
  for (const Message& message : messages) {
    list.push_back({{"role", message.role}, {"content", message.content}});
  }
  CISTERN_TRY(const std::string rendered,
              text::render_chat(chat, engine::chat_input(model, std::move(list))));
  return engine::encode_prompt(model, rendered);
}

}  // namespace cistern::tools
