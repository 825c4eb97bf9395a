// The block kinds of a decoder layer, one file each, and the layer that joins them. Errors come from the
// weight store only.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "base/error.h"
#include "model/step.h"
#include "model/weights.h"
#include "ops/elementwise.h"

namespace cistern::model {

// A weight, where the product goes, and the bias that goes with the weight where the layer has one.
struct Projection {
  spec::Role weight;
  TensorView out;
  spec::Role bias = spec::Role::kNone;
};

// For each projection (at most 4): out = x times the weight, plus the bias.
Result<void> project(const Step& step, const WeightSet& weights, const TensorView& x,
                     std::initializer_list<Projection> projections);

// One projection.
Result<void> project(const Step& step, const WeightSet& weights, const TensorView& x,
                     const Projection& projection);

// The same with the weight decoded to floats and x as it is: where a choice hangs on the result.
Result<void> project_in_floats(const Step& step, const WeightSet& weights, const TensorView& x,
                               const Projection& projection);

// Head h of each token of `out` = matrix h of the weight times head h of x.
Result<void> project_heads(const Step& step, const WeightSet& weights, spec::Role weight,
                           const ops::HeadsView& x, const ops::HeadsView& out);

// out = the model's norm of x, with the weight and bias of these roles. x and out may be the same. Without a
// weight out = x.
Result<void> norm(const Step& step, const WeightSet& weights, spec::Role weight, spec::Role bias,
                  const TensorView& x, const TensorView& out);

// How a sequence's tokens are rotated.
ops::Rotation rotation_of(const Segment& segment, const spec::RopeSpec& rope);

// The part of `heads` that belongs to a segment.
ops::HeadsView part_of(const ops::HeadsView& heads, const Segment& segment);

// out = RMSNorm of x with the weight of this role. x and out may be the same.
Result<void> rms_norm(const Step& step, const WeightSet& weights, spec::Role weight, const TensorView& x,
                      const TensorView& out);

// The blocks read step.normed() and leave their result in step.block_out().

// q, k, v -> (head norms) -> rope -> KV cache -> attention -> output projection.
Result<void> attention_gqa(const Step& step, std::uint32_t li, const WeightSet& weights);

// q, latent -> rope -> queries into the latent's space -> cache -> attention -> values -> output projection.
Result<void> attention_mla(const Step& step, std::uint32_t li, const WeightSet& weights);

// Attention over a window and compressed tokens.
Result<void> attention_compressed(const Step& step, std::uint32_t li, const WeightSet& weights);
// gate, x, B, C and time steps -> short convolution -> state space -> gate -> norm -> output projection.
Result<void> mamba2(const Step& step, std::uint32_t li, const WeightSet& weights);

// Two gates and x -> short convolution between the gates -> output projection.
Result<void> short_conv(const Step& step, std::uint32_t li, const WeightSet& weights);
// q, k, v -> short convolution -> gated delta rule -> gated norm -> output projection.
Result<void> delta_net(const Step& step, std::uint32_t li, const WeightSet& weights);

// (gate,) up -> activation -> down.
Result<void> ffn_dense(const Step& step, const spec::FfnSpec& ffn, const WeightSet& weights);

// router -> the chosen experts, each an ffn_dense, weighted; beside them an expert that every token takes.
Result<void> ffn_moe(const Step& step, const spec::FfnSpec& ffn, const WeightSet& weights);
// The same where the router reads something else, which may lie in block_out().
Result<void> ffn_moe(const Step& step, const spec::FfnSpec& ffn, const WeightSet& weights,
                     const TensorView& router_input);

// A layer: its blocks, the norms around them and the residual stream.
Result<void> run_layer(const Step& step, std::uint32_t li, const WeightSet& weights);

// How a spec's activation is computed.
ops::GateFn gate_fn(spec::Activation activation);
float gate_limit(const spec::FfnSpec& ffn);

}  // namespace cistern::model
