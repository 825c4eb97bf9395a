// What differs between kinds of tokenizers: how a stretch of plain text becomes ids. One implementation per
// file (spm_encoder.cc, bpe_encoder.cc, wordpiece_encoder.cc, unigram_encoder.cc); tokenizer.cc picks one and
// does what is common: special tokens, invalid UTF-8, decoding. Encoders are immutable after creation and
// thread-safe; they keep references to the vocabulary, which must outlive them.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "text/vocab.h"

namespace cistern::text {

inline constexpr std::size_t kLongestText = std::size_t{1} << 30;  // bytes in one piece: offsets are 32-bit

class Encoder {
 public:
  virtual ~Encoder() = default;

  // Appends the ids of `text`. REQUIRES: valid UTF-8 without special tokens in it.
  virtual Result<void> encode(std::string_view text, std::vector<TokenId>& out) const = 0;
};

// REQUIRES of all four: vocab.kinds has one entry per token; vocab outlives the result.
Result<std::unique_ptr<Encoder>> make_spm_encoder(const Vocab& vocab);
Result<std::unique_ptr<Encoder>> make_bpe_encoder(const Vocab& vocab);
Result<std::unique_ptr<Encoder>> make_wordpiece_encoder(const Vocab& vocab);
Result<std::unique_ptr<Encoder>> make_unigram_encoder(const Vocab& vocab);

}  // namespace cistern::text
