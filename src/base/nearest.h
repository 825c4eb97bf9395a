// "Did you mean ...?": the name out of a list that is most like what somebody typed. Used for unknown
// options, commands, models and tensors. Pure; cost is the product of the lengths per name, so long inputs
// are cut.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace cistern {

// Levenshtein distance in bytes (insert, delete, replace), with a swap of neighbours counting once.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The nearest of `names` if it is near enough to be meant (a third of the typed length off, or `typed` is its
// beginning or end); the first one on a tie. Empty: nothing is near.
std::string nearest(std::string_view typed, std::span<const std::string> names);

}  // namespace cistern
