// Included inside a target region: independent chains of one multiply-add step, all held in registers, enough
// of them to hide the step's latency.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

namespace cistern::kernels {
namespace {

template <class Vector>
std::uint32_t sum_of_words(const Vector& vector) noexcept {
  std::uint32_t words[sizeof vector / sizeof(std::uint32_t)];
  std::memcpy(words, &vector, sizeof words);
  std::uint32_t sum = 0;
  for (const std::uint32_t word : words) sum += word;
  return sum;
}

// Different in each chain: equal chains would be computed once.
template <class Vector>
Vector first_sum(std::size_t chain) noexcept {
  const float number = 1.0F + static_cast<float>(chain);
  Vector vector = {};
  std::memcpy(&vector, &number, sizeof number);
  return vector;
}

template <class Vector, class Step, std::size_t... kChain>
std::uint32_t run_chains(std::uint64_t rounds, const Step& step, std::index_sequence<kChain...>) noexcept {
  Vector sums[] = {first_sum<Vector>(kChain)...};
  for (std::uint64_t round = 0; round < rounds; ++round) {
    ((sums[kChain] = step(sums[kChain])), ...);
  }
  // Constant indices only, here too: an array that is indexed by a variable lives in memory.
  std::uint32_t checksum = 0;
  ((checksum = checksum * 31 + sum_of_words(sums[kChain])), ...);
  return checksum;
}

// sum = step(sum), `rounds` times in each of kChains chains.
template <class Vector, std::size_t kChains, class Step>
std::uint32_t run_chains(std::uint64_t rounds, const Step& step) noexcept {
  return run_chains<Vector>(rounds, step, std::make_index_sequence<kChains>());
}

// Multiplied with itself and added up it stays a normal number: subnormals and infinities are slow on some
// processors. Not a constant for the compiler.
inline float peak_factor() noexcept {
  volatile float factor = 0.001F;
  return factor;
}

}  // namespace
}  // namespace cistern::kernels
