#include "sample/truncation.h"

#include <cmath>
#include <limits>

#include "sample/portable_math.h"

namespace cistern::sample {
namespace {

// Cuts the list after the shortest beginning, in the order of `compare`, that holds `mass`.
template <class Compare>
void keep_mass(Candidates& candidates, double mass, Compare compare) {
  LazySorter sorter(candidates, compare);
  double sum = 0;
  std::size_t count = 0;
  do {
    sum += sorter.at(count++).p;
  } while (count < candidates.size() && sum < mass);
  candidates.resize(count);
}

}  // namespace

void take_top_k(std::span<const float> logits, std::uint32_t k, Candidates& out) {
  out.clear();
  if (k == 0 || k >= logits.size()) {
    out.reserve(logits.size());
    for (std::size_t id = 0; id < logits.size(); ++id) {
      out.push_back({.id = static_cast<text::TokenId>(id), .logit = logits[id]});
    }
    return;
  }
  // A heap of the best k so far, its worst in front: the vocabulary is read once and nearly every token costs
  // one comparison.
  out.reserve(k);
  for (std::size_t id = 0; id < logits.size(); ++id) {
    const Candidate candidate{.id = static_cast<text::TokenId>(id), .logit = logits[id]};
    if (out.size() < k) {
      out.push_back(candidate);
      if (out.size() == k) std::make_heap(out.begin(), out.end(), higher_logit);
    } else if (candidate.logit > out.front().logit) {  // a tie goes to the lower id, which is in already
      std::pop_heap(out.begin(), out.end(), higher_logit);
      out.back() = candidate;
      std::push_heap(out.begin(), out.end(), higher_logit);
    }
  }
  std::sort_heap(out.begin(), out.end(), higher_logit);
}

void keep_typical(Candidates& candidates, float typical_p) {
  if (typical_p >= 1.0F) return;
  softmax(candidates);
  const Candidate best = *std::ranges::min_element(candidates, higher_logit);
  if (std::isinf(best.logit)) return;  // surprises cannot be compared
  // log p = logit - log_sum, so no logarithm per candidate is needed.
  const double log_sum = static_cast<double>(best.logit) - portable_log(best.p);
  double mean_logit = 0;
  for (const Candidate& c : candidates) {
    if (c.p > 0) mean_logit += c.p * static_cast<double>(c.logit);
  }
  const double entropy = log_sum - mean_logit;
  const auto distance = [=](const Candidate& c) {
    return std::abs(log_sum - static_cast<double>(c.logit) - entropy);
  };
  keep_mass(candidates, typical_p, [distance](const Candidate& a, const Candidate& b) {
    const double distance_a = distance(a);
    const double distance_b = distance(b);
    return distance_a < distance_b || (distance_a == distance_b && higher_logit(a, b));
  });
}

void keep_top_p(Candidates& candidates, float top_p) {
  if (top_p >= 1.0F) return;
  softmax(candidates);
  // Tokens this unlikely make up less than 1 - top_p even all together: they need no sorting.
  const double negligible = (1.0 - static_cast<double>(top_p)) / static_cast<double>(candidates.size());
  std::erase_if(candidates, [negligible](const Candidate& c) { return c.p < negligible; });
  keep_mass(candidates, top_p, higher_logit);
}

void keep_min_p(Candidates& candidates, float min_p) {
  if (min_p <= 0.0F) return;
  float max = -std::numeric_limits<float>::infinity();
  for (const Candidate& c : candidates) max = std::max(max, c.logit);
  // p >= min_p * p_max, as logits: needs no sum over the list.
  const double least = static_cast<double>(max) + portable_log(static_cast<double>(min_p));
  std::erase_if(candidates,
                [&](const Candidate& c) { return c.logit < max && static_cast<double>(c.logit) < least; });
}

void exclude_top_choices(Candidates& candidates, float threshold) {
  softmax(candidates);
  const Candidate* least_likely = nullptr;  // of those above the threshold
  for (const Candidate& c : candidates) {
    if (c.p >= threshold && (least_likely == nullptr || higher_logit(*least_likely, c))) least_likely = &c;
  }
  if (least_likely == nullptr) return;
  const Candidate kept = *least_likely;
  std::erase_if(candidates, [&](const Candidate& c) { return c.id != kept.id && c.p >= threshold; });
}

}  // namespace cistern::sample
