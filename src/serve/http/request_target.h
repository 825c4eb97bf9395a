// Reads the target of a request line: a path with an optional query ("origin form"); the forms that proxies
// use are refused. Pure.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "serve/http/refusal.h"

namespace cistern::serve::http {

struct Target {
  std::string path;   // decoded: valid UTF-8 without control characters, backslashes, "." and ".." segments
  std::string query;  // as sent, without '?'
};

std::expected<Target, Refusal> parse_target(std::string_view target);

}  // namespace cistern::serve::http
