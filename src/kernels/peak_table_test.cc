#include "kernels/peak_table.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>

namespace cistern::kernels {
namespace {

TEST(PeakTable, EveryLevelOfTheHostHasLoops) {
  for (const sys::Isa isa : {sys::Isa::kScalar, sys::Isa::kAvx2, sys::Isa::kAvx512, sys::Isa::kNeon}) {
    if (!sys::host_has(isa)) continue;
    bool multiplies = false;
    for (const PeakLoop& loop : peak_loops()) multiplies |= loop.isa == isa;
    EXPECT_TRUE(multiplies) << sys::name_of(isa);
  }
}

TEST(PeakTable, LoopsRun) {
  for (const PeakLoop& loop : peak_loops()) {
    EXPECT_GT(loop.macs_per_round, 0U) << loop.instructions;
    if (!sys::host_has(loop.isa)) continue;
    EXPECT_EQ(loop.run(1000), loop.run(1000)) << loop.instructions;
    EXPECT_NE(loop.run(1000), loop.run(0)) << loop.instructions;
  }
}

// Each word of the range is read exactly once: their exclusive or is known.
TEST(PeakTable, ReadsReadAll) {
  constexpr std::size_t kWords = 16 * kReadStepBytes * 6 / sizeof(std::uint64_t);
  const std::unique_ptr<std::uint64_t, decltype(&std::free)> data(
      static_cast<std::uint64_t*>(std::aligned_alloc(64, kWords * sizeof(std::uint64_t))), &std::free);
  ASSERT_NE(data, nullptr);
  std::uint64_t expected = 0;
  for (std::size_t i = 0; i < kWords; ++i) {
    data.get()[i] = i * 0x9e3779b97f4a7c15U;
    expected ^= data.get()[i];
  }
  for (const ReadLoop& loop : read_loops()) {
    if (!sys::host_has(loop.isa)) continue;
    const auto* bytes = reinterpret_cast<const std::byte*>(data.get());
    EXPECT_EQ(loop.run(bytes, kWords * sizeof(std::uint64_t), 1024), expected) << loop.streams;
  }
}

}  // namespace
}  // namespace cistern::kernels
