#include "sys/disk_speed.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <limits>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "sys/buffer.h"
#include "sys/clock.h"
#include "sys/file_reader.h"

namespace cistern::sys {
namespace {

constexpr std::uint64_t kRequestBytes = 2U << 20U;
constexpr std::uint64_t kRequestsInFlight = 8;
constexpr int kSmallReads = 9;

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

Result<std::unique_ptr<FileReader>> open_reader(const std::string& path) {
  auto reader = make_file_reader({&path, 1});
  // Whoever measures asks about the disk: there is no model that might be called otherwise.
  if (!reader) reader.error().code = ErrorCode::kIo;
  return reader;
}

// Reads the first `bytes` of the reader's one file, several requests at once, until they or the time are used
// up.
Result<DiskSpeed> measure_reader(std::unique_ptr<FileReader> opened, std::uint64_t bytes,
                                 double max_seconds) {
  CISTERN_TRY(Buffer memory, Buffer::allocate(kRequestsInFlight * kRequestBytes));
  // Its pages are made now, not while the disk is measured.
  for (std::size_t i = 0; i < memory.bytes().size(); i += kReadAlignment) memory.bytes()[i] = std::byte{1};
  const std::unique_ptr<FileReader> reader = std::move(opened);  // gone before the memory that it writes into
  std::uint64_t begun = 0;
  const auto begin_request = [&](std::uint64_t place) {
    const std::uint64_t needed = std::min(kRequestBytes, bytes - begun);
    const std::uint64_t whole = (needed + kReadAlignment - 1) / kReadAlignment * kReadAlignment;
    reader->submit({.offset = begun,
                    .into = memory.bytes().subspan(place * kRequestBytes, whole),
                    .needed_bytes = needed,
                    .tag = place},
                   ReadPriority::kDemand);
    begun += needed;
  };
  std::vector<double> latencies;
  Rng rng(1);
  for (int i = 0; i < kSmallReads; ++i) {
    const std::uint64_t pages = (bytes + kReadAlignment - 1) / kReadAlignment;
    const double asked = steady_seconds();
    reader->submit({.offset = rng.next() % pages * kReadAlignment,
                    .into = memory.bytes().first(kReadAlignment),
                    .needed_bytes = 1},
                   ReadPriority::kDemand);
    while (reader->unfinished() > 0) {
      auto completion = reader->next(std::numeric_limits<double>::infinity());
      if (completion && completion->error) return std::unexpected(*std::move(completion->error));
    }
    latencies.push_back(steady_seconds() - asked);
  }
  std::ranges::nth_element(latencies, latencies.begin() + kSmallReads / 2);
  const double start = steady_seconds();
  for (std::uint64_t place = 0; place < kRequestsInFlight && begun < bytes; ++place) begin_request(place);
  while (reader->unfinished() > 0) {
    auto completion = reader->next(std::numeric_limits<double>::infinity());
    if (!completion) continue;
    if (completion->error) return std::unexpected(*std::move(completion->error));
    if (begun < bytes && steady_seconds() < start + max_seconds) begin_request(completion->tag);
  }
  return DiskSpeed{.bytes_per_s = static_cast<double>(begun) / (steady_seconds() - start),
                   .latency_s = latencies[kSmallReads / 2],
                   .direct = reader->direct()};
}

}  // namespace

Result<DiskSpeed> measure_disk(const std::string& path, const DiskReading& reading) {
  CISTERN_TRY(auto reader, open_reader(path));
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) return std::unexpected(io_error(path, errno));
  if (status.st_size == 0) {
    return fail(ErrorCode::kUsage, "the disk can be measured on a file that holds data", path);
  }
  const auto bytes = std::min(static_cast<std::uint64_t>(status.st_size), reading.max_bytes);
  return measure_reader(std::move(reader), bytes, reading.max_seconds);
}

Result<DiskSpeed> measure_disk_of_folder(const std::string& folder, std::uint64_t bytes,
                                         const DiskReading& reading) {
  std::string path = folder + "/cistern-disk-XXXXXX";
  const Descriptor file(mkstemp(path.data()));
  if (file.get() < 0) return std::unexpected(io_error(folder, errno));
  auto reader = open_reader(path);
  unlink(path.c_str());  // whatever happens from here on, nothing is left behind
  if (!reader) return std::unexpected(std::move(reader).error());

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
  return measure_reader(*std::move(reader), std::min(bytes, reading.max_bytes), reading.max_seconds);
}

}  // namespace cistern::sys
