// FNV-1a with 64 bits (Fowler, Noll and Vo; RFC 9923): a name as a number that stays the same everywhere and
// for good, for names of files and for seeds. No defence against crafted names. A pure function.
#pragma once

#include <cstdint>
#include <string_view>

namespace cistern {

constexpr std::uint64_t fnv1a(std::string_view text) noexcept {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  return hash;
}

}  // namespace cistern
