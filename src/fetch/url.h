// Addresses of files to download, in the one form that is used: https://host[:port]/path[?query], and http:
// for this machine itself. What could be read in two ways (credentials, backslashes, spaces, bytes beyond
// ASCII) is refused, so that the address that is checked is the one that is connected to. Used by everything
// in fetch/. Plain value; pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace cistern::fetch {

struct Url {
  std::string scheme;  // "https" or "http"
  std::string host;    // lower case; of IPv6 with its brackets
  std::uint16_t port = 0;
  std::string target;  // path and query, begins with '/'; no fragment

  std::string text() const;
  std::string origin() const;  // without target
  std::string path() const;    // target without query
};

// kUsage: not of that form, with the reason. Plain http is refused but for loopback.
Result<Url> parse_url(std::string_view text);

// 127.0.0.0/8, [::1] and localhost.
bool is_loopback(const Url& url);

// Where the server at `from` sends us. kIo for what it may not: from https to anything else, or no address.
Result<Url> redirect_target(const Url& from, std::string_view location);

// '/' stays, and so does what needs no encoding in a path.
std::string percent_encoded(std::string_view path);
// kUsage: '%' without two hexadecimal digits behind it.
Result<std::string> percent_decoded(std::string_view text);

}  // namespace cistern::fetch
