#include "serve/anthropic/error_document.h"

#include <boost/json/serialize.hpp>

#include "serve/error_status.h"

namespace cistern::serve::anthropic {

namespace json = boost::json;

json::object error_document(const Error& error, const std::string& request_id) {
  return {
      {"type", "error"},
      {"error", {{"type", status_of(error.code).anthropic}, {"message", client_message(error)}}},
      {"request_id", request_id},
  };
}

http::Response error_response(const Error& error, const std::string& request_id,
                              std::uint32_t retry_after_s) {
  http::Response response = {.status = status_of(error.code).http,
                             .body = json::serialize(error_document(error, request_id))};
  response.headers.emplace_back("request-id", request_id);
  if (error.code == ErrorCode::kBusy)
    response.headers.emplace_back("Retry-After", std::to_string(retry_after_s));
  return response;
}

}  // namespace cistern::serve::anthropic
