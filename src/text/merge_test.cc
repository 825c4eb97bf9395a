#include "text/merge.h"

#include <gtest/gtest.h>

#include <string>

#include "text/merge_table.h"

namespace cistern::text {
namespace {

// Merging as its definition says, without any data structure.
std::vector<TokenId> reference(std::vector<TokenId> ids, const MergeTable& table) {
  while (true) {
    std::size_t best = 0;
    Merge merge;
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
      const Merge here = table.find(ids[i], ids[i + 1]);
      if (here.rank < merge.rank) {
        merge = here;
        best = i;
      }
    }
    if (merge.rank == kNoMerge) return ids;
    ids[best] = merge.id;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

std::vector<TokenId> merged(const std::vector<TokenId>& ids, const MergeTable& table) {
  Merger merger;
  for (std::uint32_t i = 0; i < ids.size(); ++i) merger.symbols.push_back({i, 1, ids[i]});
  merger.run([&](const Symbol& a, const Symbol& b) { return table.find(a.id, b.id); });
  std::vector<TokenId> out;
  std::uint32_t end = 0;
  for (const Symbol& symbol : merger.symbols) {
    EXPECT_EQ(symbol.begin, end);
    end += symbol.length;
    out.push_back(symbol.id);
  }
  EXPECT_EQ(end, ids.size());
  return out;
}

// Random merges over an alphabet of three: short words take one path of the Merger, long ones the other.
TEST(Merge, AgreesWithItsDefinition) {
  std::uint64_t state = 7;
  const auto random = [&](std::uint32_t n) {
    return static_cast<std::uint32_t>((state = state * 6364136223846793005u + 1442695040888963407u) >> 33) %
           n;
  };
  for (int round = 0; round < 200; ++round) {
    MergeTable table(40);
    for (std::uint32_t rank = 0; rank < 40; ++rank)
      table.insert(random(3 + rank), random(3 + rank), {rank, 3 + rank});
    for (const std::size_t length : {1, 2, 3, 10, 47, 48, 49, 50, 200}) {
      std::vector<TokenId> ids(length);
      for (TokenId& id : ids) id = random(3);
      ASSERT_EQ(merged(ids, table), reference(ids, table)) << "round " << round << ", length " << length;
    }
  }
}

TEST(Merge, TheLeftmostOfEqualsGoesFirst) {
  MergeTable table(1);
  table.insert(0, 0, {0, 1});
  EXPECT_EQ(merged({0, 0, 0}, table), (std::vector<TokenId>{1, 0}));
  EXPECT_EQ(merged(std::vector<TokenId>(101, 0), table).back(), 0u);
}

TEST(Merge, ALaterMergeOfAPairReplacesTheEarlier) {
  MergeTable table(2);
  table.insert(0, 0, {0, 1});
  table.insert(0, 0, {1, 2});
  EXPECT_EQ(table.find(0, 0).id, 2u);
  EXPECT_EQ(table.find(0, 1).rank, kNoMerge);
}

}  // namespace
}  // namespace cistern::text
