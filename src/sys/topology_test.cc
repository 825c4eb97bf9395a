#include "sys/topology.h"

#include <gtest/gtest.h>

#include "sys/buffer.h"

namespace cistern::sys {
namespace {

TEST(Topology, DescribesThisMachine) {
  const Topology topology = read_topology();
  EXPECT_GE(topology.packages, 1);
  EXPECT_GE(topology.cores, topology.packages);
  EXPECT_GE(topology.hardware_threads, topology.cores);
  EXPECT_GE(topology.memory_nodes, 1);
  for (const Cache& cache : topology.caches) {
    EXPECT_GT(cache.bytes, 0U);
    EXPECT_GE(cache.count, 1);
  }
  EXPECT_GE(usable_cores(), 1);
  EXPECT_LE(usable_cores(), topology.cores);
}

TEST(Topology, LastCacheIsTheSumOfItsLevel) {
  Topology topology;
  EXPECT_EQ(topology.last_cache_bytes(), 0U);
  topology.caches = {{.level = 1, .bytes = 10, .count = 4},
                     {.level = 3, .bytes = 100, .count = 2},
                     {.level = 3, .bytes = 50, .count = 1}};
  EXPECT_EQ(topology.last_cache_bytes(), 250U);
}

// On one node nothing happens, on several the pages stay usable.
TEST(Topology, InterleavedMemoryIsMemory) {
  auto buffer = Buffer::allocate(1U << 20U);
  ASSERT_TRUE(buffer);
  interleave_pages(buffer->bytes());
  interleave_pages({});
  for (std::byte& byte : buffer->bytes()) byte = std::byte{7};
  EXPECT_EQ(buffer->bytes().back(), std::byte{7});
}

}  // namespace
}  // namespace cistern::sys
