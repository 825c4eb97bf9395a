#include "sample/penalties.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace cistern::sample {

void apply_bias(std::span<float> logits, LogitBias bias) {
  for (const auto& [id, amount] : bias) {
    float& logit = logits[id];
    // A ban also holds against an infinite logit, where the sum would be NaN.
    logit = std::isinf(amount) ? amount : logit + amount;
  }
}

void apply_penalties(std::span<float> logits, std::span<const text::TokenId> history,
                     const SamplerOptions& options, std::vector<std::uint32_t>& counts) {
  const bool active = options.repetition_penalty != 1.0F || options.presence_penalty != 0.0F ||
                      options.frequency_penalty != 0.0F;
  if (!active) return;
  const auto window = history.last(std::min<std::size_t>(history.size(), options.penalty_window));
  for (const text::TokenId id : window) ++counts[id];
  for (const text::TokenId id : window) {
    const std::uint32_t seen = std::exchange(counts[id], 0);
    if (seen == 0) continue;  // done at an earlier place of the window
    float& logit = logits[id];
    logit = logit > 0 ? logit / options.repetition_penalty : logit * options.repetition_penalty;
    logit -= options.presence_penalty + static_cast<float>(seen) * options.frequency_penalty;
  }
}

}  // namespace cistern::sample
