#include "fetch/source.h"

#include <gtest/gtest.h>

#include "fetch/names.h"

namespace cistern::fetch {
namespace {

TEST(Source, RepositoriesAreTakenApart) {
  const auto plain = parse_source("hf:Qwen/Qwen3-4B-GGUF");
  ASSERT_TRUE(plain) << describe(plain.error());
  EXPECT_EQ(std::get<HubSource>(*plain).repository(), "Qwen/Qwen3-4B-GGUF");
  EXPECT_EQ(std::get<HubSource>(*plain).wanted, "");
  const auto quant = parse_source("hf:o/n:q4_k_m");
  ASSERT_TRUE(quant);
  EXPECT_EQ(std::get<HubSource>(*quant).wanted, "q4_k_m");
  const auto file = parse_source("hf:o/n:Q8/m-Q8_0.gguf");
  ASSERT_TRUE(file);
  EXPECT_EQ(std::get<HubSource>(*file).wanted, "Q8/m-Q8_0.gguf");
}

TEST(Source, AddressesGiveTheFileItsName) {
  const auto source = parse_source("https://example.org/a/b%20c/my%20model.gguf?download=true#x");
  ASSERT_TRUE(source) << describe(source.error());
  EXPECT_EQ(std::get<UrlSource>(*source).file_name, "my model.gguf");
  EXPECT_EQ(std::get<UrlSource>(*source).url.text(),
            "https://example.org/a/b%20c/my%20model.gguf?download=true");
}

TEST(Source, WhatIsNeitherIsRefused) {
  for (const std::string text : {"",
                                 "qwen3",
                                 "hf:",
                                 "hf:owner",
                                 "hf:/name",
                                 "hf:owner/",
                                 "hf:a/b/c",
                                 "hf:../b",
                                 "hf:a/..",
                                 "hf:a/.b",
                                 "hf:a b/c",
                                 "hf:a/b:",
                                 "hf:a/b:../x",
                                 "hf:a/b:/etc/x",
                                 "hf:a/b:x//y",
                                 "hf:a/b?c=d",
                                 "hf:a%2f/b",
                                 "hf:a/b\n",
                                 "ftp://h/m.gguf",
                                 "file:///m.gguf",
                                 "https://h/",
                                 "https://h/m.bin",
                                 "https://h/.gguf",
                                 "https://h/%2e%2e%2fm.gguf",
                                 "https://h/a%2Fm.gguf",
                                 "https://h/a%00m.gguf",
                                 "https://h/a%0Am.gguf",
                                 "https://h/a%.gguf",
                                 "https://h/-m.gguf",
                                 "https://h/..gguf",
                                 "https://h/a%5Cm.gguf"}) {
    const auto source = parse_source(text);
    ASSERT_FALSE(source) << text;
    EXPECT_EQ(source.error().code, ErrorCode::kUsage) << text;
  }
  EXPECT_FALSE(parse_source(std::string("hf:a\0b/c", 8)));
  EXPECT_FALSE(parse_source("https://h/" + std::string(300, 'a') + ".gguf"));
  EXPECT_FALSE(parse_source("hf:" + std::string(200, 'a') + "/b"));
}

TEST(Names, ADigestHas64HexadecimalDigits) {
  const std::string digest(64, 'A');
  EXPECT_EQ(sha256_text(digest).value(), std::string(64, 'a'));
  for (const std::string& text :
       {std::string(), std::string(63, 'a'), std::string(65, 'a'), std::string(63, 'a') + "g",
        std::string(64, ' '), std::string(64, 'a') + "\n"})
    EXPECT_FALSE(sha256_text(text)) << text;
}

TEST(Names, PathsStayInsideTheRepository) {
  EXPECT_TRUE(check_repository_path("UD-Q4_K_XL/model 1.gguf"));
  EXPECT_TRUE(check_repository_path("a..b"));
  for (const std::string& path :
       {std::string(), std::string("/a"), std::string("a/"), std::string("a//b"), std::string("../a"),
        std::string("a/../b"), std::string("a/."), std::string("a\\b"), std::string("a\0b", 3),
        std::string("a\x7F"), std::string("\xC3\xA9"), std::string(1025, 'a')})
    EXPECT_FALSE(check_repository_path(path)) << path;
}

}  // namespace
}  // namespace cistern::fetch
