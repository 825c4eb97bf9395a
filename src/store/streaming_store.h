// The store of a model that is larger than the memory it gets: some tensors are read once and kept, others
// pass through a window layer by layer, experts are cached, and rows of embedding tables are read one by one,
// all as a Placement says. Reads past the page cache, so that other programs keep theirs. What it allocates
// is what plan/ counted. One thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "file/inventory.h"
#include "file/placement.h"
#include "store/slice_cache.h"
#include "store/weight_store.h"
#include "sys/file_reader.h"

namespace cistern::store {

struct StreamingStats {
  std::uint64_t bytes_read = 0;  // since the store was made, without what stays in memory
  double waited_s = 0;           // for the disk, while there was nothing to compute with
  std::uint64_t hits = 0;        // slices of experts that were in memory when asked for
  std::uint64_t misses = 0;
};

struct StreamingOptions {
  double stall_s = 30;  // without any answer of the disk: then whoever waits gets an error
  std::function<void(std::uint64_t done_bytes, std::uint64_t all_bytes)> progress;  // of open(); may be empty
};

class StreamingStore : public WeightStore {
 public:
  // Reads what stays in memory. `reader` reads the inventory's files, in their order. The inventory must
  // outlive the store. kMemory, kIo.
  static Result<std::unique_ptr<StreamingStore>> open(const file::Inventory& inventory,
                                                      file::Placement placement,
                                                      std::vector<std::string> paths,
                                                      std::unique_ptr<sys::FileReader> reader,
                                                      const StreamingOptions& options);

  virtual StreamingStats stats() const = 0;

  // How it reads: "io_uring, past the page cache".
  virtual std::string describe_reader() const = 0;

  // For the cache of experts: see SliceCache.
  virtual void warm(std::span<const SliceCache::SliceId> slices) = 0;
  virtual std::vector<SliceCache::SliceId> most_wanted() const = 0;
};

}  // namespace cistern::store
