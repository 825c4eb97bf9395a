#include "text/charsmap.h"

#include <gtest/gtest.h>

#include <cstring>

namespace cistern::text {
namespace {

std::vector<std::byte> blob_of(const std::vector<std::uint32_t>& trie, const std::string& replacements,
                               std::uint32_t announced) {
  std::vector<std::byte> blob(4 + trie.size() * 4 + replacements.size());
  std::memcpy(blob.data(), &announced, 4);
  if (!trie.empty()) std::memcpy(blob.data() + 4, trie.data(), trie.size() * 4);
  if (!replacements.empty())
    std::memcpy(blob.data() + 4 + trie.size() * 4, replacements.data(), replacements.size());
  return blob;
}

constexpr std::uint32_t offset(std::uint32_t units) {
  return units << 10;
}
constexpr std::uint32_t kHasLeaf = 1 << 8;

// A trie with "a" -> "x" and "ab" -> "yz": node positions are found by xor with the byte.
std::vector<std::uint32_t> small_trie() {
  std::vector<std::uint32_t> trie(512, 0xFF);
  trie[0] = offset(256);  // root: children at 256 ^ byte
  const std::uint32_t a = 256 ^ 'a';
  trie[a] = offset(a ^ 128) | kHasLeaf | 'a';  // children at 128 ^ byte, value at 128
  trie[128] = 0x80000000u | 0;                 // value 0: "x"
  const std::uint32_t ab = 128 ^ 'b';
  trie[ab] = offset(ab ^ 64) | kHasLeaf | 'b';
  trie[64] = 0x80000000u | 2;  // value 2: "yz"
  return trie;
}

TEST(Charsmap, FindsTheLongestAndTheShortestRule) {
  const auto blob = blob_of(small_trie(), std::string("x\0yz\0", 5), 512 * 4);
  const auto map = Charsmap::create(blob, "test");
  ASSERT_TRUE(map.has_value());
  EXPECT_EQ(map->longest("abc").replacement, "yz");
  EXPECT_EQ(map->longest("abc").length, 2u);
  EXPECT_EQ(map->shortest("abc").replacement, "x");
  EXPECT_EQ(map->longest("ac").replacement, "x");
  EXPECT_EQ(map->longest("b").length, 0u);
  EXPECT_EQ(map->longest("").length, 0u);
}

TEST(Charsmap, NoBlobHasNoRules) {
  const auto map = Charsmap::create({}, "test");
  ASSERT_TRUE(map.has_value());
  EXPECT_EQ(map->longest("a").length, 0u);
}

// llama.cpp#25258: a precompiled_charsmap that is shorter than its header.
TEST(PeerVulnerability, LlamaCpp25258CharsmapShorterThanItsHeader) {
  for (std::size_t length = 1; length < 8; ++length) {
    const std::vector<std::byte> blob(length, std::byte{0xFF});
    const auto map = Charsmap::create(blob, "test");
    ASSERT_FALSE(map.has_value()) << length;
    EXPECT_NE(map.error().message.find("precompiled_charsmap"), std::string::npos);
  }
  EXPECT_FALSE(Charsmap::create(blob_of({1, 2}, "", 12), "test").has_value());
  EXPECT_FALSE(Charsmap::create(blob_of({1, 2}, "", 0xFFFFFFFC), "test").has_value());
  EXPECT_FALSE(Charsmap::create(blob_of({1, 2}, "abc", 7), "test").has_value()) << "not whole units";
}

TEST(Charsmap, TriesThatLeadOutsideFindNothing) {
  for (const std::uint32_t unit :
       {0xFFFFFFFFu, 0x7FFFFFFFu, 0x800001FFu, offset(1 << 21), offset(3) | kHasLeaf | 'a'}) {
    const auto blob = blob_of(std::vector<std::uint32_t>(256, unit), "", 1024);
    const auto map = Charsmap::create(blob, "test");
    ASSERT_TRUE(map.has_value());
    for (int byte = 0; byte < 256; ++byte) map->longest(std::string(4, static_cast<char>(byte)));
  }
}

TEST(Charsmap, RefusesReplacementsThatBlowTextsUp) {
  EXPECT_FALSE(
      Charsmap::create(blob_of(small_trie(), std::string(100'000, 'x'), 512 * 4), "test").has_value());
}

}  // namespace
}  // namespace cistern::text
