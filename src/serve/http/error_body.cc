#include "serve/http/error_body.h"

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace cistern::serve::http {
namespace {

struct TypeRow {
  unsigned status;
  std::string_view openai, anthropic;
};

constexpr std::array kTypes = {
    TypeRow{401, "authentication_error", "authentication_error"},
    TypeRow{403, "permission_error", "permission_error"},
    TypeRow{404, "invalid_request_error", "not_found_error"},
    TypeRow{413, "invalid_request_error", "request_too_large"},
    TypeRow{429, "rate_limit_error", "rate_limit_error"},
    TypeRow{503, "server_error", "overloaded_error"},
    TypeRow{504, "server_error", "timeout_error"},
};

TypeRow types_of(unsigned status) {
  const auto row = std::ranges::find(kTypes, status, &TypeRow::status);
  if (row != kTypes.end()) return *row;
  if (status >= 500) return {status, "server_error", "api_error"};
  return {status, "invalid_request_error", "invalid_request_error"};
}

}  // namespace

std::string error_body(unsigned status, std::string_view message, std::string_view path) {
  namespace json = boost::json;
  const TypeRow types = types_of(status);
  json::object body;
  if (path.starts_with("/api/")) {
    body["error"] = message;
  } else if (path == "/v1/messages" || path.starts_with("/v1/messages/")) {
    body["type"] = "error";
    body["error"] = json::object{{"type", types.anthropic}, {"message", message}};
  } else {
    const json::value code = status == 401 ? json::value("invalid_api_key") : json::value(nullptr);
    body["error"] =
        json::object{{"message", message}, {"type", types.openai}, {"param", nullptr}, {"code", code}};
  }
  return json::serialize(body);
}

}  // namespace cistern::serve::http
