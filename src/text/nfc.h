// Unicode normalization form C, for the tokenizers that ask for it. Pure functions over utf8proc's tables.
// Time is O(n log n) whatever the text: utf8proc's own sorting of combining marks is quadratic in the length
// of a run.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cistern::text {

// False: the text is certainly in NFC already (all characters are below U+0300).
bool may_need_nfc(std::string_view text);

// REQUIRES: valid UTF-8.
std::string to_nfc(std::string_view text);

// Canonical decomposition with marks in canonical order, as code points.
std::vector<char32_t> to_nfd(std::string_view text);

}  // namespace cistern::text
