// A small random number generator whose sequence is the same on every machine: xoshiro256** (Blackman and
// Vigna, "Scrambled linear pseudorandom number generators", 2021), its state filled by splitmix64 from one
// seed. Used by sample/ and tests; not for secrets. A plain value: copies continue independently; not
// thread-safe.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace cistern {

// One step of splitmix64: advances `state` and gives the next value. Any seed, 0 too, gives a good sequence.
constexpr std::uint64_t splitmix64(std::uint64_t& state) noexcept {
  state += 0x9E3779B97F4A7C15U;
  std::uint64_t z = state;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

class Rng {
 public:
  explicit constexpr Rng(std::uint64_t seed) noexcept {
    for (std::uint64_t& word : state_) word = splitmix64(seed);
  }
  // The raw state, for comparing with published sequences. REQUIRES: not all zero.
  explicit constexpr Rng(const std::array<std::uint64_t, 4>& state) noexcept : state_(state) {}

  constexpr std::uint64_t next() noexcept {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // Uniform in [0, 1), a multiple of 2^-53.
  constexpr double uniform() noexcept { return static_cast<double>(next() >> 11U) * 0x1p-53; }

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace cistern
