// A made-up vocabulary with which a random model can be talked to: any text can be tokenized, and its pieces
// look like words. Used by synthetic_model.cc. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "file/gguf_writer.h"

namespace cistern::engine {

// Five special tokens, one for every byte and the space: what no vocabulary can do without.
inline constexpr std::uint32_t kMinVocabulary = 5 + 256 + 1;

// Writes the keys tokenizer.*: `n_tokens` distinct pieces of a SentencePiece-style BPE, of which the first
// kMinVocabulary are fixed, and a chat template. REQUIRES: n_tokens >= kMinVocabulary.
void add_vocabulary(file::GgufWriter& writer, std::uint32_t n_tokens);

}  // namespace cistern::engine
