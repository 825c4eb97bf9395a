#include "sys/disk_speed.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <thread>
#include <vector>

#include "base/rng.h"
#include "sys/buffer.h"
#include "sys/clock.h"
#include "sys/uncached_file.h"

namespace cistern::sys {
namespace {

constexpr std::uint64_t kRequestBytes = 2U << 20U;
constexpr int kRequestsInFlight = 8;
constexpr std::uint64_t kAlignment = 4096;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

Error io_error(const std::string& path, int number) {
  return {ErrorCode::kIo, std::generic_category().message(number), path};
}

// Requests of one thread, until the range or the time is used up. Returns what it has read; sets `failure` to
// errno.
struct Reader {
  int fd;
  std::uint64_t end;
  double deadline;
  std::atomic<std::uint64_t>& next;
  std::atomic<int>& failure;

  std::uint64_t read_all(std::span<std::byte> buffer) const {
    std::uint64_t total = 0;
    // One request in any case: a thread may start after the deadline of a short measurement.
    for (bool first = true; failure.load() == 0 && (first || steady_seconds() < deadline); first = false) {
      const std::uint64_t offset = next.fetch_add(kRequestBytes);
      if (offset >= end) break;
      const std::uint64_t wanted =
          std::min(kRequestBytes, (end - offset + kAlignment - 1) / kAlignment * kAlignment);
      const ssize_t got = pread(fd, buffer.data(), wanted, static_cast<off_t>(offset));
      if (got < 0) failure = errno;
      if (got <= 0) break;
      total += static_cast<std::uint64_t>(got);
    }
    return total;
  }
};

}  // namespace

namespace {

Result<DiskSpeed> measure_open(const UncachedFile& file, const std::string& path,
                               const DiskReading& reading) {
  struct stat status = {};
  if (fstat(file.fd, &status) != 0) return std::unexpected(io_error(path, errno));
  if (!S_ISREG(status.st_mode) || status.st_size == 0) {
    return fail(ErrorCode::kUsage, "the disk can be measured on a file that holds data", path);
  }
  CISTERN_TRY(Buffer buffers, Buffer::allocate(kRequestsInFlight * kRequestBytes));

  std::atomic<std::uint64_t> next{0};
  std::atomic<std::uint64_t> total{0};
  std::atomic<int> failure{0};
  const double start = steady_seconds();
  const Reader reader{.fd = file.fd,
                      .end = std::min(static_cast<std::uint64_t>(status.st_size), reading.max_bytes),
                      .deadline = start + reading.max_seconds,
                      .next = next,
                      .failure = failure};
  std::vector<std::thread> threads;
  try {
    for (std::uint64_t i = 0; i < kRequestsInFlight; ++i) {
      threads.emplace_back(
          [&, i] { total += reader.read_all(buffers.bytes().subspan(i * kRequestBytes, kRequestBytes)); });
    }
  } catch (const std::system_error&) {
    // A limit on threads: fewer requests in flight.
  }
  if (threads.empty()) total = reader.read_all(buffers.bytes().first(kRequestBytes));
  for (std::thread& thread : threads) thread.join();
  const double seconds = steady_seconds() - start;
  if (failure != 0) return std::unexpected(io_error(path, failure));
  return DiskSpeed{.bytes_per_s = static_cast<double>(total) / seconds, .direct = file.direct};
}

}  // namespace

Result<DiskSpeed> measure_disk(const std::string& path, const DiskReading& reading) {
  const UncachedFile file = open_uncached(path);
  if (file.fd < 0) return std::unexpected(io_error(path, errno));
  const Descriptor descriptor(file.fd);
  return measure_open(file, path, reading);
}

Result<DiskSpeed> measure_disk_of_folder(const std::string& folder, std::uint64_t bytes,
                                         const DiskReading& reading) {
  std::string path = folder + "/cistern-disk-XXXXXX";
  const Descriptor file(mkstemp(path.data()));
  if (file.get() < 0) return std::unexpected(io_error(folder, errno));
  const UncachedFile reader = open_uncached(path);
  const int failure = errno;
  unlink(path.c_str());  // whatever happens from here on, nothing is left behind
  if (reader.fd < 0) return std::unexpected(io_error(path, failure));
  const Descriptor descriptor(reader.fd);

  // Random bytes, as weights are: a disk that compresses must not look fast.
  std::vector<std::uint64_t> piece(kRequestBytes / sizeof(std::uint64_t));
  Rng rng(1);
  for (std::uint64_t& word : piece) word = rng.next();
  for (std::uint64_t done = 0; done < bytes;) {
    piece[0] = done;  // no two pieces are alike
    const ssize_t written = write(file.get(), piece.data(), std::min(kRequestBytes, bytes - done));
    if (written <= 0) return std::unexpected(io_error(path, errno));
    done += static_cast<std::uint64_t>(written);
  }
  if (fsync(file.get()) != 0) return std::unexpected(io_error(path, errno));
  return measure_open(reader, path, reading);
}

}  // namespace cistern::sys
