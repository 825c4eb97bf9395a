// The files of a repository as the hub's API lists them: one JSON document per page. Untrusted: depth, count,
// names, sizes and digests are checked, and what is no file is passed over. Used by hub.cc and the fuzzer;
// asks nobody. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace cistern::fetch {

struct RepositoryFile {
  std::string path;  // inside the repository; checked
  std::uint64_t size_bytes = 0;
  std::string sha256;  // of large files; empty: the hub does not say
};

// At most so large is a page.
inline constexpr std::size_t kMaxListingBytes = std::size_t{16} << 20U;

// kFormat names the entry and field.
Result<std::vector<RepositoryFile>> parse_listing(std::string_view json);

// The address in a header `Link: <ADDRESS>; rel="next"`; empty: this was the last page.
std::string next_page(std::string_view link_header);

}  // namespace cistern::fetch
