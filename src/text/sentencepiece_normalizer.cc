#include "text/sentencepiece_normalizer.h"

#include <fmt/format.h>

#include <algorithm>

#include "text/space_mark.h"
#include "text/utf8.h"

namespace cistern::text {

Result<SentencePieceNormalizer> SentencePieceNormalizer::create(const Vocab& vocab) {
  SentencePieceNormalizer normalizer;
  CISTERN_TRY(normalizer.charsmap_, Charsmap::create(vocab.precompiled_charsmap, vocab.where));
  normalizer.add_space_prefix_ = vocab.add_space_prefix;
  normalizer.remove_extra_whitespaces_ = vocab.remove_extra_whitespaces;
  normalizer.escape_whitespaces_ = vocab.escape_whitespaces;
  for (TokenId id = 0; id < vocab.tokens.size(); ++id) {
    if (vocab.kinds[id] != TokenKind::kUserDefined || !is_valid_utf8(vocab.tokens[id])) continue;
    const std::string text =
        vocab.escape_whitespaces ? with_space_marks(vocab.tokens[id]) : std::string(vocab.tokens[id]);
    if (text.empty()) continue;
    if (text.size() > PrefixTable::kLongestEntry) {
      return fail(
          ErrorCode::kUnsupported,
          fmt::format("tokenizer.ggml.tokens[{}]: a user-defined token of {} bytes; at most {} are supported",
                      id, text.size(), PrefixTable::kLongestEntry),
          vocab.where);
    }
    normalizer.user_defined_.add(text, id);
  }
  normalizer.user_defined_.build();
  return normalizer;
}

SentencePieceNormalizer::Step SentencePieceNormalizer::next(std::string_view text) const {
  if (user_defined_.may_begin(text[0])) {
    if (const auto match = user_defined_.longest(text); match.length > 0)
      return {text.substr(0, match.length), match.length};
  }
  if (const auto rule = charsmap_.longest(text); rule.length > 0) return {rule.replacement, rule.length};
  const std::size_t length = std::min(length_by_lead(text[0]), text.size());
  return {text.substr(0, length), length};
}

std::string SentencePieceNormalizer::normalize(std::string_view text) const {
  if (remove_extra_whitespaces_) {
    while (!text.empty()) {
      const Step step = next(text);
      if (step.text != " ") break;
      text.remove_prefix(step.consumed);
    }
  }
  std::string out;
  if (text.empty()) return out;
  out.reserve(text.size() + text.size() / 2);
  const std::string_view space = escape_whitespaces_ ? kSpaceMark : " ";
  if (add_space_prefix_) out += space;

  bool after_space = remove_extra_whitespaces_;
  while (!text.empty()) {
    Step step = next(text);
    text.remove_prefix(step.consumed);
    while (after_space && step.text.starts_with(' ')) step.text.remove_prefix(1);
    for (const char c : step.text) {
      if (c == ' ') {
        out += space;
      } else {
        out += c;
      }
    }
    if (!step.text.empty()) after_space = remove_extra_whitespaces_ && step.text.ends_with(' ');
  }
  if (remove_extra_whitespaces_) {
    while (out.ends_with(space)) out.resize(out.size() - space.size());
  }
  return is_valid_utf8(out) ? out : repair_utf8(out);  // a damaged charsmap can write anything
}

}  // namespace cistern::text
