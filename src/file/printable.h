// Makes names that come from a file fit for a one-line message: every byte that is not printable ASCII
// becomes
// \xNN and long names are cut, with their length. Used wherever file/, spec/ and the tools quote a key, a
// tensor name or a value. Pure; thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cistern::file {

// At most `max_bytes` of `text` are shown.
std::string printable(std::string_view text, std::size_t max_bytes = 96);

}  // namespace cistern::file
