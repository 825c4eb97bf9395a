// UTF-8 at the level of code points: decoding, encoding, validation and repair. Used by everything in this
// folder that looks at characters. Broken input is described by "maximal subparts" (Unicode 3.9, W3C): each
// longest prefix of a possible character counts as one error and becomes one U+FFFD. Pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cistern::text {

inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

struct CodePoint {
  char32_t value = 0;      // U+FFFD when not valid
  std::size_t length = 0;  // bytes; of the maximal subpart when not valid
  bool valid = false;
  bool truncated = false;  // not valid only because the text ends too early
};

// REQUIRES: text is not empty.
CodePoint decode_utf8(std::string_view text);

void append_utf8(std::string& out, char32_t code_point);

bool is_valid_utf8(std::string_view text);

// The text with every maximal subpart of invalid UTF-8 replaced by U+FFFD.
std::string repair_utf8(std::string_view text);

// Length of the longest prefix that ends with a complete (or a hopelessly broken) character: what a stream
// may show now. The rest, at most three bytes, is the beginning of a character.
std::size_t complete_prefix(std::string_view text);

// Length in bytes that a lead byte announces; 1 for ASCII and for bytes that cannot lead.
inline std::size_t length_by_lead(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0xC2 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : byte < 0xF5 ? 4 : 1;
}

}  // namespace cistern::text
