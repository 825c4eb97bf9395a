// Hyper-connections (Xie et al. 2026): a token's residual is several streams; a block reads a weighted sum of
// them, and its result is spread over them while they are mixed by a nearly doubly stochastic matrix. The
// weights come from the streams themselves. Row by row, split over the threads.
#pragma once

#include <cstdint>

#include "ops/exec.h"
#include "tensor/view.h"

namespace cistern::ops {

// Of one connection.
struct HyperWeights {
  WeightView fn;     // (dim * streams, (2 + streams) * streams): pre, post, mixing
  WeightView base;   // f32 ((2 + streams) * streams)
  WeightView scale;  // f32 (3); of the final one 1
  std::uint32_t n_streams = 0;
  std::uint32_t iterations = 0;  // of Sinkhorn and Knopp's normalisation
  float norm_eps = 0;
  float eps = 0;
};

// weights[t] = (pre, post, mixing) of streams[t]; out[t] = sum over streams of pre times stream. `normed` is
// working memory of the shape of `streams`.
void enter_block(const Exec& exec, const HyperWeights& hyper, const TensorView& streams,
                 const TensorView& normed, const TensorView& weights, const TensorView& out);

// streams[t, k] = post[k] * result[t] + sum over j of mixing[j, k] * streams[t, j]. `next` is working memory
// of the shape of `streams`.
void leave_block(const Exec& exec, std::uint32_t n_streams, const TensorView& weights,
                 const TensorView& result, const TensorView& next, const TensorView& streams);

// out[t] = sum over streams of pre times stream, where fn and base have the `pre` part only.
void join_streams(const Exec& exec, const HyperWeights& hyper, const TensorView& streams,
                  const TensorView& normed, const TensorView& weights, const TensorView& out);

}  // namespace cistern::ops
