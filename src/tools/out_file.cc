#include "tools/out_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "tools/output.h"

namespace cistern::tools {

static_assert(std::endian::native == std::endian::little, "result files are little-endian");

Result<OutFile> OutFile::create(const std::string& path) {
  OutFile file;
  file.path_ = path;
  if (path == "-") {
    file.fd_ = STDOUT_FILENO;
    return file;
  }
  struct stat status{};
  const bool direct = ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
  if (!direct) file.temporary_ = fmt::format("{}.{}.partial", path, ::getpid());
  const std::string& name = direct ? path : file.temporary_;
  file.fd_ = ::open(name.c_str(), O_WRONLY | O_CLOEXEC | (direct ? 0 : O_CREAT | O_TRUNC), 0666);
  if (file.fd_ < 0) {
    file.temporary_.clear();
    return fail(ErrorCode::kIo, fmt::format("cannot create: {}", std::strerror(errno)), path);
  }
  return file;
}

OutFile::OutFile(OutFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      fd_(std::exchange(other.fd_, -1)) {}

OutFile::~OutFile() {
  if (fd_ >= 0 && fd_ != STDOUT_FILENO) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<void> OutFile::write(std::span<const std::byte> bytes) {
  if (fd_ == STDOUT_FILENO) {
    return write_stdout({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0)
      return fail(ErrorCode::kIo, fmt::format("cannot write: {}", std::strerror(errno)), path_);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> OutFile::sync() {
  if (fd_ == STDOUT_FILENO || temporary_.empty()) return {};  // pipes and devices know no sync
  if (::fsync(fd_) != 0)
    return fail(ErrorCode::kIo, fmt::format("cannot write: {}", std::strerror(errno)), path_);
  return {};
}

Result<void> OutFile::commit() {
  if (fd_ == STDOUT_FILENO) return {};
  if (::close(std::exchange(fd_, -1)) != 0) {
    return fail(ErrorCode::kIo, fmt::format("cannot write: {}", std::strerror(errno)), path_);
  }
  if (temporary_.empty()) return {};
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) {
    return fail(ErrorCode::kIo, fmt::format("cannot rename {}: {}", temporary_, std::strerror(errno)), path_);
  }
  temporary_.clear();
  return {};
}

}  // namespace cistern::tools
