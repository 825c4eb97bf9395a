#include "sample/portable_math.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace cistern::sample {
namespace {

TEST(PortableMath, ExpAgreesWithLibm) {
  for (double x = -708; x < 709.7; x += 0.0371) {
    const double expected = std::exp(x);
    ASSERT_NEAR(portable_exp(x) / expected, 1.0, 1e-15) << x;
  }
}

TEST(PortableMath, ExpAtTheEdges) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(portable_exp(0), 1.0);
  EXPECT_EQ(portable_exp(-infinity), 0.0);
  EXPECT_EQ(portable_exp(infinity), infinity);
  EXPECT_EQ(portable_exp(-1e300), 0.0);
  EXPECT_TRUE(std::isnan(portable_exp(std::nan(""))));
}

TEST(PortableMath, LogAgreesWithLibm) {
  for (double x = 1e-300; x < 1e300; x *= 1.0713) {
    const double expected = std::log(x);
    ASSERT_NEAR(portable_log(x), expected, 4e-16 * std::max(1.0, std::abs(expected))) << x;
  }
  for (double x = 0.5; x < 2; x += 0.00037) ASSERT_NEAR(portable_log(x), std::log(x), 3e-16) << x;
}

TEST(PortableMath, LogAtTheEdges) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(portable_log(1), 0.0);
  EXPECT_EQ(portable_log(0), -infinity);
  EXPECT_EQ(portable_log(infinity), infinity);
}

}  // namespace
}  // namespace cistern::sample
