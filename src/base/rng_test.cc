#include "base/rng.h"

#include <gtest/gtest.h>

namespace cistern {
namespace {

// The sequences that the authors' C sources print (also in Rust's rand_xoshiro and on Rosetta Code).
TEST(Rng, SplitMixMatchesThePublishedSequence) {
  std::uint64_t state = 1234567;
  for (const std::uint64_t expected : {6457827717110365317U, 3203168211198807973U, 9817491932198370423U,
                                       4593380528125082431U, 16408922859458223821U}) {
    EXPECT_EQ(splitmix64(state), expected);
  }
}

TEST(Rng, XoshiroMatchesThePublishedSequence) {
  Rng rng(std::array<std::uint64_t, 4>{1, 2, 3, 4});
  for (const std::uint64_t expected :
       {std::uint64_t{11520}, std::uint64_t{0}, std::uint64_t{1509978240}, 1215971899390074240U,
        1216172134540287360U, 607988272756665600U, 16172922978634559625U, 8476171486693032832U,
        10595114339597558777U, 2904607092377533576U}) {
    EXPECT_EQ(rng.next(), expected);
  }
}

TEST(Rng, UniformStaysInRangeAndIsEven) {
  Rng rng(0);
  std::array<int, 16> buckets{};
  for (int i = 0; i < 160000; ++i) {
    const double u = rng.uniform();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    ++buckets[static_cast<std::size_t>(u * 16)];
  }
  double chi_square = 0;
  for (const int count : buckets) chi_square += (count - 10000.0) * (count - 10000.0) / 10000.0;
  EXPECT_LT(chi_square, 37.7);  // 15 degrees of freedom, p = 0.001
}

TEST(Rng, EqualSeedsGiveEqualSequences) {
  Rng a(42);
  Rng b(42);
  Rng c(43);
  const std::uint64_t first = a.next();
  EXPECT_EQ(first, b.next());
  EXPECT_NE(first, c.next());
}

}  // namespace
}  // namespace cistern
