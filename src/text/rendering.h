// What each token of a vocabulary contributes to decoded text, worked out once: the bytes behind byte-level
// entries, spaces for space marks, the text of control tokens where the family shows it. The Detokenizer
// assembles text from these. Immutable after creation; thread-safe; owns its strings.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/vocab.h"

namespace cistern::text {

// How tokens join, named after what the libraries of the model families do.
enum class DecodeStyle {
  kByteLevel,      // tokens are bytes of one UTF-8 stream
  kSentencePiece,  // text and byte tokens; each bad byte is one U+FFFD; control tokens are silent
  kByteFallback,   // Hugging Face's: a run of byte tokens is a valid string or U+FFFD for each of them
  kWordPiece,      // words joined by spaces, none before a suffix or closing punctuation
};

class Rendering {
 public:
  // REQUIRES: vocab.kinds has one entry per token.
  explicit Rendering(const Vocab& vocab);

  DecodeStyle style() const { return style_; }
  std::size_t size() const { return ends_.size(); }

  // kByteLevel and byte tokens: bytes; else valid UTF-8. REQUIRES: id < size().
  std::string_view text(TokenId id) const {
    const std::size_t begin = id == 0 ? 0 : ends_[id - 1];
    return std::string_view(all_).substr(begin, ends_[id] - begin);
  }
  // kWordPiece: the text at the very beginning.
  std::string first_text(TokenId id) const;

  // A token of one byte among tokens of text.
  bool is_byte(TokenId id) const {
    const bool has_bytes = style_ == DecodeStyle::kSentencePiece || style_ == DecodeStyle::kByteFallback;
    return has_bytes && vocab_.kinds[id] == TokenKind::kByte;
  }

  // What becomes of the space that a text begins with, because encoding put it there.
  enum class LeadingSpace { kKeep, kDropOne, kDropAll, kDropFirstToken };
  LeadingSpace leading_space() const { return leading_space_; }

 private:
  std::string render(TokenId id) const;

  const Vocab& vocab_;
  DecodeStyle style_;
  LeadingSpace leading_space_ = LeadingSpace::kKeep;
  std::string all_;
  std::vector<std::size_t> ends_;
};

}  // namespace cistern::text
