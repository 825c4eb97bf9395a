// What a forecast says of one figure: a best guess and the range in which nine of ten outcomes should lie.
// Used by forecasts, by the score that compares them with what happened and by the ledger that keeps both.
// A plain value.
#pragma once

#include <cmath>

namespace cistern::plan {

struct Interval {
  double low = 0;
  double mid = 0;
  double high = 0;

  bool operator==(const Interval&) const = default;
};

// Whether it can be compared with an outcome: 0 < low <= mid <= high, all finite.
inline bool is_usable(const Interval& interval) {
  return interval.low > 0 && interval.low <= interval.mid && interval.mid <= interval.high &&
         std::isfinite(interval.high);
}

}  // namespace cistern::plan
