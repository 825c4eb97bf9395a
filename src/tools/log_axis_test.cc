#include "tools/log_axis.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace cistern::tools {
namespace {

TEST(LogAxis, decades_hold_all_values) {
  const LogAxis axis(std::array{2.0, 50.0, 700.0}, AxisEnds::kDecades);
  EXPECT_DOUBLE_EQ(axis.least(), 1);
  EXPECT_DOUBLE_EQ(axis.greatest(), 1000);
  EXPECT_DOUBLE_EQ(axis.at(1), 0);
  EXPECT_NEAR(axis.at(10), 1.0 / 3, 1e-12);
  EXPECT_DOUBLE_EQ(axis.at(1000), 1);
  EXPECT_EQ(axis.ticks(6), (std::vector<double>{1, 10, 100, 1000}));
}

TEST(LogAxis, ends_may_be_values) {
  const LogAxis axis(std::array{2.0, 200.0}, AxisEnds::kValues);
  EXPECT_NEAR(axis.least(), 2, 1e-12);
  EXPECT_NEAR(axis.greatest(), 200, 1e-9);
  EXPECT_NEAR(axis.at(20), 0.5, 1e-12);
  EXPECT_EQ(axis.ticks(6), (std::vector<double>{10, 100}));
}

TEST(LogAxis, nothing_leaves_it) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  const LogAxis axis(std::array{0.0, -3.0, kNan, kInfinity, 5.0}, AxisEnds::kDecades);
  EXPECT_DOUBLE_EQ(axis.least(), 1);
  EXPECT_DOUBLE_EQ(axis.greatest(), 10);
  for (const double value : {0.0, -1.0, kNan, 1e-300}) EXPECT_EQ(axis.at(value), 0) << value;
  for (const double value : {1e300, kInfinity}) EXPECT_EQ(axis.at(value), 1) << value;
  const LogAxis none({}, AxisEnds::kValues);
  EXPECT_LT(none.least(), none.greatest());
}

TEST(LogAxis, long_axes_have_few_ticks) {
  const LogAxis axis(std::array{1e-18, 1e18}, AxisEnds::kDecades);
  EXPECT_LE(axis.ticks(6).size(), 7U);
}

}  // namespace
}  // namespace cistern::tools
