#include "ops/pooling.h"

#include <cmath>

#include "base/check.h"

namespace cistern::ops {

void add_rows(const Exec& exec, const TensorView& x, std::span<double> sums) {
  constexpr std::uint64_t kColumnsAtOnce = 64;
  CISTERN_CHECK(x.shape.cols() == sums.size());
  for_shares(exec, sums.size(), kColumnsAtOnce, [&](int, Range columns) {
    for (std::uint64_t t = 0; t < x.shape.rows(); ++t) {
      const float* row = x.row(t);
      for (std::uint64_t i = columns.begin; i < columns.end; ++i) sums[i] += double{row[i]};
    }
  });
}

void scale_to_unit_length(std::span<float> x) {
  double squares = 0;
  for (const float value : x) squares += double{value} * value;
  if (squares == 0) return;
  const double factor = 1.0 / std::sqrt(squares);
  for (float& value : x) value = static_cast<float>(value * factor);
}

}  // namespace cistern::ops
