#include "ops/machine_probe.h"

#include <gtest/gtest.h>

namespace cistern::ops {
namespace {

constexpr std::uint64_t kMemoryBytes = 16U << 20U;
constexpr double kSeconds = 1e-4;

TEST(MachineProbe, ReadsWithEveryIsaAndNumberOfThreads) {
  for (const sys::Isa isa : sys::kAllIsas) {
    if (!sys::host_has(isa)) continue;
    for (const int threads : {1, 3}) {
      sys::ThreadPool pool(threads);
      for (const auto pages : {ProbeMemory::Pages::kHuge, ProbeMemory::Pages::kSmall}) {
        const auto memory = ProbeMemory::create(pool, kMemoryBytes, pages);
        ASSERT_TRUE(memory);
        EXPECT_EQ(memory->bytes().size(), kMemoryBytes);
        ReadProbe probe(pool, isa, *memory);
        EXPECT_GT(probe.sample(kSeconds), 0) << "before a search";
        probe.search(kSeconds);
        EXPECT_GT(probe.sample(kSeconds), 0);
        EXPECT_NE(probe.describe().find("stream"), std::string::npos);
      }
    }
  }
}

// Whatever the address it begins at, from its first whole cache line on and not past its end.
TEST(MachineProbe, ReadsMemoryThatIsThere) {
  sys::ThreadPool pool(2);
  const std::vector<std::byte> bytes(kMinProbeBytes + 4096);
  for (const std::size_t skipped : {0, 1, 63, 64, 65}) {
    const auto given = std::span<const std::byte>(bytes).subspan(skipped);
    const ProbeMemory memory = ProbeMemory::borrow(given);
    const std::span<const std::byte> used = memory.bytes();
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(used.data()) % 64, 0U);
    EXPECT_GE(used.data(), given.data());
    EXPECT_LT(used.data(), given.data() + 64);
    EXPECT_LE(used.data() + used.size(), given.data() + given.size());
    EXPECT_GE(used.size(), kMinProbeBytes);
    ReadProbe probe(pool, sys::Isa::kScalar, memory);
    EXPECT_GT(probe.sample(kSeconds), 0);
  }
}

TEST(MachineProbe, MultipliesInEveryArithmetic) {
  sys::ThreadPool pool(2);
  for (const sys::Isa isa : sys::kAllIsas) {
    if (!sys::host_has(isa)) continue;
    for (const auto arithmetic :
         {kernels::Arithmetic::kFloat, kernels::Arithmetic::kInt8, kernels::Arithmetic::kBf16}) {
      PeakProbe probe(pool, isa, arithmetic);
      EXPECT_GT(probe.sample(kSeconds), 0);
      EXPECT_FALSE(probe.instructions().empty());
    }
  }
}

TEST(MachineProbe, TooMuchMemoryIsRefused) {
  sys::ThreadPool pool(1);
  const auto memory = ProbeMemory::create(pool, 1ULL << 62U, ProbeMemory::Pages::kHuge);
  ASSERT_FALSE(memory);
  EXPECT_EQ(memory.error().code, ErrorCode::kMemory);
}

}  // namespace
}  // namespace cistern::ops
