#include "serve/error_status.h"

#include <array>
#include <utility>

namespace cistern::serve {
namespace {

constexpr std::array kRows = {
    std::pair{ErrorCode::kUsage, ErrorStatus{400, "invalid_request_error", "invalid_request_error"}},
    std::pair{ErrorCode::kFormat, ErrorStatus{400, "invalid_request_error", "invalid_request_error"}},
    std::pair{ErrorCode::kUnsupported, ErrorStatus{400, "invalid_request_error", "invalid_request_error"}},
    std::pair{ErrorCode::kTemplate, ErrorStatus{400, "invalid_request_error", "invalid_request_error"}},
    std::pair{ErrorCode::kTooLong, ErrorStatus{400, "invalid_request_error", "invalid_request_error"}},
    std::pair{ErrorCode::kNotFound, ErrorStatus{404, "invalid_request_error", "not_found_error"}},
    std::pair{ErrorCode::kBusy, ErrorStatus{429, "rate_limit_error", "rate_limit_error"}},
    std::pair{ErrorCode::kTimeout, ErrorStatus{504, "server_error", "timeout_error"}},
    std::pair{ErrorCode::kMemory, ErrorStatus{503, "server_error", "overloaded_error"}},
    std::pair{ErrorCode::kCancelled, ErrorStatus{503, "server_error", "api_error"}},
    std::pair{ErrorCode::kIo, ErrorStatus{500, "server_error", "api_error"}},
};

}  // namespace

ErrorStatus status_of(ErrorCode code) {
  for (const auto& [row_code, status] : kRows)
    if (row_code == code) return status;
  return {500, "server_error", "api_error"};
}

std::string client_field(const Error& error) {
  // What went wrong on this side is at a path.
  const std::string field = error.where.substr(0, error.where.find('#'));
  const bool is_path = field.find('/') != std::string::npos;
  return status_of(error.code).http < 500 && !is_path ? error.where : std::string();
}

std::string client_message(const Error& error) {
  return describe({error.code, error.message, client_field(error)});
}

}  // namespace cistern::serve
