#include "engine/draft_length.h"

#include <algorithm>
#include <cmath>

namespace cistern::engine {
namespace {

// Weight of a new observation: the last ten or so count.
constexpr double kNew = 0.1;
// Steps from one that is done only to learn from it to the next.
constexpr std::uint32_t kTrialEvery = 16;

void blend(double& average, double value) {
  average += kNew * (value - average);
}

}  // namespace

double DraftLength::tokens(std::uint32_t drafted) const {
  // 1 + p + p^2 + ...
  return right_ > 0.999 ? drafted + 1.0 : (1 - std::pow(right_, drafted + 1.0)) / (1 - right_);
}

double DraftLength::seconds(std::uint32_t drafted) const {
  return 1 + more_share_ * drafted;
}

std::uint32_t DraftLength::best(std::uint32_t most) const {
  std::uint32_t best = 0;
  for (std::uint32_t n = 1; n <= most; ++n) {
    if (tokens(n) / seconds(n) > tokens(best) / seconds(best)) best = n;
  }
  return best;
}

DraftLength::Count DraftLength::next(std::uint32_t most) {
  if (most == 0 || one_s_ == 0) return {};
  const bool is_trial = ++n_asked_ % kTrialEvery == 0;
  const std::uint32_t n = best(most);
  if (!is_trial) return {.made = n, .checked = n};
  if (n > 0) return {};
  return {.made = 1, .checked = right_ > 0.5 ? 1U : 0U};  // where it is likely right, checking costs little
}

void DraftLength::add_step(std::uint32_t drafted, std::uint32_t accepted, double seconds) {
  if (drafted == 0) {
    one_s_ > 0 ? blend(one_s_, seconds) : void(one_s_ = seconds);
    return;
  }
  for (std::uint32_t i = 0; i < accepted; ++i) blend(right_, 1);
  if (accepted < drafted) blend(right_, 0);
  if (one_s_ > 0) blend(more_share_, std::clamp((seconds / one_s_ - 1) / drafted, 0.0, 2.0));
}

void DraftLength::add_hint(bool right) {
  blend(right_, right ? 1 : 0);
}

}  // namespace cistern::engine
