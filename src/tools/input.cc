#include "tools/input.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "text/utf8.h"
#include "tools/output.h"

namespace cistern::tools {
namespace {

Result<std::string> read_all(int fd, const std::string& name, std::uint64_t max_bytes) {
  std::string text;
  std::array<char, 65536> chunk;
  while (true) {
    const ssize_t count = ::read(fd, chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(ErrorCode::kIo, fmt::format("cannot read: {}", std::strerror(errno)), name);
    if (count == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(count));
    if (text.size() > max_bytes) {
      return fail(ErrorCode::kTooLong, fmt::format("longer than {} bytes, the most that is read", max_bytes),
                  name);
    }
  }
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::uint64_t max_bytes) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    const ErrorCode code = errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo;
    return fail(code, fmt::format("cannot open: {}", std::strerror(errno)), path);
  }
  struct stat status{};
  auto result = ::fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)
                    ? Result<std::string>(fail(ErrorCode::kIo, "is a directory; give a file", path))
                    : read_all(fd, path, max_bytes);
  ::close(fd);
  return result;
}

Result<std::string> read_stdin(std::uint64_t max_bytes) {
  return read_all(STDIN_FILENO, "stdin", max_bytes);
}

Result<void> require_utf8(std::string_view text, std::string_view what) {
  for (std::size_t at = 0; at < text.size();) {
    const text::CodePoint c = text::decode_utf8(text.substr(at));
    if (!c.valid) {
      return fail(ErrorCode::kFormat,
                  fmt::format("byte {} (0x{:02x}) is not UTF-8; convert the text, e.g. with iconv", at,
                              static_cast<unsigned char>(text[at])),
                  std::string(what));
    }
    at += c.length;
  }
  return {};
}

Result<LineReader::Line> LineReader::next() {
  Line line;
  while (true) {
    const std::size_t newline = buffer_.find('\n', position_);
    const std::size_t end = newline == std::string::npos ? buffer_.size() : newline;
    line.text.append(buffer_, position_, end - position_);
    position_ = newline == std::string::npos ? end : newline + 1;
    if (line.text.size() > kMaxInputBytes) {
      return fail(ErrorCode::kTooLong, fmt::format("a line is longer than {} bytes", kMaxInputBytes),
                  "stdin");
    }
    if (newline != std::string::npos) break;
    if (eof_) {
      if (line.text.empty()) line.end = End::kEof;
      break;
    }
    buffer_.resize(65536);
    position_ = 0;
    const ssize_t count = ::read(STDIN_FILENO, buffer_.data(), buffer_.size());
    buffer_.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    if (count == 0) eof_ = true;
    if (count < 0 && errno == EINTR) return Line{.text = {}, .end = End::kInterrupted};
    if (count < 0) return fail(ErrorCode::kIo, fmt::format("cannot read: {}", std::strerror(errno)), "stdin");
  }
  if (line.text.ends_with('\r')) line.text.pop_back();
  return line;
}

Result<std::vector<std::string>> read_texts(const std::vector<std::string>& given, std::string_view what) {
  std::vector<std::string> texts = given;
  if (given.empty() && stdin_is_terminal()) {
    return fail(ErrorCode::kUsage, fmt::format("no {}: give some as arguments or lines of stdin", what));
  }
  if (given.empty()) {
    CISTERN_TRY(const std::string all, read_stdin());
    std::string_view rest = all;
    while (!rest.empty()) {
      const std::size_t newline = rest.find('\n');
      std::string_view line = rest.substr(0, newline);
      rest.remove_prefix(newline == std::string_view::npos ? rest.size() : newline + 1);
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (!line.empty()) texts.emplace_back(line);
    }
    if (texts.empty()) return fail(ErrorCode::kUsage, fmt::format("no {}: stdin has no lines", what));
  }
  for (std::size_t i = 0; i < texts.size(); ++i)
    CISTERN_TRY_VOID(require_utf8(texts[i], fmt::format("{} {}", what, i + 1)));
  return texts;
}

}  // namespace cistern::tools
