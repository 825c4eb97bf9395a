#include "tools/log_axis.h"

#include <algorithm>
#include <cmath>

namespace cistern::tools {

LogAxis::LogAxis(std::span<const double> values, AxisEnds ends) {
  bool any = false;
  for (const double value : values) {
    if (!(value > 0) || !std::isfinite(value)) continue;
    const double exponent = std::log10(value);
    low_ = any ? std::min(low_, exponent) : exponent;
    high_ = any ? std::max(high_, exponent) : exponent;
    any = true;
  }
  if (ends == AxisEnds::kDecades) {
    low_ = std::floor(low_);
    high_ = std::ceil(high_);
  }
  // A single value still has an axis around it.
  if (high_ <= low_) high_ = low_ + 1;
}

double LogAxis::least() const {
  return std::pow(10, low_);
}

double LogAxis::greatest() const {
  return std::pow(10, high_);
}

double LogAxis::at(double value) const {
  if (!(value > 0)) return 0;
  return std::clamp((std::log10(value) - low_) / (high_ - low_), 0.0, 1.0);
}

std::vector<double> LogAxis::ticks(int most) const {
  const int first = static_cast<int>(std::ceil(low_));
  const int last = static_cast<int>(std::floor(high_));
  const int step = std::max(1, (last - first + most - 1) / most);
  std::vector<double> ticks;
  for (int exponent = first; exponent <= last; exponent += step) ticks.push_back(std::pow(10, exponent));
  return ticks;
}

}  // namespace cistern::tools
