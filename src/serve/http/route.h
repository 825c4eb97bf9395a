// One row of what a protocol serves: a method, a path and who answers. Protocols make tables of these, the
// server's router looks them up. A path is compared whole, but for one trailing parameter in braces
// ("/v1/models/{id}"), which stands for the rest of the path, slashes included. Plain values.
#pragma once

#include <string>

#include "serve/http/exchange.h"

namespace cistern::serve::http {

struct Route {
  std::string method;  // "GET"
  std::string path;    // as Request::path
  Handler handler;
};

}  // namespace cistern::serve::http
