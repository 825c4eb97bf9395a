#include "text/end_tokens.h"

#include <algorithm>
#include <string_view>

namespace cistern::text {
namespace {

constexpr std::string_view kEndNames[] = {
    "<|eot_id|>",  // Llama 3
    "<|eom_id|>",
    "<|eot|>",  // Llama 4
    "<|eom|>",
    "<|im_end|>",  // ChatML: Qwen, SmolLM and many
    "<|end|>",     // Phi
    "<|return|>",  // gpt-oss
    "<|call|>",
    "<|flush|>",  // Solar Open
    "<|calls|>",
    "<end_of_turn>",  // Gemma
    "<turn|>",        // Gemma 4
    "<|tool_response>",
    "<|endoftext|>",
    "<|end_of_text|>",        // Llama 3, Granite
    "<|END_OF_TURN_TOKEN|>",  // Command-R
    "<end_of_utterance>",
    "<\xEF\xBD\x9C"
    "end\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>",  // DeepSeek
    "<EOT>",
    "_<EOT>",
    "[EOT]",  // Kimi
    "[EOS]",
    "[e~[",  // MiniMax
};

bool has_control(const Vocab& vocab, std::string_view name) {
  for (TokenId id = 0; id < vocab.tokens.size(); ++id) {
    if (vocab.tokens[id] == name && vocab.kinds[id] == TokenKind::kControl) return true;
  }
  return false;
}

// In gpt-oss and Solar Open "<|end|>" closes a message, and the turn goes on.
bool end_closes_message(const Vocab& vocab) {
  return (has_control(vocab, "<|return|>") && has_control(vocab, "<|call|>")) ||
         (has_control(vocab, "<|flush|>") && has_control(vocab, "<|calls|>"));
}

}  // namespace

std::vector<TokenId> end_tokens(const Vocab& vocab) {
  std::vector<TokenId> ends;
  for (const auto id : {vocab.eos, vocab.eot, vocab.eom}) {
    if (id) ends.push_back(*id);
  }
  const bool skip_end = end_closes_message(vocab);
  for (TokenId id = 0; id < vocab.tokens.size(); ++id) {
    if (vocab.kinds[id] != TokenKind::kControl) continue;
    const std::string_view token = vocab.tokens[id];
    if (skip_end && token == "<|end|>") continue;
    if (std::ranges::find(kEndNames, token) != std::end(kEndNames)) ends.push_back(id);
  }
  std::sort(ends.begin(), ends.end());
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
  return ends;
}

}  // namespace cistern::text
