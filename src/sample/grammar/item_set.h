// Where one way of reading a text is in an Automaton, and a set of such places in the order of their coming.
// Parts of the Walker.
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "sample/grammar/automaton.h"

namespace cistern::sample::grammar {

using NodeId = std::uint32_t;
inline constexpr NodeId kBottom = 0;  // around the root: nothing

struct Item {
  StateId state = 0;
  std::uint32_t count = 0;  // of the state's counter
  NodeId node = kBottom;    // the calls around
  auto operator<=>(const Item&) const = default;
};

class ItemSet {
 public:
  static constexpr std::size_t kMost = 1U << 12U;

  ItemSet() : slots_(4 * kMost) { items_.reserve(kMost); }

  void clear() {
    items_.clear();
    ++round_;
  }
  // False when the set is full; an item that is there already changes nothing.
  bool add(const Item& item) {
    const std::uint64_t hash = (item.state * 0x9E3779B97F4A7C15U) ^ (item.count * 0xBF58476D1CE4E5B9U) ^
                               (item.node * 0x94D049BB133111EBU);
    for (std::size_t at = hash >> 40U;; ++at) {
      Slot& slot = slots_[at % slots_.size()];
      if (slot.round != round_) {
        if (items_.size() == kMost) return false;
        slot = {.round = round_, .index = static_cast<std::uint32_t>(items_.size())};
        items_.push_back(item);
        return true;
      }
      if (items_[slot.index] == item) return true;
    }
  }
  std::size_t size() const { return items_.size(); }
  const Item& operator[](std::size_t i) const { return items_[i]; }

 private:
  struct Slot {
    std::uint64_t round = 0;
    std::uint32_t index = 0;
  };
  std::vector<Item> items_;
  std::vector<Slot> slots_;
  std::uint64_t round_ = 1;
};

}  // namespace cistern::sample::grammar
