#include "sys/buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>

#include "sys/memory_limits.h"

namespace cistern::sys {
namespace {

TEST(Buffer, IsZeroedAlignedAndWritable) {
  auto buffer = Buffer::allocate(100000);
  ASSERT_TRUE(buffer) << describe(buffer.error());
  ASSERT_EQ(buffer->bytes().size(), 100000U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer->bytes().data()) % 4096, 0U);
  EXPECT_TRUE(std::ranges::all_of(buffer->bytes(), [](std::byte b) { return b == std::byte{0}; }));
  std::ranges::fill(buffer->bytes(), std::byte{1});
  EXPECT_EQ(buffer->bytes().back(), std::byte{1});
}

TEST(Buffer, EmptyAndMoves) {
  EXPECT_TRUE(Buffer().bytes().empty());
  EXPECT_TRUE(Buffer::allocate(0)->bytes().empty());
  auto made = Buffer::allocate(10);
  ASSERT_TRUE(made);
  const auto* data = made->bytes().data();
  Buffer first = std::move(*made);
  EXPECT_EQ(first.bytes().data(), data);
  Buffer second;
  second = std::move(first);
  EXPECT_EQ(second.bytes().data(), data);
}

TEST(Buffer, TooMuchIsAnError) {
  for (const std::uint64_t bytes : {std::uint64_t{1} << 50U, std::uint64_t{1} << 62U, std::uint64_t{1} << 63U,
                                    std::numeric_limits<std::uint64_t>::max()}) {
    const auto buffer = Buffer::allocate(bytes);
    ASSERT_FALSE(buffer);
    EXPECT_EQ(buffer.error().code, ErrorCode::kMemory);
    EXPECT_NE(buffer.error().message.find(std::to_string(bytes)), std::string::npos);
  }
}

TEST(Buffer, UntouchedMemoryCostsNothing) {
  const std::uint64_t before = current_rss_bytes();
  const auto buffer = Buffer::allocate(std::uint64_t{1} << 30U);
  ASSERT_TRUE(buffer) << describe(buffer.error());
  EXPECT_LT(current_rss_bytes(), before + (std::uint64_t{64} << 20U));
}

TEST(Buffer, CommittedMemoryIsThereAndZero) {
  constexpr std::uint64_t kBytes = (std::uint64_t{64} << 20U) + 12345;
  const std::uint64_t before = current_rss_bytes();
  auto buffer = Buffer::allocate(kBytes);
  ASSERT_TRUE(buffer) << describe(buffer.error());
  commit(buffer->bytes());
  commit({});
  EXPECT_GE(current_rss_bytes(), before + kBytes);
  EXPECT_TRUE(std::ranges::all_of(buffer->bytes(), [](std::byte b) { return b == std::byte{0}; }));
}

}  // namespace
}  // namespace cistern::sys
