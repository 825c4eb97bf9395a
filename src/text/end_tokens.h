// Which tokens end a generation. Files name an end-of-text and sometimes an end-of-turn token, but many name
// the wrong one of the two, so the well-known end tokens of chat models count as well. Pure function.
#pragma once

#include <vector>

#include "text/vocab.h"

namespace cistern::text {

// Sorted. REQUIRES: vocab.kinds has one entry per token, ids are in range.
std::vector<TokenId> end_tokens(const Vocab& vocab);

}  // namespace cistern::text
