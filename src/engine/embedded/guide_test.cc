#include "engine/embedded/guide.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "support/fixtures.h"

namespace cistern::engine {
namespace {

TEST(GuideModel, IsAPageAlignedGguf) {
  const auto bytes = guide_model();
  ASSERT_EQ(bytes.size(), 7113920U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bytes.data()) % 4096, 0U);
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(bytes.data()), 4), "GGUF");
}

TEST(GuideModel, IsTheFileInModels) {
  const auto file = cistern::testing::read_bytes(cistern::testing::data_dir() /
                                                 "../../models/guide/cistern-guide-q8_0.gguf");
  EXPECT_TRUE(std::ranges::equal(guide_model(), file));
}

}  // namespace
}  // namespace cistern::engine
