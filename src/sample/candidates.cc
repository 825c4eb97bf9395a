#include "sample/candidates.h"

#include <cmath>
#include <limits>

#include "base/check.h"
#include "sample/portable_math.h"

namespace cistern::sample {

void softmax(Candidates& candidates) {
  CISTERN_CHECK(!candidates.empty());
  float max = -std::numeric_limits<float>::infinity();
  for (const Candidate& c : candidates) max = std::max(max, c.logit);
  double sum = 0;
  for (Candidate& c : candidates) {
    // Equal to the maximum, also where both are infinite and their difference would be NaN.
    c.p = c.logit == max ? 1.0 : portable_exp(static_cast<double>(c.logit) - static_cast<double>(max));
    sum += c.p;
  }
  for (Candidate& c : candidates) c.p /= sum;
}

}  // namespace cistern::sample
