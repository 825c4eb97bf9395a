#include "file/placement.h"

#include <algorithm>

namespace cistern::file {

std::uint64_t all_slots_bytes(std::span<const SlotClass> classes) {
  std::uint64_t sum = 0;
  for (const SlotClass& c : classes) sum += c.n_slices * c.slot_bytes;
  return sum;
}

std::uint64_t slices_of(const Inventory& inventory, const CachedStack& stack) {
  return inventory.tensors()[stack.tensor].shape.rows() / stack.slice_rows;
}

std::vector<SlotClass> slot_classes(const Inventory& inventory, const Placement& placement) {
  std::vector<SlotClass> classes;
  for (std::size_t i = 0; i < placement.cached.size(); ++i) {
    const CachedStack& stack = placement.cached[i];
    const std::uint64_t bytes = inventory.tensors()[stack.tensor].row_bytes() * stack.slice_rows;
    auto found = std::ranges::find(classes, bytes, &SlotClass::slice_bytes);
    if (found == classes.end()) {
      classes.push_back({.slice_bytes = bytes, .slot_bytes = largest_extent(bytes)});
      found = classes.end() - 1;
    }
    found->n_slices += slices_of(inventory, stack);
    found->stacks.push_back(i);
  }
  const std::uint64_t all = all_slots_bytes(classes);
  if (all == 0) return classes;
  const double part = std::min(1.0, static_cast<double>(placement.cache_bytes) / static_cast<double>(all));
  for (SlotClass& c : classes) c.n_slots = static_cast<std::uint64_t>(static_cast<double>(c.n_slices) * part);
  return classes;
}

std::uint64_t lookup_bytes(const Inventory& inventory, const Placement& placement) {
  std::uint64_t row = 0;
  for (const std::size_t tensor : placement.looked_up)
    row = std::max(row, largest_extent(inventory.tensors()[tensor].row_bytes()));
  return row * placement.lookup_tokens;
}

}  // namespace cistern::file
