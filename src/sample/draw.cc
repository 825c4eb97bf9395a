#include "sample/draw.h"

#include <cmath>
#include <limits>

#include "sample/portable_math.h"

namespace cistern::sample {

text::TokenId greedy(std::span<const float> logits) {
  std::size_t best = 0;
  float highest = -std::numeric_limits<float>::infinity();
  for (std::size_t id = 0; id < logits.size(); ++id) {
    if (logits[id] > highest) {  // false for NaN
      highest = logits[id];
      best = id;
    }
  }
  return static_cast<text::TokenId>(best);
}

void apply_temperature(Candidates& candidates, float temperature) {
  float max = -std::numeric_limits<float>::infinity();
  for (const Candidate& c : candidates) max = std::max(max, c.logit);
  for (Candidate& c : candidates) c.logit = c.logit == max ? 0.0F : (c.logit - max) / temperature;
}

Candidate draw(Candidates& candidates, Rng& rng) {
  softmax(candidates);
  const double target = rng.uniform();
  double sum = 0;
  const Candidate* last_possible = &candidates.front();
  for (const Candidate& c : candidates) {
    if (c.p <= 0) continue;
    sum += c.p;
    last_possible = &c;
    if (sum > target) break;
  }
  return *last_possible;  // also where rounding kept the sum below the target
}

text::TokenId draw_mirostat(Candidates& candidates, float tau, float eta, MirostatState& state, Rng& rng) {
  constexpr double kBitsPerNat = 0x1.71547652b82fep+0;
  softmax(candidates);
  const Candidate best = *std::ranges::min_element(candidates, higher_logit);
  const double log_total = -portable_log(best.p);  // of the softmax, relative to the best
  const double least = portable_exp(-state.mu / kBitsPerNat);
  std::erase_if(candidates, [&](const Candidate& c) { return c.id != best.id && c.p < least; });
  const Candidate drawn = draw(candidates, rng);
  // draw() normalized anew; the surprise is that of the distribution before the cut.
  const double below_best =
      drawn.logit == best.logit ? 0.0 : static_cast<double>(best.logit) - static_cast<double>(drawn.logit);
  const double surprise = (log_total + below_best) * kBitsPerNat;
  state.mu -= eta * (surprise - tau);
  return drawn.id;
}

}  // namespace cistern::sample
