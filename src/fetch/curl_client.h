// The HttpClient that connects, over libcurl: certificates checked, TLS 1.2 or newer, proxies from the usual
// environment variables, no cookies, no .netrc, no redirects of its own. Connections are kept between
// requests. Made by `cistern pull`. Single-threaded.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "fetch/http.h"

namespace cistern::fetch {

struct ConnectOptions {
  std::string user_agent;
  std::string ca_file;  // certificates of authorities, in PEM, instead of the system's; empty: the system's
  double stall_s = 30;  // without a connection, or with next to nothing arriving, until it is given up
  std::function<bool()> cancelled;  // asked about once a second while waiting
};

// kUnsupported: libcurl is not there.
Result<std::unique_ptr<HttpClient>> make_curl_client(ConnectOptions options);

}  // namespace cistern::fetch
