// The cursor of the GGUF parser: every read is checked against the bytes that are left, and a failure names
// the file, the field and the byte. Used by gguf.cc and gguf_tensors.cc only. Views handed out point into the
// file's bytes. Not thread-safe (it is a position).
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/cursor.h"
#include "base/error.h"
#include "file/printable.h"

namespace cistern::file {

// What is being read, for messages: {"tensor count"} or {"key", "general.alignment"}.
struct Field {
  std::string_view kind;
  std::string_view name = {};
};

class GgufReader {
 public:
  GgufReader(std::span<const std::byte> bytes, std::string_view file)
      : bytes_(bytes), cursor_(bytes), file_(file) {}

  std::span<const std::byte> bytes() const { return bytes_; }
  std::uint64_t position() const { return cursor_.position(); }
  std::uint64_t remaining() const { return cursor_.remaining(); }

  template <class T>
  Result<T> scalar(const Field& field) {
    const auto value = cursor_.read<T>();
    if (!value) return truncated(field, sizeof(T));
    return *value;
  }

  Result<std::span<const std::byte>> take(std::uint64_t count, const Field& field) {
    const auto range = cursor_.take(count);
    if (!range) return truncated(field, count);
    return *range;
  }

  // A 64-bit length and that many bytes.
  Result<std::string_view> string(const Field& field) {
    CISTERN_TRY(const auto length, scalar<std::uint64_t>(field));
    CISTERN_TRY(const auto raw, take(length, field));
    return std::string_view(reinterpret_cast<const char*>(raw.data()), raw.size());
  }

  std::string where(const Field& field, std::uint64_t offset) const {
    if (field.name.empty()) return fmt::format("{}: {} at byte {}", file_, field.kind, offset);
    return fmt::format("{}: {} '{}' at byte {}", file_, field.kind, printable(field.name), offset);
  }

  std::unexpected<Error> bad(const Field& field, std::uint64_t offset, std::string message) const {
    return fail(ErrorCode::kFormat, std::move(message), where(field, offset));
  }

 private:
  std::unexpected<Error> truncated(const Field& field, std::uint64_t needed_bytes) const {
    return bad(field, position(),
               fmt::format("needs {} bytes, but {} are left in the file: it is truncated or damaged",
                           needed_bytes, remaining()));
  }

  std::span<const std::byte> bytes_;
  ByteCursor cursor_;
  std::string_view file_;
};

}  // namespace cistern::file
