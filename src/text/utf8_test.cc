#include "text/utf8.h"

#include <gtest/gtest.h>

namespace cistern::text {
namespace {

TEST(Utf8, RoundTripsEveryCodePoint) {
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string text;
    append_utf8(text, c);
    const CodePoint back = decode_utf8(text);
    ASSERT_TRUE(back.valid && back.value == c && back.length == text.size()) << static_cast<std::uint32_t>(c);
    ASSERT_EQ(length_by_lead(text[0]), text.size());
    for (std::size_t cut = 1; cut < text.size(); ++cut) {
      const CodePoint part = decode_utf8(std::string_view(text).substr(0, cut));
      ASSERT_TRUE(!part.valid && part.truncated && part.length == cut);
    }
  }
}

// Table 3-8 of the Unicode standard: U+FFFD for each maximal subpart.
TEST(Utf8, RepairsMaximalSubparts) {
  EXPECT_EQ(repair_utf8("\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64"),
            "a\uFFFD\uFFFD\uFFFD"
            "b\uFFFD"
            "c\uFFFD\uFFFD"
            "d");
  EXPECT_EQ(repair_utf8("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD") << "a surrogate";
  EXPECT_EQ(repair_utf8("\xC0\xAF"), "\uFFFD\uFFFD") << "an overlong form";
  EXPECT_EQ(repair_utf8("\xF4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD") << "above U+10FFFF";
  EXPECT_EQ(repair_utf8(std::string_view("a\0b", 3)), std::string_view("a\0b", 3));
}

TEST(Utf8, ValidatesLikeItRepairs) {
  for (const std::string text : {"", "abcdefgh\xC3\xA9", "abcdefgh\xC3", "\x80", "\xED\x9F\xBF",
                                 "\xED\xA0\x80", "\xF4\x8F\xBF\xBF", "\xF5\x80\x80\x80"}) {
    EXPECT_EQ(is_valid_utf8(text), repair_utf8(text) == text);
  }
}

TEST(Utf8, CompletePrefixLeavesOnlyWhatMayBecomeACharacter) {
  EXPECT_EQ(complete_prefix("ab"), 2u);
  EXPECT_EQ(complete_prefix("ab\xE4"), 2u);
  EXPECT_EQ(complete_prefix("ab\xE4\xB8"), 2u);
  EXPECT_EQ(complete_prefix("ab\xE4\xB8\xAD"), 5u);
  EXPECT_EQ(complete_prefix("ab\xF0\x9F\x98"), 2u);
  EXPECT_EQ(complete_prefix("\x80\x80\x80"), 3u) << "hopeless";
  EXPECT_EQ(complete_prefix("\xF5"), 1u) << "hopeless";
  EXPECT_EQ(complete_prefix("\xE0\x80"), 2u) << "hopeless";
}

}  // namespace
}  // namespace cistern::text
