#include "tools/number_text.h"

#include <gtest/gtest.h>

namespace cistern::tools {
namespace {

TEST(NumberText, three_digits_that_count) {
  EXPECT_EQ(number_text(0), "0");
  EXPECT_EQ(number_text(0.042), "0.042");
  EXPECT_EQ(number_text(0.2), "0.20");
  EXPECT_EQ(number_text(0.996), "1.00");
  EXPECT_EQ(number_text(2.476), "2.48");
  EXPECT_EQ(number_text(9.996), "10.0");
  EXPECT_EQ(number_text(12.44), "12.4");
  EXPECT_EQ(number_text(99.96), "100");
  EXPECT_EQ(number_text(1240), "1,240");
  EXPECT_EQ(number_text(1e-9), "1.0e-09");
  EXPECT_EQ(number_text(1e18), "1.0e+18");
}

TEST(NumberText, thousands_stand_apart) {
  EXPECT_EQ(count_text(12), "12");
  EXPECT_EQ(count_text(999), "999");
  EXPECT_EQ(count_text(131072), "131,072");
  EXPECT_EQ(count_text(1234567), "1,234,567");
  EXPECT_EQ(count_text(-1234), "-1,234");
  EXPECT_EQ(count_text(-123), "-123");
}

TEST(NumberText, units_follow_the_size) {
  EXPECT_EQ(si_text(8.26e13, "MAC/s"), "82.6 TMAC/s");
  EXPECT_EQ(si_text(1.008e12, "B/s"), "1.01 TB/s");
  EXPECT_EQ(si_text(12, "B/s"), "12.0 B/s");
  EXPECT_EQ(power_text(0.01), "0.01");
  EXPECT_EQ(power_text(100), "100");
  EXPECT_EQ(power_text(1e4), "10 k");
  EXPECT_EQ(power_text(1e12), "1 T");
  EXPECT_EQ(power_text(1e30), "1e+30");
  EXPECT_EQ(billions_text(70553706496.0), "70.6 billion");
  EXPECT_EQ(billions_text(494032768.0), "494 million");
  EXPECT_EQ(seconds_text(0.31), "310 ms");
  EXPECT_EQ(seconds_text(8.2), "8.20 s");
  EXPECT_EQ(seconds_text(750), "12.5 min");
  EXPECT_EQ(seconds_text(7200), "2.00 h");
  EXPECT_EQ(seconds_text(864000), "10.0 days");
  EXPECT_EQ(bytes_text(1610612736), "1.5 GiB");
  EXPECT_EQ(bytes_text(1e300), "1.0e+300 B");
  EXPECT_EQ(percent_text(0.784), "78%");
  EXPECT_EQ(percent_text(0.001), "under 1%");
  EXPECT_EQ(percent_text(0), "0%");
}

}  // namespace
}  // namespace cistern::tools
