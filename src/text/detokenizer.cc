#include "text/detokenizer.h"

#include <algorithm>

#include "text/tokenizer.h"
#include "text/utf8.h"

namespace cistern::text {
namespace {

std::string replacements(std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += kReplacement;
  return out;
}

}  // namespace

Detokenizer::Detokenizer(const Tokenizer& tokenizer, DetokenizerOptions options)
    : tokenizer_(tokenizer),
      rendering_(tokenizer.rendering()),
      hide_control_(options.hide_control),
      first_(!options.continuation),
      started_(options.continuation) {}

std::string Detokenizer::push(TokenId id) {
  if (id >= rendering_.size()) return flush() + std::string(kReplacement);
  if (hide_control_ && tokenizer_.is_control(id)) return {};
  const bool first = std::exchange(first_, false);

  if (rendering_.style() == DecodeStyle::kByteLevel) {
    pending_ += rendering_.text(id);
    return take_pending(false);
  }
  if (rendering_.style() == DecodeStyle::kWordPiece)
    return first ? rendering_.first_text(id) : std::string(rendering_.text(id));

  if (rendering_.is_byte(id)) {
    started_ = true;
    pending_ += rendering_.text(id);
    return take_pending(false);
  }
  std::string out = take_pending(true);
  std::string text(rendering_.text(id));
  if (first && rendering_.leading_space() == Rendering::LeadingSpace::kDropFirstToken) {
    std::erase(text, ' ');
  } else if (!started_ && !tokenizer_.is_control(id)) {
    text = without_leading_space(text);
  }
  started_ = started_ || !text.empty();
  return out + text;
}

std::string Detokenizer::without_leading_space(std::string_view text) {
  const auto rule = rendering_.leading_space();
  const bool drop = rule == Rendering::LeadingSpace::kDropAll ||
                    (rule == Rendering::LeadingSpace::kDropOne && !space_dropped_);
  if (drop && text.starts_with(' ')) {
    text.remove_prefix(1);
    space_dropped_ = true;
  }
  return std::string(text);
}

// `all`: what is incomplete will not be completed any more.
std::string Detokenizer::take_pending(bool all) {
  if (rendering_.style() == DecodeStyle::kByteFallback) {
    if (!all) return {};
    const std::string run = std::exchange(pending_, {});
    return is_valid_utf8(run) ? run : replacements(run.size());
  }
  if (rendering_.style() == DecodeStyle::kByteLevel) {
    const std::size_t ready = all ? pending_.size() : complete_prefix(pending_);
    std::string out = repair_utf8(std::string_view(pending_).substr(0, ready));
    pending_.erase(0, ready);
    return out;
  }
  // SentencePiece: a byte that does not begin a valid character is one U+FFFD, and the next byte is a new
  // chance.
  std::string out;
  while (!pending_.empty()) {
    const CodePoint c = decode_utf8(pending_);
    if (c.truncated && !all) break;
    out += c.valid ? pending_.substr(0, c.length) : std::string(kReplacement);
    pending_.erase(0, c.valid ? c.length : 1);
  }
  return out;
}

std::string Detokenizer::flush() {
  return take_pending(true);
}

}  // namespace cistern::text
