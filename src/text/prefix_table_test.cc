#include "text/prefix_table.h"

#include <gtest/gtest.h>

namespace cistern::text {
namespace {

TEST(PrefixTable, FindsAllAndTheLongest) {
  PrefixTable table;
  const std::vector<std::string> entries = {"b", "abc", "a", "ab", "\xFF\x01", "\xFF"};
  for (TokenId id = 0; id < entries.size(); ++id) table.add(entries[id], id);
  table.build();

  std::vector<TokenId> seen;
  table.for_each("abcd", [&](std::size_t length, TokenId id) {
    EXPECT_EQ(length, entries[id].size());
    seen.push_back(id);
  });
  EXPECT_EQ(seen, (std::vector<TokenId>{2, 3, 1}));
  EXPECT_EQ(table.longest("abd").id, 3u);
  EXPECT_EQ(table.longest("ab").length, 2u) << "the text may end early";
  EXPECT_EQ(table.longest("c").length, 0u);
  EXPECT_EQ(table.longest("").length, 0u);
  EXPECT_EQ(table.longest("\xFF\x01").id, 4u) << "bytes are unsigned";
  EXPECT_TRUE(table.may_begin('b'));
  EXPECT_FALSE(table.may_begin('c'));
}

TEST(PrefixTable, OfEqualEntriesTheLowestIdStays) {
  PrefixTable table;
  table.add("a", 1);
  table.add("a", 2);
  table.build();
  EXPECT_EQ(table.longest("a").id, 1u);
}

TEST(PrefixTable, EmptyFindsNothing) {
  PrefixTable table;
  table.build();
  EXPECT_TRUE(table.empty());
  EXPECT_EQ(table.longest("a").length, 0u);
}

}  // namespace
}  // namespace cistern::text
