// Attention of a chunk of queries over a layer's KV cache, with grouped heads, windows and soft caps,
// by the online softmax (Milakov & Gimelshein 2018) over fixed blocks of keys; and the store of new keys and
// values into the cache. Each query's result is a function of its own position and the cache only.
#pragma once

#include <cstdint>

#include "kv/cache.h"
#include "ops/elementwise.h"
#include "ops/exec.h"

namespace cistern::ops {

// Encodes the keys and values of tokens first_position.. into the cache; no values where they are part of the
// keys. Heads of a row are adjacent columns.
void store_kv(const Exec& exec, const HeadsView& keys, const HeadsView& values, const kv::LayerView& cache,
              std::uint32_t first_position);

// Which positions the query at p sees.
enum class Mask {
  kSliding,    // up to p: all, or the last `window`
  kChunked,    // up to p, from the last multiple of `window` on
  kSymmetric,  // all of the call's tokens, or those less than `window` away
};

struct AttentionArgs {
  HeadsView queries;  // token t is at position first_position + t; its own key is in the cache already
  kv::LayerView cache;
  std::uint32_t first_position = 0;
  float scale = 1.0F;
  float softcap = 0;             // 0: off
  Mask mask = Mask::kSliding;    // its window is the cache's
  const float* sinks = nullptr;  // (n_heads): a score that takes part in the softmax and has no value
  TensorView out;                // f32 (n_heads * value_dim, tokens)
};

void attention(const Exec& exec, const AttentionArgs& args);

}  // namespace cistern::ops
