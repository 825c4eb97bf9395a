// A logarithmic axis for the plots of pages. Pure; values that have no logarithm lie at the near end.
#pragma once

#include <span>
#include <vector>

namespace cistern::tools {

enum class AxisEnds {
  kDecades,  // the axis begins and ends with a power of ten
  kValues    // with the least and the greatest value
};

class LogAxis {
 public:
  // Holds all of the positive values.
  LogAxis(std::span<const double> values, AxisEnds ends);

  double least() const;
  double greatest() const;
  // 0 to 1 along the axis, which it never leaves.
  double at(double value) const;
  // Powers of ten along the axis, about `most` or fewer, equally far apart.
  std::vector<double> ticks(int most) const;

 private:
  double low_ = 0;  // exponents of ten
  double high_ = 1;
};

}  // namespace cistern::tools
