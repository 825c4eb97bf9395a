#include "base/error.h"

#include <array>

namespace cistern {
namespace {

struct CodeRow {
  ErrorCode code;
  std::string_view name;
  int exit_status;
};

constexpr std::array kCodes = {
    CodeRow{ErrorCode::kUsage, "usage", 2},
    CodeRow{ErrorCode::kNotFound, "not_found", 1},
    CodeRow{ErrorCode::kIo, "io", 1},
    CodeRow{ErrorCode::kFormat, "format", 1},
    CodeRow{ErrorCode::kUnsupported, "unsupported", 1},
    CodeRow{ErrorCode::kMemory, "memory", 1},
    CodeRow{ErrorCode::kTooLong, "too_long", 1},
    CodeRow{ErrorCode::kTemplate, "template", 1},
    CodeRow{ErrorCode::kCancelled, "cancelled", 1},
    CodeRow{ErrorCode::kBusy, "busy", 1},
    CodeRow{ErrorCode::kTimeout, "timeout", 1},
};

const CodeRow& row_of(ErrorCode code) {
  for (const CodeRow& row : kCodes) {
    if (row.code == code) return row;
  }
  return kCodes.front();
}

}  // namespace

std::unexpected<Error> fail(ErrorCode code, std::string message, std::string where) {
  return std::unexpected(Error{code, std::move(message), std::move(where)});
}

std::string describe(const Error& error) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string line;
  for (const char c : error.where.empty() ? error.message : error.where + ": " + error.message) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7F) {
      line += c;
    } else {
      line += {'\\', 'x', kHex[byte >> 4U], kHex[byte & 0xFU]};
    }
  }
  return line;
}

std::string_view name_of(ErrorCode code) {
  return row_of(code).name;
}

int exit_status(ErrorCode code) {
  return row_of(code).exit_status;
}

}  // namespace cistern
