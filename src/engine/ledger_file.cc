#include "engine/ledger_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <thread>
#include <utility>

#include "engine/ledger_line.h"
#include "sys/clock.h"

namespace cistern::engine {
namespace {

namespace fs = std::filesystem;

// So much of a file's beginning is searched for a line of a ledger.
constexpr std::size_t kHeadBytes = 64U << 10U;
constexpr std::size_t kCopyBytes = 256U << 10U;
// Each time another process has put a new file in the old one's place meanwhile.
constexpr int kMostOpenings = 1000;

std::unexpected<Error> system_failure(std::string_view what, const std::string& path) {
  return fail(ErrorCode::kIo, fmt::format("cannot {}: {}", what, std::strerror(errno)), path);
}

class OpenFile {
 public:
  // Never waits for the other end of a pipe. kIo: not there, not allowed, or no regular file.
  static Result<OpenFile> open(const std::string& path, int flags, mode_t mode = 0600) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, mode);
    if (fd < 0) return system_failure("open", path);
    OpenFile file(fd, path);
    CISTERN_TRY(const struct stat status, file.status());
    if (!S_ISREG(status.st_mode)) return fail(ErrorCode::kIo, "is no regular file", path);
    return file;
  }
  OpenFile(OpenFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}
  OpenFile& operator=(OpenFile&&) = delete;
  ~OpenFile() {
    if (fd_ >= 0) ::close(fd_);  // and gives up its lock
  }

  int fd() const { return fd_; }
  const std::string& path() const { return path_; }

  Result<struct stat> status() const {
    struct stat status{};
    if (::fstat(fd_, &status) != 0) return system_failure("look at", path_);
    return status;
  }
  Result<std::uint64_t> size() const {
    CISTERN_TRY(const struct stat status, this->status());
    return static_cast<std::uint64_t>(std::max<off_t>(0, status.st_size));
  }

  // Up to `bytes` from `offset` on; fewer at the end of the file.
  Result<std::string> read(std::uint64_t offset, std::uint64_t bytes) const {
    std::string text(bytes, '\0');
    std::size_t filled = 0;
    while (filled < text.size()) {
      const ssize_t got =
          ::pread(fd_, text.data() + filled, text.size() - filled, static_cast<off_t>(offset + filled));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return system_failure("read", path_);
      if (got == 0) break;
      filled += static_cast<std::size_t>(got);
    }
    text.resize(filled);
    return text;
  }

  // At the end of the file: one write, unless the system takes only a part of it.
  Result<void> append(std::string_view bytes) const {
    // The signal for a file beyond the limit would end the program.
    CISTERN_TRY(const std::uint64_t size, this->size());
    struct rlimit limit{};
    if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        size + bytes.size() > limit.rlim_cur) {
      return fail(ErrorCode::kIo, "cannot write: larger than the limit on files (ulimit -f)", path_);
    }
    while (!bytes.empty()) {
      const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return system_failure("write", path_);
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
  }

  Result<void> sync() const {
    if (::fsync(fd_) != 0) return system_failure("write", path_);
    return {};
  }

 private:
  OpenFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  int fd_;
  std::string path_;
};

// False: this file system has no locks. kIo: somebody holds the lock for longer than `wait_s`.
Result<bool> lock(const OpenFile& file, double wait_s) {
  const double end_s = sys::steady_seconds() + wait_s;
  while (::flock(file.fd(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return false;
    if (sys::steady_seconds() > end_s) {
      return fail(ErrorCode::kIo,
                  fmt::format("cannot write: another program has held its lock for {} s", wait_s),
                  file.path());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

// Whether the path still leads to this file, and not to one that has taken its place.
bool is_at(const OpenFile& file, const std::string& path) {
  struct stat there{};
  const auto here = file.status();
  return here && ::stat(path.c_str(), &there) == 0 && there.st_ino == here->st_ino &&
         there.st_dev == here->st_dev;
}

// What the file begins with decides whose it is: a line of a ledger somewhere in it, or as much of one as
// was written.
Result<void> require_ledger(const OpenFile& file) {
  CISTERN_TRY(const std::string head, file.read(0, kHeadBytes));
  if (head.empty() || kLedgerMark.starts_with(head) || head.starts_with(kLedgerMark) ||
      head.find(fmt::format("\n{}", kLedgerMark)) != std::string::npos) {
    return {};
  }
  return fail(ErrorCode::kFormat,
              "is no ledger of forecasts and stays as it is: move it away, or nothing is recorded",
              file.path());
}

// As append(), but on a line of its own, whatever the file ends with.
Result<void> append_line(const OpenFile& file, std::string_view lines) {
  CISTERN_TRY(const std::uint64_t size, file.size());
  std::string whole;
  if (size > 0) {
    CISTERN_TRY(const std::string last, file.read(size - 1, 1));
    if (last != "\n") whole = "\n";
  }
  whole += lines;
  return file.append(whole);
}

Result<void> copy(const OpenFile& from, std::uint64_t begin, std::uint64_t end, const OpenFile& to) {
  while (begin < end) {
    CISTERN_TRY(const std::string part, from.read(begin, std::min<std::uint64_t>(kCopyBytes, end - begin)));
    if (part.empty()) return fail(ErrorCode::kIo, "became shorter while it was read", from.path());
    CISTERN_TRY_VOID(to.append(part));
    begin += part.size();
  }
  return to.sync();
}

// Where the first line after the middle begins.
Result<std::uint64_t> find_cut(const OpenFile& file, std::uint64_t size) {
  for (std::uint64_t at = size / 2; at < size; at += kCopyBytes) {
    CISTERN_TRY(const std::string part, file.read(at, kCopyBytes));
    if (const std::size_t end = part.find('\n'); end != std::string::npos) return at + end + 1;
  }
  return fail(ErrorCode::kIo, "its second half is one unfinished line", file.path());
}

Result<void> move_to_archive(const OpenFile& file, std::uint64_t cut, const std::string& path) {
  CISTERN_TRY(const OpenFile archive, OpenFile::open(path, O_RDWR | O_APPEND | O_CREAT));
  CISTERN_TRY_VOID(require_ledger(archive));
  CISTERN_TRY(const std::uint64_t size, archive.size());
  CISTERN_TRY_VOID(append_line(archive, ""));
  auto copied = copy(file, 0, cut, archive);
  // The lines stay where they are, so what was added of them goes again.
  if (!copied && ::ftruncate(archive.fd(), static_cast<off_t>(size)) != 0)
    return system_failure("write", path);
  return copied;
}

// The older half goes to the archive; a new file with the newer half takes the place of this one. Every line
// is in one of the files at any moment: a crash in between leaves lines twice, never nowhere. REQUIRES: the
// lock on `file`, which is at `path`.
Result<void> halve(const OpenFile& file, const std::string& path) {
  CISTERN_TRY(const std::uint64_t size, file.size());
  CISTERN_TRY(const std::uint64_t cut, find_cut(file, size));
  CISTERN_TRY(const struct stat status, file.status());
  // First what is likely to fail, so that the archive does not get the same lines at each attempt.
  // One name for all, under the lock: what a crash left is written over, not left beside.
  const std::string unfinished = path + ".partial";
  const auto made = [&]() -> Result<void> {
    CISTERN_TRY(const OpenFile half,
                OpenFile::open(unfinished, O_WRONLY | O_APPEND | O_CREAT | O_TRUNC | O_NOFOLLOW,
                               status.st_mode & 0777));
    CISTERN_TRY_VOID(copy(file, cut, size, half));
    CISTERN_TRY_VOID(move_to_archive(file, cut, ledger_archive_path(path)));
    if (std::rename(unfinished.c_str(), path.c_str()) != 0) return system_failure("replace", path);
    return {};
  }();
  if (!made) ::unlink(unfinished.c_str());
  return made;
}

enum class Written { kYes, kMoved };

// kMoved: the file at the path is another one now; try again.
Result<Written> try_append(const std::string& path, std::string_view line, const LedgerLimits& limits,
                           Result<void>& halved) {
  CISTERN_TRY(const OpenFile file, OpenFile::open(path, O_RDWR | O_APPEND | O_CREAT));
  CISTERN_TRY(const bool locked, lock(file, limits.lock_wait_s));
  if (locked && !is_at(file, path)) return Written::kMoved;
  CISTERN_TRY_VOID(require_ledger(file));
  CISTERN_TRY(const std::uint64_t size, file.size());
  // Without locks nobody may move lines that another is adding to. Once it failed it fails again.
  if (locked && halved && size > 0 && size + line.size() > limits.most_bytes) {
    halved = halve(file, path);
    if (halved) return Written::kMoved;
  }
  CISTERN_TRY_VOID(append_line(file, line));
  return Written::kYes;
}

}  // namespace

std::string ledger_archive_path(const std::string& path) {
  fs::path archive(path);
  archive.replace_filename(archive.stem().string() + ".1" + archive.extension().string());
  return archive.string();
}

Result<void> append_ledger_line(const std::string& path, std::string_view line, const LedgerLimits& limits) {
  std::error_code error;
  // The folder may be there, or not to be made: opening the file tells.
  fs::create_directories(fs::path(path).parent_path(), error);
  const std::string whole = fmt::format("{}\n", line);
  Result<void> halved;
  for (int opening = 0; opening < kMostOpenings; ++opening) {
    // A link stays a link: what takes the place of a file does so where the file is.
    const fs::path real = fs::canonical(path, error);
    CISTERN_TRY(const Written written, try_append(error ? path : real.string(), whole, limits, halved));
    if (written == Written::kMoved) continue;
    if (halved) return {};
    return fail(halved.error().code,
                fmt::format("has outgrown {} bytes, and its older half cannot be moved away: {}",
                            limits.most_bytes, describe(halved.error())),
                path);
  }
  return fail(ErrorCode::kIo, "cannot write: other programs keep replacing it", path);
}

Result<std::optional<std::string>> read_ledger_tail(const std::string& path, std::uint64_t most_bytes) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0 && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
  CISTERN_TRY(const OpenFile file, OpenFile::open(path, O_RDONLY));
  CISTERN_TRY(const std::uint64_t size, file.size());
  if (size <= most_bytes) {
    CISTERN_TRY(std::string text, file.read(0, size));
    return text;
  }
  // From the byte before, which may end a line.
  CISTERN_TRY(std::string text, file.read(size - most_bytes - 1, most_bytes + 1));
  const std::size_t end = text.find('\n');
  text.erase(0, end == std::string::npos ? text.size() : end + 1);
  return text;
}

}  // namespace cistern::engine
