#include "base/nearest.h"

#include <gtest/gtest.h>

#include <vector>

namespace cistern {
namespace {

TEST(Nearest, Distance) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("insepct", "inspect"), 1U);  // neighbours swapped
  EXPECT_EQ(edit_distance("ab", "ba"), 1U);
}

TEST(Nearest, PicksTheNearest) {
  const std::vector<std::string> names = {"--temp", "--template", "--threads", "--top-k"};
  EXPECT_EQ(nearest("--tmep", names), "--temp");
  EXPECT_EQ(nearest("--thread", names), "--threads");
  EXPECT_EQ(nearest("--topk", names), "--top-k");
}

TEST(Nearest, TakesBeginningsAndEnds) {
  const std::vector<std::string> names = {"token_embd.weight", "blk.0.attn_q.weight"};
  EXPECT_EQ(nearest("token_embd", names), "token_embd.weight");
  EXPECT_EQ(nearest("attn_q.weight", names), "blk.0.attn_q.weight");
}

TEST(Nearest, SaysNothingWhenNothingIsNear) {
  const std::vector<std::string> names = {"run", "chat"};
  EXPECT_EQ(nearest("xylophone", names), "");
  EXPECT_EQ(nearest("", names), "");
  EXPECT_EQ(nearest("run", {}), "");
}

TEST(Nearest, LongInputIsCut) {
  const std::string longest(1U << 20U, 'x');
  const std::vector<std::string> names = {longest};
  EXPECT_EQ(nearest(longest, names), longest);
}

}  // namespace
}  // namespace cistern
