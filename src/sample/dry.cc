#include "sample/dry.h"

#include <algorithm>
#include <limits>

namespace cistern::sample {

Dry::Dry(const SamplerOptions& options, std::uint32_t n_vocab)
    : multiplier_(options.dry_multiplier),
      base_(options.dry_base),
      allowed_length_(options.dry_allowed_length),
      window_(options.dry_window) {
  if (multiplier_ == 0) return;
  single_breakers_.resize(n_vocab);
  longest_.resize(n_vocab);
  for (const auto& breaker : options.dry_breakers) {
    if (breaker.size() == 1) single_breakers_[breaker.front()] = true;
    if (breaker.size() > 1) long_breakers_.push_back(breaker);
  }
}

std::size_t Dry::tokens_after_last_breaker(std::span<const text::TokenId> text) const {
  for (std::size_t end = text.size(); end > 0; --end) {
    if (single_breakers_[text[end - 1]]) return text.size() - end;
    for (const auto& breaker : long_breakers_) {
      if (breaker.size() <= end && std::ranges::equal(text.first(end).last(breaker.size()), breaker)) {
        return text.size() - end;
      }
    }
  }
  return text.size();
}

// repeats_[d] = how many tokens before the last d of the text equal the tokens at its very end: the Z
// function of the reversed text. Each comparison that succeeds moves `right` on, so the whole is linear.
void Dry::measure_repeats(std::span<const text::TokenId> text) {
  const std::size_t n = text.size();
  const auto reversed = [&](std::size_t i) { return text[n - 1 - i]; };
  repeats_.assign(n, 0);
  std::size_t left = 0;
  std::size_t right = 0;  // [left, right) of the reversed text is known to equal its beginning
  for (std::size_t d = 1; d < n; ++d) {
    std::size_t length = d < right ? std::min(right - d, repeats_[d - left]) : 0;
    while (d + length < n && reversed(d + length) == reversed(length)) ++length;
    repeats_[d] = length;
    if (d + length > right) {
      left = d;
      right = d + length;
    }
  }
}

void Dry::apply(std::span<float> logits, std::span<const text::TokenId> history) {
  if (multiplier_ == 0) return;
  const auto text = window_ == 0 ? history : history.last(std::min<std::size_t>(history.size(), window_));
  const std::size_t limit = tokens_after_last_breaker(text);
  if (limit < allowed_length_) return;
  measure_repeats(text);
  for (std::size_t d = 1; d < text.size(); ++d) {
    std::size_t& longest = longest_[text[text.size() - d]];  // the token that followed the repeated ones
    longest = std::max(longest, std::min(repeats_[d], limit));
  }
  for (std::size_t d = 1; d < text.size(); ++d) {
    const text::TokenId id = text[text.size() - d];
    const std::size_t length = std::exchange(longest_[id], 0);
    if (length == 0 || length < allowed_length_) continue;
    float penalty = multiplier_;
    for (std::size_t i = allowed_length_; i < length && penalty < std::numeric_limits<float>::max(); ++i) {
      const float next = penalty * base_;
      if (next == penalty) break;  // a base of 1
      penalty = std::min(next, std::numeric_limits<float>::max());
    }
    logits[id] -= penalty;
  }
}

}  // namespace cistern::sample
