// Experts in memory, as many as there is room for. A slice that is asked for and not there takes the place of
// the least wanted one of its size: uses are counted, older ones for less and less, over all layers alike, so
// that a layer whose tokens agree on few experts gets room for those and leaves the rest to others. Part of
// the streaming store. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "file/inventory.h"
#include "file/placement.h"
#include "store/reads.h"
#include "store/weight_store.h"

namespace cistern::store {

class SliceCache final : public ReadClient {
 public:
  // The reads and the memory (placement.cache_bytes) must outlive the cache; paths are those of the files,
  // for messages.
  SliceCache(const file::Inventory& inventory, const file::Placement& placement, Reads& reads,
             std::span<std::byte> memory, std::span<const std::string> paths);

  bool has(TensorIndex tensor) const { return stack_of_[tensor] >= 0; }

  // Holds the request's slices, asking the disk for those that are not there, until release().
  void begin(SliceRequest& request);
  Result<void> wait(SliceRequest& request);
  void release(SliceRequest& request) noexcept;

  // What was asked for so far is not needed again before the other layers have had their turn. Until then it
  // stays as far as there is room: the next block of the same step's tokens will want it.
  void layer_done();

  // See WeightStore::slices_at_once().
  std::size_t at_once(std::span<const TensorIndex> tensors) const;

  // Reads slices that will probably be asked for next, as far as the disk has nothing better to do: as much
  // as it could have read while it was idle of late. They go last until the next hint.
  void hint(std::span<const TensorIndex> tensors, std::span<const std::uint32_t> slices);

  // Whether there is room for every slice.
  bool holds_all() const { return slots_.size() >= entries_.size(); }

  // Reads slices in the background, the first ones first, as far as there is room that nobody has wanted yet.
  struct SliceId {
    TensorIndex tensor = 0;
    std::uint32_t slice = 0;
    bool operator==(const SliceId&) const = default;
  };
  void warm(std::span<const SliceId> slices);

  // The slices that were asked for, the most wanted first, at most as many as there is room for.
  std::vector<SliceId> most_wanted() const;

  std::uint64_t hits() const { return hits_; }      // slices that were there when asked for, or on their way
  std::uint64_t misses() const { return misses_; }  // those that were not

  void read_done(std::uint64_t tag, std::optional<Error> error) override;

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
  struct Stack {
    TensorIndex tensor = 0;
    std::uint32_t slot_class = 0;
    std::uint64_t slice_bytes = 0;
    std::uint64_t first_entry = 0;  // of its slices, in entries_
    std::uint32_t n_slices = 0;
  };
  struct Entry {  // a slice
    std::uint32_t slot = kNone;
    std::uint32_t stack = 0;
    double score = 0;
  };
  enum class State : std::uint8_t { kFree, kReading, kThere, kFailed };
  struct Slot {
    std::uint64_t place = 0;  // in memory
    std::uint64_t entry = 0;
    std::uint32_t pins = 0;
    State state = State::kFree;
    bool hinted = false;
    bool in_layer = false;  // asked for since layer_done()
    bool warming = false;
  };
  struct Class {
    std::uint32_t first_slot = 0, n_slots = 0;
    std::vector<std::uint32_t> free;  // slots
    std::uint32_t take_free();        // REQUIRES: there is one
  };

  // REQUIRES: has(tensor).
  const Stack& stack_of(TensorIndex tensor) const {
    return stacks_[static_cast<std::size_t>(stack_of_[tensor])];
  }
  void count_use(Entry& entry);
  file::Extent extent_of(std::uint64_t entry) const;
  static bool is_victim(const Slot& slot);
  std::uint32_t find_victim(const Class& slots) const;
  void gather_victims(const Class& slots, std::size_t count);
  void measure_spare_bytes();
  void go_on_warming();
  Result<std::uint32_t> take_slot(std::uint32_t slot_class);
  void read(std::uint64_t entry, std::uint32_t slot, sys::ReadPriority priority);
  void forget(std::uint32_t slot) noexcept;

  const file::Inventory& inventory_;
  Reads& reads_;
  std::span<std::byte> memory_;
  std::span<const std::string> paths_;
  std::vector<std::int32_t> stack_of_;  // by tensor; -1: none
  std::vector<Stack> stacks_;
  std::vector<Entry> entries_;
  std::vector<Slot> slots_;
  std::vector<Class> classes_;
  std::optional<Error> last_error_;     // of a slot that failed
  std::vector<std::uint32_t> victims_;  // found for the request at hand, the next to go last
  std::vector<std::uint32_t> hinted_;   // slots of the last hint
  std::vector<std::uint32_t> in_layer_;
  std::vector<SliceId> warm_;  // to be read in the background, from warm_next_ on
  std::size_t warm_next_ = 0, n_warming_ = 0;
  // Of the last hint, and what the disk could have read between hints while it was idle: a running mean.
  double hint_time_s_ = 0, hint_waited_s_ = 0, spare_bytes_ = 0;
  std::uint64_t hint_bytes_ = 0;
  double use_ = 1;     // what a use counts now
  double growth_ = 1;  // of use_, with each request
  std::uint64_t hits_ = 0, misses_ = 0;
};

}  // namespace cistern::store
