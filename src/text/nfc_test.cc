#include "text/nfc.h"

#include <gtest/gtest.h>
#include <utf8proc.h>

#include <cstdlib>

#include "text/utf8.h"

namespace cistern::text {
namespace {

std::string by_utf8proc(const std::string& text) {
  utf8proc_uint8_t* out = nullptr;
  const auto length = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                   static_cast<utf8proc_ssize_t>(text.size()), &out,
                                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  std::string result(reinterpret_cast<const char*>(out), static_cast<std::size_t>(length));
  std::free(out);
  return result;
}

TEST(Nfc, Composes) {
  EXPECT_EQ(to_nfc("e\u0301"), "\u00E9");
  EXPECT_EQ(to_nfc("a\u0327\u0301"), "\u00E1\u0327");
  EXPECT_EQ(to_nfc("\u1112\u1161\u11AB"), "\uD55C") << "Hangul";
  EXPECT_EQ(to_nfc("\u2126"), "\u03A9") << "a singleton";
  EXPECT_EQ(to_nfc(std::string("a\0e\u0301", 5)), std::string("a\0\u00E9", 4));
}

TEST(Nfc, AgreesWithTheLibraryOnRandomTexts) {
  std::uint64_t state = 3;
  const auto random = [&](std::uint32_t n) {
    return static_cast<std::uint32_t>((state = state * 6364136223846793005u + 1442695040888963407u) >> 33) %
           n;
  };
  for (int round = 0; round < 5000; ++round) {
    std::string text;
    for (std::uint32_t i = random(8); i-- > 0;) {
      const char32_t ranges[][2] = {{0x41, 0x7A},     {0xC0, 0x17F},    {0x300, 0x36F},   {0x900, 0xD4F},
                                    {0x1100, 0x11FF}, {0x1E00, 0x1FFF}, {0xAC00, 0xD7A3}, {0xF900, 0xFAFF}};
      const auto& range = ranges[random(std::size(ranges))];
      append_utf8(text, range[0] + random(range[1] - range[0]));
    }
    ASSERT_EQ(to_nfc(text), by_utf8proc(text));
    ASSERT_TRUE(may_need_nfc(text) || to_nfc(text) == text);
  }
}

// The library sorts marks with a quadratic algorithm: a megabyte of them would take hours.
TEST(Nfc, AMegabyteOfMarks) {
  std::string text = "e";
  for (int i = 0; i < 250'000; ++i) text += i % 2 == 0 ? "\u0301" : "\u0327";
  EXPECT_EQ(to_nfc(text).size(), text.size() - 1)
      << "e and one cedilla, of 3 bytes, become one character of 2";
}

}  // namespace
}  // namespace cistern::text
