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

TEST(ParseAdapter, FileAndScale) {
  const auto expect = [](const char* text, const char* path, float scale) {
    const auto adapter = parse_adapter(text);
    ASSERT_TRUE(adapter) << text;
    EXPECT_EQ(adapter->path, path);
    EXPECT_EQ(adapter->scale, scale);
  };
  expect("a.gguf", "a.gguf", 1.0F);
  expect("a.gguf:0.5", "a.gguf", 0.5F);
  expect("a.gguf:-2", "a.gguf", -2.0F);
  expect("a.gguf:0", "a.gguf", 0.0F);
  expect("a:b.gguf", "a:b.gguf", 1.0F);
  expect("a:1:0.25", "a:1", 0.25F);
  expect("a.gguf:", "a.gguf:", 1.0F);
}

TEST(ParseAdapter, RefusesWhatIsNoScale) {
  for (const char* text : {"", ":0.5", "a.gguf:inf", "a.gguf:nan", "a.gguf:1e99"})
    EXPECT_FALSE(parse_adapter(text)) << text;
}

}  // namespace
}  // namespace cistern::tools
