// Llama models of any size with seeded random Q8_0 weights and a small usable vocabulary, as GGUF bytes: for
// tests of memory, budgets and faults that need more than the golden models weigh.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cistern::testing {

struct RandomModel {
  std::uint32_t layers = 2;
  std::uint32_t dim = 64;      // a multiple of 64
  std::uint32_t hidden = 128;  // a multiple of 32
  std::uint32_t heads = 2;
  std::uint32_t kv_heads = 1;
  std::uint32_t context = 512;
};

std::vector<std::byte> make_random_model(const RandomModel& shape);

}  // namespace cistern::testing
