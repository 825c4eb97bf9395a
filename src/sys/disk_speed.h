// How fast the disk under a file can be read, past the page cache where the system allows it. Used by
// `cistern machine` and `cistern bench`. Takes as long as it is told to; not for use beside other work on the
// disk. Thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"

namespace cistern::sys {

struct DiskSpeed {
  double bytes_per_s = 0;
  double latency_s = 0;  // of one small read by itself, the median
  bool direct = false;   // past the page cache; otherwise what is cached already was read from memory
};

struct DiskReading {
  std::uint64_t max_bytes = 1ULL << 30U;
  double max_seconds = 1.0;  // the requests under way then are finished; there is always one
};

// Reads the beginning of a file with several requests in flight. kIo: it cannot be read; kUsage: it is empty.
Result<DiskSpeed> measure_disk(const std::string& path, const DiskReading& reading);

// The same on a file of `bytes` that is written into `folder` for the purpose, removed afterwards.
Result<DiskSpeed> measure_disk_of_folder(const std::string& folder, std::uint64_t bytes,
                                         const DiskReading& reading);

}  // namespace cistern::sys
