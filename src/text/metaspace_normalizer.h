// What Hugging Face's library does to a text before its Unigram model sees it, for XLM-R and its kin: the
// rules of the precompiled charsmap applied per grapheme cluster ("Precompiled"), words cut at white space
// ("WhitespaceSplit"), a U+2581 before each ("Metaspace"). Used by the Unigram encoder; pure function.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/charsmap.h"

namespace cistern::text {

// Valid UTF-8 in, words in valid UTF-8 out.
std::vector<std::string> metaspace_words(std::string_view text, const Charsmap& charsmap);

}  // namespace cistern::text
