#include "serve/rfc3339.h"

#include <gtest/gtest.h>

#include <limits>

namespace cistern::serve {
namespace {

// The first and the third are examples of RFC 3339, section 5.8.
TEST(Rfc3339, WritesUtcToTheSecond) {
  EXPECT_EQ(rfc3339(482196050), "1985-04-12T23:20:50Z");
  EXPECT_EQ(rfc3339(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(rfc3339(851042397), "1996-12-20T00:39:57Z");
  EXPECT_EQ(rfc3339(951782400), "2000-02-29T00:00:00Z");
  EXPECT_EQ(rfc3339(-1), "1969-12-31T23:59:59Z");
}

TEST(Rfc3339, YearsHaveFourDigitsWhateverAFileSays) {
  EXPECT_EQ(rfc3339(std::numeric_limits<std::int64_t>::max()), "9999-12-31T23:59:59Z");
  EXPECT_EQ(rfc3339(std::numeric_limits<std::int64_t>::min()), "0000-01-01T00:00:00Z");
}

TEST(Rfc3339, WritesMicroseconds) {
  const std::chrono::system_clock::time_point time(std::chrono::seconds(482196050) +
                                                   std::chrono::microseconds(7));
  EXPECT_EQ(rfc3339_us(time), "1985-04-12T23:20:50.000007Z");
}

}  // namespace
}  // namespace cistern::serve
