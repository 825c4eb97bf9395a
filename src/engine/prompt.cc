#include "engine/prompt.h"

#include <boost/json/value.hpp>

namespace cistern::engine {

std::optional<std::string> token_text(const text::Tokenizer& tokenizer, std::optional<text::TokenId> id) {
  if (!id || *id >= tokenizer.size()) return std::nullopt;
  return std::string(tokenizer.vocab().tokens[*id]);
}

text::ChatInput chat_input(const OpenModel& model, boost::json::array messages) {
  const text::Tokenizer& tokenizer = *model.tokenizer;
  text::ChatInput input;
  input.messages = std::move(messages);
  input.tools = boost::json::value(nullptr);
  input.documents = boost::json::value(nullptr);
  input.bos_token = token_text(tokenizer, tokenizer.vocab().bos);
  input.eos_token = token_text(tokenizer, tokenizer.vocab().eos);
  return input;
}

Result<std::vector<text::TokenId>> encode_prompt(const OpenModel& model, std::string_view text) {
  CISTERN_TRY(std::vector<text::TokenId> ids, model.tokenizer->encode(text, true));
  return with_bos(model.tokenizer->vocab(), std::move(ids));
}

// BOS alone, not add_prefix_suffix(): an end token after the prompt would close what the model is to
// continue.
std::vector<text::TokenId> with_bos(const text::Vocab& vocab, std::vector<text::TokenId> ids) {
  const bool missing = vocab.add_bos && vocab.bos && (ids.empty() || ids.front() != *vocab.bos);
  if (missing) ids.insert(ids.begin(), *vocab.bos);
  return ids;
}

}  // namespace cistern::engine
