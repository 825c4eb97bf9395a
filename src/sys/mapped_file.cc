#include "sys/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

#include "sys/sigbus_guard.h"

namespace cistern::sys {
namespace {

// The parts of a file's identity that change when somebody writes to it.
struct Stamp {
  std::uint64_t bytes = 0;
  std::int64_t modified_s = 0;
  bool operator==(const Stamp&) const = default;
};

Stamp stamp_of(const struct stat& status) {
  return {static_cast<std::uint64_t>(status.st_size), status.st_mtime};
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

std::unexpected<Error> system_error(const std::string& path, std::string_view what, int error) {
  const bool missing = error == ENOENT || error == ENOTDIR;
  const ErrorCode code = missing ? ErrorCode::kNotFound : ErrorCode::kIo;
  return fail(code, missing ? "no such file" : fmt::format("{}: {}", what, std::strerror(error)), path);
}

std::string_view kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

}  // namespace

struct MappedFile::Impl {
  std::string path;
  std::span<const std::byte> bytes;
  // Only of real files; `bytes` is then ours to unmap. The descriptor stays open to notice changes.
  std::optional<FileDescriptor> fd;
  Stamp stamp;
  std::optional<GuardedRange> guard;

  Impl(std::string path_in, std::span<const std::byte> bytes_in)
      : path(std::move(path_in)), bytes(bytes_in) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    guard.reset();  // before the address range can be given to somebody else
    if (fd && !bytes.empty()) munmap(const_cast<std::byte*>(bytes.data()), bytes.size());
  }
};

MappedFile::MappedFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MappedFile::MappedFile(MappedFile&&) noexcept = default;
MappedFile& MappedFile::operator=(MappedFile&&) noexcept = default;
MappedFile::~MappedFile() = default;

Result<MappedFile> MappedFile::open(const std::string& path) {
  // O_NONBLOCK: opening a FIFO without a writer must not hang; it has no effect on regular files.
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return system_error(path, "cannot open", errno);
  struct stat status = {};
  if (fstat(fd.get(), &status) != 0) return system_error(path, "cannot examine", errno);
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorCode::kIo, fmt::format("{}, not a regular file", kind_of(status.st_mode)), path);
  }

  auto impl = std::make_unique<Impl>(path, std::span<const std::byte>{});
  impl->stamp = stamp_of(status);
  if (impl->stamp.bytes > 0) {
    void* mapping = mmap(nullptr, impl->stamp.bytes, PROT_READ, MAP_SHARED, fd.get(), 0);
    if (mapping == MAP_FAILED) return system_error(path, "cannot map", errno);
    impl->bytes = {static_cast<const std::byte*>(mapping), static_cast<std::size_t>(impl->stamp.bytes)};
  }
  impl->fd.emplace(std::move(fd));
  if (!impl->bytes.empty()) {
    impl->guard = GuardedRange::watch(impl->bytes.data(), impl->bytes.size());
    if (!impl->guard) {
      return fail(ErrorCode::kIo, fmt::format("more than {} files mapped at once", GuardedRange::kMaxRanges),
                  path);
    }
  }
  return MappedFile(std::move(impl));
}

MappedFile MappedFile::borrow(std::span<const std::byte> bytes, std::string name) {
  return MappedFile(std::make_unique<Impl>(std::move(name), bytes));
}

std::span<const std::byte> MappedFile::bytes() const noexcept {
  return impl_->bytes;
}

const std::string& MappedFile::path() const noexcept {
  return impl_->path;
}

Result<void> MappedFile::check_intact() const {
  if (impl_->guard) {
    if (const auto offset = impl_->guard->damaged_offset()) {
      return fail(ErrorCode::kIo,
                  "could not be read (file truncated while in use, or a disk error): load it again",
                  fmt::format("{}: byte {}", impl_->path, *offset));
    }
  }
  if (!impl_->fd) return {};
  struct stat status = {};
  if (fstat(impl_->fd->get(), &status) != 0) return system_error(impl_->path, "cannot examine", errno);
  const Stamp now = stamp_of(status);
  if (now == impl_->stamp) return {};
  if (now.bytes < impl_->stamp.bytes) {
    return fail(ErrorCode::kIo,
                fmt::format("the file shrank from {} bytes while in use: load it again", impl_->stamp.bytes),
                fmt::format("{}: byte {}", impl_->path, now.bytes));
  }
  return fail(ErrorCode::kIo, "the file was changed while in use: load it again", impl_->path);
}

}  // namespace cistern::sys
