// Rows of tables of which a token needs one: embeddings that nothing else reads stay on disk but for those.
// One lease at a time. Part of the streaming store. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "file/inventory.h"
#include "file/placement.h"
#include "store/reads.h"
#include "store/weight_store.h"

namespace cistern::store {

class RowReads final : public ReadClient {
 public:
  // The reads and the memory (file::lookup_bytes()) must outlive it; paths are those of the files, for
  // messages.
  RowReads(const file::Inventory& inventory, const file::Placement& placement, Reads& reads,
           std::span<std::byte> memory, std::span<const std::string> paths);

  bool has(TensorIndex tensor) const;

  // Reads the request's rows, at most placement.lookup_tokens, to stay until the next begin().
  void begin(SliceRequest& request);
  Result<void> wait(const SliceRequest& request);

  void read_done(std::uint64_t tag, std::optional<Error> error) override;

 private:
  std::string where(const SliceRequest& request) const;

  const file::Inventory& inventory_;
  std::span<const std::size_t> tables_;
  std::uint32_t most_rows_;
  Reads& reads_;
  std::span<std::byte> memory_;
  std::span<const std::string> paths_;
  std::size_t unfinished_ = 0;
  std::optional<Error> error_;
};

}  // namespace cistern::store
