#include "serve/operations/exposition.h"

#include <gtest/gtest.h>

namespace cistern::serve {
namespace {

constexpr std::array kBounds = {0.1, 1.0};

TEST(MetricsTextTest, WritesTypesLabelsAndValues) {
  MetricsText text;
  text.family("cistern_things_total", "counter", "Things.");
  text.sample(3, {{"kind", "a\"b\\c\nd"}, {"status", "200"}});
  text.sample(0.25);
  EXPECT_EQ(text.text(),
            "# HELP cistern_things_total Things.\n"
            "# TYPE cistern_things_total counter\n"
            "cistern_things_total{kind=\"a\\\"b\\\\c\\nd\",status=\"200\"} 3\n"
            "cistern_things_total 0.25\n");
}

TEST(MetricsTextTest, BucketsOfAHistogramCountAllThatIsNotLarger) {
  Histogram histogram(kBounds);
  for (const double value : {0.05, 0.1, 0.5, 7.0}) histogram.observe(value);
  MetricsText text;
  text.family("t_seconds", "histogram", "Time.");
  text.samples(histogram);
  EXPECT_EQ(text.text(),
            "# HELP t_seconds Time.\n"
            "# TYPE t_seconds histogram\n"
            "t_seconds_bucket{le=\"0.1\"} 2\n"
            "t_seconds_bucket{le=\"1\"} 3\n"
            "t_seconds_bucket{le=\"+Inf\"} 4\n"
            "t_seconds_sum 7.65\n"
            "t_seconds_count 4\n");
}

}  // namespace
}  // namespace cistern::serve
