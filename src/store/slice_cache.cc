#include "store/slice_cache.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "base/check.h"
#include "sys/clock.h"

namespace cistern::store {
namespace {

// After so many tokens a use counts half.
constexpr double kHalfLifeTokens = 512;
// Uses are numbers that grow; before they overflow all are made smaller.
constexpr double kLargeUse = 1e200;
// Of slices that are computed with while the next are read: few, so that there is something to compute with
// soon, and enough for all threads.
constexpr std::uint64_t kLotBytes = 8ULL << 20U;
// What is read before anybody asks leaves a quarter of the room to those who do.
constexpr std::size_t kWarmQuarters = 3;
constexpr std::size_t kWarmedAtOnce = 8;

}  // namespace

SliceCache::SliceCache(const file::Inventory& inventory, const file::Placement& placement, Reads& reads,
                       std::span<std::byte> memory, std::span<const std::string> paths)
    : inventory_(inventory),
      reads_(reads),
      memory_(memory),
      paths_(paths),
      stack_of_(inventory.tensors().size(), -1) {
  const std::vector<file::SlotClass> classes = file::slot_classes(inventory, placement);
  stacks_.resize(placement.cached.size());
  std::uint64_t place = 0;
  for (const file::SlotClass& c : classes) {
    Class slots{.first_slot = static_cast<std::uint32_t>(slots_.size()),
                .n_slots = static_cast<std::uint32_t>(c.n_slots)};
    for (std::uint32_t i = slots.n_slots; i-- > 0;) slots.free.push_back(slots.first_slot + i);
    for (std::uint32_t i = 0; i < slots.n_slots; ++i, place += c.slot_bytes)
      slots_.push_back({.place = place});
    for (const std::size_t i : c.stacks) {
      stacks_[i].slot_class = static_cast<std::uint32_t>(classes_.size());
      stacks_[i].slice_bytes = c.slice_bytes;
    }
    classes_.push_back(std::move(slots));
  }
  CISTERN_CHECK(place <= memory.size());
  for (std::size_t i = 0; i < placement.cached.size(); ++i) {
    const file::CachedStack& cached = placement.cached[i];
    stacks_[i].tensor = cached.tensor;
    stacks_[i].first_entry = entries_.size();
    stacks_[i].n_slices = static_cast<std::uint32_t>(file::slices_of(inventory, cached));
    stack_of_[cached.tensor] = static_cast<std::int32_t>(i);
    entries_.resize(entries_.size() + stacks_[i].n_slices, {.stack = static_cast<std::uint32_t>(i)});
  }
  if (!stacks_.empty()) growth_ = std::exp2(1 / (kHalfLifeTokens * static_cast<double>(stacks_.size())));
}

std::uint32_t SliceCache::Class::take_free() {
  const std::uint32_t slot = free.back();
  free.pop_back();
  return slot;
}

void SliceCache::count_use(Entry& entry) {
  entry.score += use_;
  if (use_ < kLargeUse) return;
  for (Entry& other : entries_) other.score /= kLargeUse;
  use_ /= kLargeUse;
}

void SliceCache::begin(SliceRequest& request) {
  const Stack& stack = stack_of(request.tensor);
  CISTERN_CHECK(request.view.slice.row_bytes * request.view.slice.shape.rows() == stack.slice_bytes);
  use_ *= growth_;
  request.slots.assign(request.slices.size(), kNone);
  // What is there is held first, so that nothing asked for takes its place.
  for (std::size_t i = 0; i < request.slices.size(); ++i) {
    Entry& entry = entries_[stack.first_entry + request.slices[i]];
    count_use(entry);
    if (entry.slot != kNone && slots_[entry.slot].state == State::kFailed && slots_[entry.slot].pins == 0)
      forget(entry.slot);
    if (entry.slot == kNone) continue;
    ++hits_;
    ++slots_[entry.slot].pins;
    request.slots[i] = entry.slot;
  }
  const auto absent = static_cast<std::size_t>(std::ranges::count(request.slots, kNone));
  victims_.clear();
  if (absent > classes_[stack.slot_class].free.size()) gather_victims(classes_[stack.slot_class], absent);
  for (std::size_t i = 0; i < request.slices.size(); ++i) {
    const std::uint64_t entry = stack.first_entry + request.slices[i];
    if (request.slots[i] == kNone && entries_[entry].slot != kNone) {  // the request names it twice
      ++hits_;
      request.slots[i] = entries_[entry].slot;
      ++slots_[request.slots[i]].pins;
    } else if (request.slots[i] == kNone) {
      ++misses_;
      const auto slot = take_slot(stack.slot_class);
      if (!slot) {
        request.error = slot.error();
        return;
      }
      read(entry, *slot, sys::ReadPriority::kDemand);
      slots_[*slot].pins = 1;
      request.slots[i] = *slot;
    }
    Slot& slot = slots_[request.slots[i]];
    if (!slot.in_layer) in_layer_.push_back(request.slots[i]);
    slot.in_layer = true;
    const file::Extent extent = extent_of(entry);
    const file::TensorInfo& info = inventory_.tensors()[stack.tensor];
    request.data[i] =
        memory_.data() + slot.place + (info.offset + request.slices[i] * stack.slice_bytes - extent.offset);
  }
}

file::Extent SliceCache::extent_of(std::uint64_t entry) const {
  const Stack& stack = stacks_[entries_[entry].stack];
  const file::TensorInfo& info = inventory_.tensors()[stack.tensor];
  return file::extent_of(info.file_index, info.offset + (entry - stack.first_entry) * stack.slice_bytes,
                         stack.slice_bytes);
}

bool SliceCache::is_victim(const Slot& slot) {
  return slot.pins == 0 && (slot.state == State::kThere || slot.state == State::kFailed);
}

std::uint32_t SliceCache::find_victim(const Class& slots) const {
  std::uint32_t victim = kNone;
  for (std::uint32_t i = slots.first_slot; i < slots.first_slot + slots.n_slots; ++i) {
    if (!is_victim(slots_[i])) continue;
    const auto rank = [this](std::uint32_t slot) {
      return std::tuple(slots_[slot].hinted, slots_[slot].in_layer, entries_[slots_[slot].entry].score);
    };
    if (victim == kNone || rank(i) < rank(victim)) victim = i;
  }
  return victim;
}

// Looking through a thousand slots takes a microsecond, so it is done once for a request.
void SliceCache::gather_victims(const Class& slots, std::size_t count) {
  const auto score = [this](std::uint32_t slot) { return entries_[slots_[slot].entry].score; };
  for (std::uint32_t i = slots.first_slot; i < slots.first_slot + slots.n_slots; ++i) {
    if (is_victim(slots_[i]) && !slots_[i].in_layer && !slots_[i].hinted) victims_.push_back(i);
  }
  if (victims_.size() > count) {
    std::ranges::nth_element(victims_, victims_.begin() + static_cast<std::ptrdiff_t>(count), {}, score);
    victims_.resize(count);
  }
}

Result<std::uint32_t> SliceCache::take_slot(std::uint32_t slot_class) {
  Class& slots = classes_[slot_class];
  if (slots.free.empty()) {
    std::uint32_t victim = kNone;
    if (!victims_.empty()) {
      victim = victims_.back();
      victims_.pop_back();
    } else if ((victim = find_victim(slots)) == kNone) {
      // All that is not held is being read ahead.
      CISTERN_TRY_VOID(reads_.wait([&] { return (victim = find_victim(slots)) != kNone; },
                                   [&] { return where(paths_, extent_of(slots_[slots.first_slot].entry)); }));
    }
    forget(victim);
  }
  return slots.take_free();
}

void SliceCache::read(std::uint64_t entry, std::uint32_t slot, sys::ReadPriority priority) {
  entries_[entry].slot = slot;
  slots_[slot].entry = entry;
  slots_[slot].state = State::kReading;
  reads_.submit(*this, slot, extent_of(entry), memory_.data() + slots_[slot].place, priority);
}

void SliceCache::read_done(std::uint64_t tag, std::optional<Error> error) {
  Slot& slot = slots_[tag];
  slot.state = error ? State::kFailed : State::kThere;
  if (error) last_error_ = std::move(error);
  if (!slot.warming) return;
  slot.warming = false;
  --n_warming_;
  go_on_warming();
}

void SliceCache::forget(std::uint32_t slot) noexcept {
  Entry& entry = entries_[slots_[slot].entry];
  entry.slot = kNone;
  slots_[slot].state = State::kFree;
  classes_[stacks_[entry.stack].slot_class].free.push_back(slot);
}

Result<void> SliceCache::wait(SliceRequest& request) {
  if (request.error) return std::unexpected(*request.error);
  for (const std::uint32_t slot : request.slots) {
    CISTERN_TRY_VOID(reads_.wait([&] { return slots_[slot].state != State::kReading; },
                                 [&] { return where(paths_, extent_of(slots_[slot].entry)); }));
    if (slots_[slot].state == State::kFailed) return std::unexpected(*last_error_);
  }
  return {};
}

void SliceCache::layer_done() {
  for (const std::uint32_t slot : in_layer_) slots_[slot].in_layer = false;
  in_layer_.clear();
}

void SliceCache::release(SliceRequest& request) noexcept {
  for (const std::uint32_t slot : request.slots) {
    if (slot != kNone) --slots_[slot].pins;
  }
}

std::size_t SliceCache::at_once(std::span<const TensorIndex> tensors) const {
  std::uint64_t bytes = 0;
  for (const TensorIndex tensor : tensors) {
    CISTERN_CHECK(has(tensor));
    bytes += stack_of(tensor).slice_bytes;
  }
  std::size_t at_once = std::max<std::size_t>(1, kLotBytes / std::max<std::uint64_t>(1, bytes));
  for (const TensorIndex tensor : tensors) {
    const std::uint32_t slot_class = stack_of(tensor).slot_class;
    const auto of_class = static_cast<std::size_t>(
        std::ranges::count(tensors, slot_class, [this](TensorIndex i) { return stack_of(i).slot_class; }));
    at_once = std::min<std::size_t>(at_once, classes_[slot_class].n_slots / (kLotsHeld * of_class));
  }
  CISTERN_CHECK(at_once > 0);
  return at_once;
}

void SliceCache::warm(std::span<const SliceId> slices) {
  warm_.assign(slices.begin(), slices.end());
  warm_next_ = 0;
  go_on_warming();
}

// A few at a time, because whoever asks for one of them meanwhile waits for all before it.
void SliceCache::go_on_warming() {
  while (warm_next_ < warm_.size() && n_warming_ < kWarmedAtOnce) {
    const SliceId& id = warm_[warm_next_++];
    if (id.tensor >= stack_of_.size() || !has(id.tensor)) continue;
    const Stack& stack = stack_of(id.tensor);
    Class& slots = classes_[stack.slot_class];
    if (id.slice >= stack.n_slices || slots.free.size() * 4 <= slots.n_slots * (4 - kWarmQuarters)) continue;
    const std::uint64_t entry = stack.first_entry + id.slice;
    if (entries_[entry].slot != kNone) continue;
    const std::uint32_t slot = slots.take_free();
    count_use(entries_[entry]);
    slots_[slot].warming = true;
    ++n_warming_;
    read(entry, slot, sys::ReadPriority::kBackground);
  }
}

// While something was computed since the last hint, the disk could have read as much as it did at the time.
void SliceCache::measure_spare_bytes() {
  constexpr double kNewest = 0.1;  // weight of it in the mean
  const double now = sys::steady_seconds();
  const double seconds = now - hint_time_s_;
  const double computing = seconds - (reads_.waited_s() - hint_waited_s_);
  const auto bytes = static_cast<double>(reads_.bytes_read() - hint_bytes_);
  if (hint_time_s_ > 0 && seconds > 0)
    spare_bytes_ += kNewest * (std::max(0.0, computing) / seconds * bytes - spare_bytes_);
  hint_time_s_ = now;
  hint_waited_s_ = reads_.waited_s();
  hint_bytes_ = reads_.bytes_read();
}

void SliceCache::hint(std::span<const TensorIndex> tensors, std::span<const std::uint32_t> slices) {
  measure_spare_bytes();
  for (const std::uint32_t slot : hinted_) slots_[slot].hinted = false;
  hinted_.clear();
  auto left = static_cast<std::int64_t>(spare_bytes_);
  for (const std::uint32_t slice : slices) {
    for (const TensorIndex tensor : tensors) {
      const Stack& stack = stack_of(tensor);
      const std::uint64_t entry = stack.first_entry + slice;
      std::uint32_t slot = entries_[entry].slot;
      if (slot == kNone) {
        left -= static_cast<std::int64_t>(stack.slice_bytes);
        if (left < 0) return;
        Class& slots = classes_[stack.slot_class];
        if (slots.free.empty()) {
          const std::uint32_t victim = find_victim(slots);
          if (victim == kNone || slots_[victim].hinted || slots_[victim].in_layer) return;
          forget(victim);
        }
        slot = slots.take_free();
        read(entry, slot, sys::ReadPriority::kBackground);
      }
      slots_[slot].hinted = true;
      hinted_.push_back(slot);
    }
  }
}

std::vector<SliceCache::SliceId> SliceCache::most_wanted() const {
  std::vector<std::uint64_t> order;
  for (std::uint64_t entry = 0; entry < entries_.size(); ++entry) {
    if (entries_[entry].score > 0) order.push_back(entry);
  }
  std::ranges::stable_sort(order, std::ranges::greater(), [&](std::uint64_t e) { return entries_[e].score; });
  order.resize(std::min(order.size(), slots_.size()));
  std::vector<SliceId> slices;
  for (const std::uint64_t entry : order) {
    const Stack& stack = stacks_[entries_[entry].stack];
    slices.push_back(
        {.tensor = stack.tensor, .slice = static_cast<std::uint32_t>(entry - stack.first_entry)});
  }
  return slices;
}

}  // namespace cistern::store
