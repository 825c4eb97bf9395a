#include "tools/flags.h"

#include <gtest/gtest.h>

namespace cistern::tools {
namespace {

TEST(ParseBytes, Units) {
  EXPECT_EQ(*parse_bytes("4096"), 4096U);
  EXPECT_EQ(*parse_bytes("3GB"), 3000000000U);
  EXPECT_EQ(*parse_bytes("512MiB"), 512U << 20U);
  EXPECT_EQ(*parse_bytes("1.5 GiB"), 3ULL << 29U);
  EXPECT_EQ(*parse_bytes("2kB"), 2000U);
}

TEST(ParseBytes, RefusesWhatIsNoSize) {
  for (const char* text : {"", "MB", "-1GB", "3G", "3 gb", "1e400", "nan", "inf", "0", "0x10GB", " 3GB",
                           "3GB ", "3  GB", "9e30TB"}) {
    EXPECT_FALSE(parse_bytes(text)) << text;
  }
}

TEST(KvType, Names) {
  EXPECT_EQ(parse_kv_type("q8_0"), DType::kQ8_0);
  EXPECT_EQ(parse_kv_type("bf16"), DType::kBF16);
  EXPECT_EQ(parse_kv_type("Q8_0"), std::nullopt);
}

}  // namespace
}  // namespace cistern::tools
