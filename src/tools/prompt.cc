#include "tools/prompt.h"

#include "text/chat_template.h"
#include "tools/input.h"

namespace cistern::tools {
namespace {

constexpr std::uint64_t kMaxTemplateBytes = 1U << 20U;

// BOS alone, not add_prefix_suffix(): an end token after the prompt would close what the model is to
// continue.
std::vector<text::TokenId> with_bos(const text::Vocab& vocab, std::vector<text::TokenId> ids) {
  const bool missing = vocab.add_bos && vocab.bos && (ids.empty() || ids.front() != *vocab.bos);
  if (missing) ids.insert(ids.begin(), *vocab.bos);
  return ids;
}

}  // namespace

std::optional<std::string> token_text(const text::Tokenizer& tokenizer, std::optional<text::TokenId> id) {
  if (!id || *id >= tokenizer.size()) return std::nullopt;
  return std::string(tokenizer.vocab().tokens[*id]);
}

Result<text::jinja::Template> load_template(const engine::OpenModel& model, const std::string& file) {
  if (file.empty()) return model.chat_template();
  CISTERN_TRY(const std::string source, read_file(file, kMaxTemplateBytes));
  return text::jinja::Template::parse(source, file);
}

Result<std::vector<text::TokenId>> chat_prompt(const engine::OpenModel& model,
                                               const text::jinja::Template& chat,
                                               const std::vector<Message>& messages) {
  text::ChatInput input;
  for (const Message& message : messages) {
    input.messages.push_back({{"role", message.role}, {"content", message.content}});
  }
  // As transformers passes what the caller did not give.
  input.tools = boost::json::value(nullptr);
  input.documents = boost::json::value(nullptr);
  const text::Tokenizer& tokenizer = *model.tokenizer;
  input.bos_token = token_text(tokenizer, tokenizer.vocab().bos);
  input.eos_token = token_text(tokenizer, tokenizer.vocab().eos);
  CISTERN_TRY(const std::string rendered, text::render_chat(chat, input));
  return raw_prompt(model, rendered);
}

Result<std::vector<text::TokenId>> raw_prompt(const engine::OpenModel& model, std::string_view text) {
  CISTERN_TRY(std::vector<text::TokenId> ids, model.tokenizer->encode(text, true));
  return with_bos(model.tokenizer->vocab(), std::move(ids));
}

}  // namespace cistern::tools
