#include "serve/http/exchange.h"

namespace cistern::serve::http {

std::optional<std::string_view> Request::header(std::string_view name) const {
  for (const auto& [header_name, value] : headers)
    if (header_name == name) return value;
  return std::nullopt;
}

}  // namespace cistern::serve::http
