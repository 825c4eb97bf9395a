// One token of the gated delta rule over vectors (elementwise_table.h says what it computes). A tile's state,
// a few thousand values, stays in the nearest cache through all tokens of a chunk. Included by
// generic/elementwise.h. Not a public header.
#pragma once

#include <cstddef>

#include "kernels/elementwise_table.h"

namespace cistern::kernels {
namespace {

constexpr std::size_t kTileVectors = kDeltaColumns / kVectorFloats;
// Sums that do not wait for one another: with those of keys and of queries eight registers.
constexpr std::size_t kChains = kTileVectors < 4 ? 4 / kTileVectors : 1;

struct TileRow {
  Vector parts[kTileVectors] = {};
};

inline TileRow load_columns(const float* values, std::size_t n) noexcept {
  float padded[kDeltaColumns] = {};
  std::memcpy(padded, values, n * sizeof(float));
  TileRow row;
  std::memcpy(&row, padded, sizeof row);
  return row;
}

inline TileRow sum_of(const TileRow (&chains)[kChains]) noexcept {
  TileRow sum = chains[0];
  for (std::size_t chain = 1; chain < kChains; ++chain)
    for (std::size_t p = 0; p < kTileVectors; ++p) sum.parts[p] += chains[chain].parts[p];
  return sum;
}

inline Vector all(float x) noexcept {
  return x - Vector{};  // unlike a sum with 0 this changes no x, so it costs nothing
}

// Calls f(key, chain) for all keys; chains are constants, so that their sums stay in registers.
template <class F>
inline void for_keys(std::size_t n_keys, const F& f) noexcept {
  std::size_t i = 0;
  for (; i + kChains <= n_keys; i += kChains) {
#pragma GCC unroll 8
    for (std::size_t chain = 0; chain < kChains; ++chain) f(i + chain, chain);
  }
  for (; i < n_keys; ++i) f(i, 0);
}

// What the state, once it has forgotten, gives for the key and for the query; and key times query, in all
// columns.
struct Recalled {
  TileRow for_key, for_query;
  Vector overlap;
};

template <bool kOneDecay>
inline Recalled recall(const DeltaRuleToken& token) noexcept {
  const float* const state = token.state;
  const float* const key = token.key;
  const float* const query = token.query;
  const float* const decay = token.decay;
  const Vector one_decay = all(decay[0]);
  TileRow for_key[kChains], for_query[kChains];
  Vector overlap = {};
  for_keys(token.n_keys, [&](std::size_t i, std::size_t chain) {
    const Vector k = all(key[i]), q = all(query[i]);
    const Vector kept = kOneDecay ? one_decay : all(decay[i]);
    overlap = multiply_add(k, q, overlap);
    for (std::size_t p = 0; p < kTileVectors; ++p) {
      const Vector x = load_whole(state + i * kDeltaColumns + p * kVectorFloats) * kept;
      for_key[chain].parts[p] = multiply_add(x, k, for_key[chain].parts[p]);
      for_query[chain].parts[p] = multiply_add(x, q, for_query[chain].parts[p]);
    }
  });
  return {sum_of(for_key), sum_of(for_query), overlap};
}

template <bool kOneDecay>
inline void forget_and_learn(const DeltaRuleToken& token, const TileRow& change) noexcept {
  float* const state = token.state;
  const float* const key = token.key;
  const float* const decay = token.decay;
  const Vector one_decay = all(decay[0]);
  for_keys(token.n_keys, [state, key, decay, one_decay, change](std::size_t i, std::size_t) {
    const Vector k = all(key[i]);
    const Vector kept = kOneDecay ? one_decay : all(decay[i]);
    for (std::size_t p = 0; p < kTileVectors; ++p) {
      float* x = state + i * kDeltaColumns + p * kVectorFloats;
      store_whole(x, multiply_add(change.parts[p], k, load_whole(x) * kept));
    }
  });
}

// The new state's answer is the old one's, and what the change adds to it: the state is written only once.
template <bool kOneDecay>
void delta_rule_of(const DeltaRuleToken& token) noexcept {
  const Recalled recalled = recall<kOneDecay>(token);
  TileRow change = load_columns(token.value, token.n_columns), out;
  for (std::size_t p = 0; p < kTileVectors; ++p) {
    change.parts[p] = (change.parts[p] - recalled.for_key.parts[p]) * token.beta;
    out.parts[p] = multiply_add(change.parts[p], recalled.overlap, recalled.for_query.parts[p]);
  }
  forget_and_learn<kOneDecay>(token, change);
  std::memcpy(token.out, &out, token.n_columns * sizeof(float));
}

void delta_rule(const DeltaRuleToken& token) noexcept {
  token.decays_differ ? delta_rule_of<false>(token) : delta_rule_of<true>(token);
}

}  // namespace
}  // namespace cistern::kernels
