// U+2581 "▁", which SentencePiece-style vocabularies write for a space: in both directions. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace cistern::text {

inline constexpr std::string_view kSpaceMark = "\xE2\x96\x81";

inline std::string with_space_marks(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 2);
  for (const char c : text) {
    if (c == ' ') {
      out += kSpaceMark;
    } else {
      out += c;
    }
  }
  return out;
}

inline std::string without_space_marks(std::string_view text) {
  std::string out;
  for (std::size_t pos = 0; pos < text.size();) {
    const bool mark = text.substr(pos).starts_with(kSpaceMark);
    out += mark ? ' ' : text[pos];
    pos += mark ? kSpaceMark.size() : 1;
  }
  return out;
}

}  // namespace cistern::text
