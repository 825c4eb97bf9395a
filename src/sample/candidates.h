// The candidate list that the steps of the chain narrow: tokens with their logits and, after softmax(), their
// probabilities. Its order never depends on the C++ library: comparisons are total (ties go to the lower id)
// and filters keep the order. Plain data, owned by the Sampler and re-used from token to token.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "text/vocab.h"

namespace cistern::sample {

struct Candidate {
  text::TokenId id = 0;
  float logit = 0;
  double p = 0;  // set by softmax(); stale after a step removed candidates
};

using Candidates = std::vector<Candidate>;

inline bool higher_logit(const Candidate& a, const Candidate& b) {
  return a.logit > b.logit || (a.logit == b.logit && a.id < b.id);
}

// Probabilities of the candidates among themselves. An infinite logit takes everything (several share it); if
// all are minus infinity, all are equally likely. REQUIRES: not empty, no NaN.
void softmax(Candidates& candidates);

// Sorts a list only as far as it is looked at: prefix(n) sorts at least the first n. A nucleus is mostly a
// few tokens of a large vocabulary, for which sorting everything would cost more than the rest of the chain.
template <class Compare>
class LazySorter {
 public:
  LazySorter(Candidates& list, Compare compare) : list_(list), compare_(compare) {}

  const Candidate& at(std::size_t index) {
    while (index >= sorted_) grow();
    return list_[index];
  }

 private:
  void grow() {
    const std::size_t end = std::min(list_.size(), std::max<std::size_t>(64, sorted_ * 8));
    const auto first = list_.begin() + static_cast<std::ptrdiff_t>(sorted_);
    const auto middle = list_.begin() + static_cast<std::ptrdiff_t>(end);
    std::nth_element(first, middle - 1, list_.end(), compare_);
    std::sort(first, middle, compare_);
    sorted_ = end;
  }

  Candidates& list_;
  Compare compare_;
  std::size_t sorted_ = 0;
};

}  // namespace cistern::sample
