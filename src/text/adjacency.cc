#include "text/adjacency.h"

#include <algorithm>
#include <bit>
#include <cstdint>

#include "text/hash.h"
#include "text/utf8.h"

namespace cistern::text {
namespace {

// Never 0: at least one of the two is not below kSmall.
std::uint64_t key_of(char32_t left, char32_t right) {
  return (std::uint64_t{left} << 32) | right;
}

std::size_t first_slot(std::uint64_t key, std::uint64_t seed) {
  return fold(key ^ seed, 0xD6E8FEB86659FD93u);
}

}  // namespace

void Adjacency::add(std::string_view token) {
  char32_t left = 0;
  for (bool first = true; !token.empty(); first = false) {
    const CodePoint right = decode_utf8(token);
    token.remove_prefix(right.length);
    if (!first) {
      if (left < kSmall && right.value < kSmall) {
        small_.set(left * kSmall + right.value);
      } else {
        pairs_.push_back(key_of(left, right.value));
      }
    }
    left = right.value;
  }
}

void Adjacency::build() {
  std::sort(pairs_.begin(), pairs_.end());
  pairs_.erase(std::unique(pairs_.begin(), pairs_.end()), pairs_.end());
  std::vector<std::uint64_t> table(std::bit_ceil(pairs_.size() * 2 + 2), 0);
  seed_ = seed_from(table.data());
  for (const std::uint64_t key : pairs_) {
    std::size_t slot = first_slot(key, seed_) & (table.size() - 1);
    while (table[slot] != 0) slot = (slot + 1) & (table.size() - 1);
    table[slot] = key;
  }
  pairs_ = std::move(table);
}

bool Adjacency::has_pair(char32_t left, char32_t right) const {
  const std::uint64_t key = key_of(left, right);
  const std::size_t mask = pairs_.size() - 1;
  for (std::size_t slot = first_slot(key, seed_) & mask;; slot = (slot + 1) & mask) {
    if (pairs_[slot] == key) return true;
    if (pairs_[slot] == 0) return false;
  }
}

}  // namespace cistern::text
