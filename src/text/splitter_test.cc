#include "text/splitter.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

namespace cistern::text {
namespace {

using Pieces = std::vector<std::string_view>;

Splitter splitter_of(std::string_view name) {
  const PreTokenizer* family = find_pre_tokenizer(name);
  EXPECT_NE(family, nullptr) << name;
  auto splitter = Splitter::create(family->splits);
  EXPECT_TRUE(splitter.has_value()) << name << ": " << (splitter ? "" : describe(splitter.error()));
  return *std::move(splitter);
}

void expect_partition(const Splitter& splitter, const std::string& text, const std::string& what) {
  const auto pieces = splitter.split(text);
  ASSERT_TRUE(pieces.has_value()) << what << ": " << describe(pieces.error());
  std::size_t bytes = 0;
  for (const auto piece : *pieces) {
    ASSERT_EQ(piece.data(), text.data() + bytes) << what;
    bytes += piece.size();
  }
  ASSERT_EQ(bytes, text.size()) << what;
}

std::vector<std::string> all_names() {
  std::vector<std::string> names;
  std::istringstream list(known_pre_tokenizers());
  for (std::string name; list >> name;) {
    if (name.ends_with(',')) name.pop_back();
    names.push_back(name);
  }
  return names;
}

TEST(Splitter, EveryRowCompiles) {
  const auto names = all_names();
  EXPECT_GT(names.size(), 60u);
  for (const std::string& name : names) splitter_of(name);
}

TEST(Splitter, EmptyNameIsDefaultAndUnknownIsNot) {
  EXPECT_EQ(find_pre_tokenizer(""), find_pre_tokenizer("default"));
  EXPECT_EQ(find_pre_tokenizer("gpt-22"), nullptr);
}

TEST(Splitter, Gpt2) {
  EXPECT_EQ(splitter_of("gpt-2").split("I'll  pay 100!\n"),
            (Pieces{"I", "'ll", " ", " pay", " 100", "!", "\n"}));
}

TEST(Splitter, Llama3GroupsThreeDigits) {
  EXPECT_EQ(splitter_of("llama-bpe").split("I'LL pay 12345"), (Pieces{"I", "'LL", " pay", " ", "123", "45"}));
}

TEST(Splitter, WhitespaceIsUnicodes) {
  // U+180E is not White_Space, U+0085 and U+3000 are.
  EXPECT_EQ(splitter_of("gpt-2").split("\xE1\xA0\x8E!"), (Pieces{"\xE1\xA0\x8E!"}));
  EXPECT_EQ(splitter_of("gpt-2").split("\xC2\x85\xE3\x80\x80"), (Pieces{"\xC2\x85\xE3\x80\x80"}));
}

TEST(Splitter, FalconCutsNumbersAfterTheByteMapping) {
  // U+0939 is E0 A4 B9, and B9 looks like the Latin-1 number that it maps to.
  EXPECT_EQ(splitter_of("falcon").split("\xE0\xA4\xB9"), (Pieces{"\xE0\xA4", "\xB9"}));
  EXPECT_EQ(splitter_of("falcon").split("12345"), (Pieces{"123", "45"}));
}

TEST(Splitter, DigitGroupsCountFromTheRight) {
  EXPECT_EQ(splitter_of("superbpe").split("a 1234567"), (Pieces{"a ", "1", "234", "567"}));
  EXPECT_EQ(splitter_of("superbpe").split("123456"), (Pieces{"123", "456"}));
  EXPECT_EQ(splitter_of("tiny_aya").split("1234567."), (Pieces{"1", "234", "567", "."}));
  EXPECT_EQ(splitter_of("tiny_aya").split("1234x"), (Pieces{"123", "4", "x"}))
      << "the run does not end a word: left to the next step";
}

TEST(Splitter, EmptyTextHasNoPieces) {
  EXPECT_EQ(splitter_of("qwen2").split(""), Pieces{});
}

// A row whose patterns take more than linear time on some text runs into the matcher's step limit or takes
// minutes here.
TEST(Splitter, HostileTexts) {
  constexpr std::size_t kBytes = 1 << 16;
  const char* units[] = {" ",  "\n",       "\r\n",         "1",        "a",   "A",  "'",  "!",        "\t ",
                         "a1", "\xCC\x81", "\xE4\xB8\xAD", "\xC2\xA0", " \n", "'s", "a'", "\xC2\xB2", "("};
  std::set<const Split*> done;
  for (const std::string& name : all_names()) {
    if (!done.insert(find_pre_tokenizer(name)->splits.data()).second) continue;
    const Splitter splitter = splitter_of(name);
    for (const char* unit : units) {
      std::string text;
      while (text.size() < kBytes) text += unit;
      for (const char* end : {"", "\xE4\xB8\xAD", "1"})
        expect_partition(splitter, text + end, name + " on many of " + unit);
    }
  }
}

}  // namespace
}  // namespace cistern::text
