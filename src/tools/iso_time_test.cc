#include "tools/iso_time.h"

#include <gtest/gtest.h>

namespace cistern::tools {
namespace {

using namespace std::chrono;

text::jinja::LocalTime at(int y, unsigned m, unsigned d, microseconds of_day) {
  return local_days(year_month_day(year(y), month(m), day(d))) + of_day;
}

TEST(IsoTime, Forms) {
  const auto expected = at(2026, 3, 7, 14h + 5min + 9s);
  for (const char* text : {"2026-03-07T14:05:09", "2026-03-07 14:05:09", "2026-03-07T14:05:09Z",
                           "2026-03-07T14:05:09+02:00", "2026-03-07T14:05:09.0"}) {
    ASSERT_TRUE(parse_iso_time(text)) << text;
    EXPECT_EQ(*parse_iso_time(text), expected) << text;
  }
  EXPECT_EQ(*parse_iso_time("2026-03-07"), at(2026, 3, 7, 0s));
  EXPECT_EQ(*parse_iso_time("2024-02-29T23:59"), at(2024, 2, 29, 23h + 59min));
  EXPECT_EQ(*parse_iso_time("2026-03-07T00:00:00.0000019"), at(2026, 3, 7, 1us));
}

TEST(IsoTime, RefusesTheRest) {
  for (const char* text : {"", "yesterday", "2026", "2026-13-01", "2026-02-29", "2026-03-07T",
                           "2026-03-07T24:00", "2026-03-07T14:60", "2026-03-07T14:05:60",
                           "2026-03-07T14:05:09x", "2026-3-7", "2026-03-07T14:05:09+2"}) {
    EXPECT_FALSE(parse_iso_time(text)) << text;
  }
}

}  // namespace
}  // namespace cistern::tools
