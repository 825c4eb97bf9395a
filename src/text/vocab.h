// The vocabulary of a model as plain data: what a GGUF's tokenizer.ggml.* keys say, already validated for
// types and lengths but not interpreted. spec/ fills it from a file, the tokenizers of this folder read it.
// Strings are views into the model file's mapping (or a test's buffers), which must outlive every user.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cistern::text {

using TokenId = std::uint32_t;

enum class TokenizerModel { kSpm, kBpe, kWordPiece, kUnigram };  // GGUF: llama, gpt2 (and gemma4), bert, t5

// Numbered as in GGUF's tokenizer.ggml.token_type.
enum class TokenKind : std::uint8_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6
};

struct Vocab {
  TokenizerModel model = TokenizerModel::kSpm;
  std::string pre;  // name of the pre-tokenizer (BPE), empty if the file names none

  std::vector<std::string_view> tokens;  // by id
  std::vector<float> scores;             // empty, or one per token
  std::vector<TokenKind> kinds;          // empty, or one per token
  std::vector<std::string_view> merges;  // BPE: "left right", by rank

  std::optional<TokenId> bos, eos, eot, eom, unk, sep, pad, mask, cls;
  bool add_bos = false;
  bool add_eos = false;
  bool add_sep = false;
  bool add_space_prefix = true;
  bool remove_extra_whitespaces = false;
  bool escape_whitespaces = true;
  std::span<const std::byte> precompiled_charsmap;  // Unigram and some SPM; empty if none
  bool lowercase = true;                            // WordPiece
  bool strip_accents = true;                        // WordPiece

  std::string where;  // the file, for error messages
};

// XLM-R and its kin are masked language models with a SentencePiece vocabulary that were trained, and run,
// with Hugging Face's implementation of Unigram, which differs from sentencepiece's in details. A mask token
// gives them away.
inline bool is_masked_unigram(const Vocab& vocab) {
  return vocab.model == TokenizerModel::kUnigram && vocab.mask.has_value();
}

}  // namespace cistern::text
