// What commands read besides models: files, standard input whole or line by line. Everything is bounded, so
// that /dev/zero or a forgotten pipe ends in an error. Owns nothing but its buffer; single-threaded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace cistern::tools {

inline constexpr std::uint64_t kMaxInputBytes = 64U << 20U;

// A whole regular file or pipe. Errors: kNotFound, kIo (directory, unreadable), kTooLong beyond `max_bytes`.
Result<std::string> read_file(const std::string& path, std::uint64_t max_bytes = kMaxInputBytes);

// The rest of standard input.
Result<std::string> read_stdin(std::uint64_t max_bytes = kMaxInputBytes);

// kFormat naming the offset unless all of `text` is UTF-8; `what` says where it came from ("the prompt").
Result<void> require_utf8(std::string_view text, std::string_view what);

// The texts of the command line, else the lines of stdin that are not empty. kUsage when there are none and
// stdin is a terminal; kFormat for what is no UTF-8, naming `what` and its number.
Result<std::vector<std::string>> read_texts(const std::vector<std::string>& given, std::string_view what);

// Lines of standard input without their end ("\n" or "\r\n"). The last one needs no newline.
class LineReader {
 public:
  enum class End { kLine, kEof, kInterrupted };
  struct Line {
    std::string text;
    End end = End::kLine;
  };
  // kEof and kInterrupted (by a signal) come without text. Errors: kIo, kTooLong beyond kMaxInputBytes.
  Result<Line> next();

 private:
  std::string buffer_;
  std::size_t position_ = 0;
  bool eof_ = false;
};

}  // namespace cistern::tools
