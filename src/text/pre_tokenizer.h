// How families of byte-pair tokenizers prepare a text before merging: Unicode normalization and a sequence of
// splits. One table, keyed by the name in tokenizer.ggml.pre; the bpe encoder reads it and nothing else knows
// families. Patterns are facts of the models' own tokenizer.json or tiktoken files; each row is checked by a
// fixture, or by the source named beside it. Constant data.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace cistern::text {

// One step of splitting. A step sees the pieces that the step before left, each on its own.
struct Split {
  enum class Kind {
    kPattern,               // every match, and every stretch between matches, is a piece
    kBytePattern,           // the same on bytes: for steps that come after the mapping to the byte alphabet
    kDigitGroups,           // runs of decimal digits are cut in groups of three from the right
    kDigitGroupsAtWordEnd,  // the same for runs that end at a word boundary; each group is a piece
  };
  std::string_view pattern = {};
  Kind kind = Kind::kPattern;
};

struct PreTokenizer {
  std::span<const std::string_view> names;  // as tokenizer.ggml.pre spells them
  std::span<const Split> splits;
  bool nfc = false;            // normalize to NFC first
  bool ignore_merges = false;  // a piece that is a token as a whole is that token, whatever the merges say
  bool raw_utf8 = false;  // tokens are text with U+2581 for spaces and byte tokens, not the byte alphabet
  bool adds_bos = false;  // default of tokenizer.ggml.add_bos_token
  bool adds_sep = false;  // default of tokenizer.ggml.add_sep_token
};

// nullptr for an unknown name. An empty name means "default".
const PreTokenizer* find_pre_tokenizer(std::string_view name);

// All names, separated by ", ".
std::string known_pre_tokenizers();

}  // namespace cistern::text
