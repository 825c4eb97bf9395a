#include "fetch/part_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "fetch/names.h"

namespace cistern::fetch {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

constexpr std::size_t kReadBytes = std::size_t{4} << 20U;
constexpr std::size_t kMaxNoteBytes = 64U << 10U;
constexpr mode_t kMode = 0666;

std::string part_path(const std::string& path) {
  return path + ".part";
}

std::string note_path(const std::string& path) {
  return path + ".part.json";
}

std::unexpected<Error> io_error(const char* what, const std::string& path) {
  const int number = errno;
  if (number == ENOSPC || number == EDQUOT) {
    return fail(ErrorCode::kIo,
                "the disk is full: what has arrived stays, make room and run the command again", path);
  }
  return fail(ErrorCode::kIo, fmt::format("{}: {}", what, std::strerror(number)), path);
}

// Closes a descriptor on every way out.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

Result<void> write_all(int fd, std::span<const std::byte> bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return io_error("cannot write", path);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

// Reads from the beginning up to the end.
Result<std::uint64_t> read_into(int fd, Sha256& hash, const std::string& path,
                                const PartFile::OnRead& on_read) {
  std::vector<std::byte> buffer(kReadBytes);
  std::uint64_t done = 0;
  for (;;) {
    const ssize_t n = ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return io_error("cannot read", path);
    if (n == 0) return done;
    hash.update(std::span(buffer).first(static_cast<std::size_t>(n)));
    done += static_cast<std::uint64_t>(n);
    CISTERN_TRY_VOID(on_read(done));
  }
}

// A new name survives a power cut once its folder is on the disk.
Result<void> sync_folder_of(const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  const Descriptor fd(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || ::fsync(fd.get()) != 0) return io_error("cannot write the folder", path);
  return {};
}

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains({name.data(), name.size()});
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace

Result<PartFile> PartFile::open(const std::string& path) {
  const std::string part = part_path(path);
  for (;;) {
    PartFile file;
    file.path_ = path;
    CISTERN_TRY(file.hash_, Sha256::create());
    file.fd_ = ::open(part.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, kMode);
    if (file.fd_ < 0) return io_error("cannot create", part);
    if (::flock(file.fd_, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return io_error("cannot lock", part);
      ::close(std::exchange(file.fd_, -1));
      return fail(ErrorCode::kBusy, "is being downloaded by another process", part);
    }
    struct stat opened{};
    struct stat named{};
    if (::fstat(file.fd_, &opened) != 0) return io_error("cannot read", part);
    if (!S_ISREG(opened.st_mode)) {
      ::close(std::exchange(file.fd_, -1));
      return fail(ErrorCode::kIo, "is no regular file", part);
    }
    file.size_bytes_ = static_cast<std::uint64_t>(opened.st_size);
    // Between open and lock another process may have finished: what we hold then has another name.
    if (::lstat(part.c_str(), &named) == 0 && named.st_ino == opened.st_ino && named.st_dev == opened.st_dev)
      return file;
    ::close(std::exchange(file.fd_, -1));
  }
}

PartFile::PartFile(PartFile&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      size_bytes_(other.size_bytes_),
      hash_(std::move(other.hash_)) {}

PartFile::~PartFile() {
  if (fd_ < 0) return;
  if (size_bytes_ == 0) {
    discard();
  } else {
    ::close(fd_);
  }
}

std::optional<Identity> PartFile::identity() const {
  const Descriptor fd(::open(note_path(path_).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  std::string text(kMaxNoteBytes, '\0');
  const ssize_t n = fd.get() < 0 ? -1 : ::read(fd.get(), text.data(), text.size());
  if (n <= 0) return std::nullopt;
  text.resize(static_cast<std::size_t>(n));
  json::error_code error;
  const json::value document = json::parse(text, error);
  if (error || !document.is_object()) return std::nullopt;
  const json::object& object = document.get_object();
  const json::value* size = object.if_contains("size");
  Identity identity{.url = text_of(object, "url"),
                    .etag = text_of(object, "etag"),
                    .size_bytes = size == nullptr ? 0 : size->to_number<std::uint64_t>(error),
                    .sha256 = text_of(object, "sha256")};
  if (error || identity.size_bytes == 0 || identity.url.empty()) return std::nullopt;
  if (!identity.sha256.empty() && !sha256_text(identity.sha256)) return std::nullopt;
  return identity;
}

Result<void> PartFile::resume(const OnRead& on_read) {
  CISTERN_TRY(hash_, Sha256::create());
  CISTERN_TRY(size_bytes_, read_into(fd_, *hash_, part_path(path_), on_read));
  return {};
}

Result<void> PartFile::restart(const Identity& identity) {
  CISTERN_TRY(hash_, Sha256::create());
  if (::ftruncate(fd_, 0) != 0) return io_error("cannot write", part_path(path_));
  size_bytes_ = 0;
  const json::object note = {{"url", identity.url},
                             {"etag", identity.etag},
                             {"size", identity.size_bytes},
                             {"sha256", identity.sha256}};
  const std::string text = json::serialize(note) + "\n";
  const std::string path = note_path(path_);
  // Under the lock nobody else writes it; a torn note is no note, and the download begins anew.
  const Descriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, kMode));
  if (fd.get() < 0) return io_error("cannot create", path);
  return write_all(fd.get(), std::as_bytes(std::span(text)), path);
}

Result<void> PartFile::append(std::span<const std::byte> bytes) {
  CISTERN_TRY_VOID(write_all(fd_, bytes, part_path(path_)));
  hash_->update(bytes);
  size_bytes_ += bytes.size();
  return {};
}

std::string PartFile::sha256() {
  return hash_->finish();
}

Result<void> PartFile::commit() {
  const std::string part = part_path(path_);
  if (::fsync(fd_) != 0) return io_error("cannot write", part);
  if (std::rename(part.c_str(), path_.c_str()) != 0) return io_error("cannot rename", part);
  ::unlink(note_path(path_).c_str());
  ::close(std::exchange(fd_, -1));
  return sync_folder_of(path_);
}

void PartFile::discard() {
  ::unlink(note_path(path_).c_str());
  ::unlink(part_path(path_).c_str());
  ::close(std::exchange(fd_, -1));
}

Result<std::string> sha256_of_file(const std::string& path, const PartFile::OnRead& on_read) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return io_error("cannot open", path);
  CISTERN_TRY(const auto hash, Sha256::create());
  CISTERN_TRY_VOID(read_into(fd.get(), *hash, path, on_read));
  return hash->finish();
}

}  // namespace cistern::fetch
