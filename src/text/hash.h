// Hashing for the flat tables of this folder: multiply to 128 bits and fold, eight bytes at a time. Tables
// that are filled from files pass a seed that the author of a file cannot know, so that no crafted vocabulary
// makes look-ups slow; no result depends on it. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace cistern::text {

inline std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

inline std::uint64_t hash_text(std::string_view text, std::uint64_t seed) {
  std::uint64_t hash = seed ^ text.size();
  std::size_t pos = 0;
  for (; pos + 8 <= text.size(); pos += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + pos, 8);
    hash = fold(hash ^ word, 0xD6E8FEB86659FD93u);
  }
  std::uint64_t rest = 0;
  if (pos < text.size()) std::memcpy(&rest, text.data() + pos, text.size() - pos);
  return fold(hash ^ rest, 0xE7037ED1A0B428DBu);
}

// A seed from where a table is: random wherever addresses are.
inline std::uint64_t seed_from(const void* address) {
  return fold(reinterpret_cast<std::uintptr_t>(address), 0x9E3779B97F4A7C15u);
}

}  // namespace cistern::text
