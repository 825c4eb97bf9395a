// How kernels that hold the sums of kMost tokens in registers take more of them. Not a public header.
#pragma once

namespace cistern::kernels {
namespace {

// Calls f(first, count) for groups of at most kMost tokens, as even as possible: 8 are 4 + 4, not 6 + 2.
template <int kMost, class F>
inline void for_token_groups(int n_tokens, const F& f) noexcept {
  const int n_groups = (n_tokens + kMost - 1) / kMost;
  int first = 0;
  for (int group = 0; group < n_groups; ++group) {
    const int count = (n_tokens - first) / (n_groups - group);
    f(first, count);
    first += count;
  }
}

}  // namespace
}  // namespace cistern::kernels
