// The gated delta rule (Yang et al. 2024) behind a short convolution: queries, keys and values, and what each
// token forgets and learns -> the recurrence -> RMSNorm of each head, gated -> output projection. With one
// decay per head, or one per key channel: Kimi delta attention (Kimi Team 2025).
#include <cmath>

#include "model/blocks.h"
#include "ops/delta_rule.h"
#include "ops/elementwise.h"
#include "ops/short_conv.h"

namespace cistern::model {
namespace {

using spec::Role;

class DeltaNet {
 public:
  DeltaNet(const Step& step, std::uint32_t li, const WeightSet& weights)
      : step_(step),
        li_(li),
        weights_(weights),
        d_(*step.model.layers[li].delta_net),
        key_cols_(d_.n_key_heads * d_.key_dim),
        value_cols_(d_.n_value_heads * d_.value_dim),
        memory_(step) {}

  Result<void> run() {
    beta_ = memory_.take(d_.n_value_heads);
    decay_ = memory_.take(d_.channel_decay ? key_cols_ : d_.n_value_heads);
    const TensorView out = memory_.take(value_cols_);
    CISTERN_TRY_VOID(d_.channel_decay ? project_channels() : project_heads());
    // Queries bring the scale of attention with them.
    ops::l2_norm_heads(step_.exec, q_, 1.0F / std::sqrt(static_cast<float>(d_.key_dim)));
    ops::l2_norm_heads(step_.exec, k_);
    for (const Segment& segment : step_.segments) recur(segment, out);

    CISTERN_TRY(const store::Lease norm, weights_.lease(step_.store, Role::kSsmNorm));
    ops::rms_norm_heads(step_.exec, {out, 0, d_.n_value_heads, d_.value_dim}, norm.view(),
                        step_.model.norm_eps);
    const ops::GateFn fn = d_.channel_decay ? ops::GateFn::kSigmoid : ops::GateFn::kSilu;
    ops::gate(step_.exec, {.fn = fn, .gate = gate_, .up = out, .out = out});
    return project(step_, weights_, out, {Role::kSsmOut, step_.block_out()});
  }

 private:
  // One matrix gives queries, keys and values, side by side; each value head forgets as a whole.
  Result<void> project_heads() {
    const std::uint32_t per_key = d_.n_value_heads / d_.n_key_heads;
    const TensorView mixed = memory_.take(d_.conv_dim());
    q_ = {mixed, 0, d_.n_key_heads, d_.key_dim};
    k_ = {mixed, key_cols_, d_.n_key_heads, d_.key_dim};
    v_ = {mixed, 2 * key_cols_, d_.n_value_heads, d_.value_dim};
    gate_ = memory_.take(value_cols_);
    ops::HeadsView forget, learn;
    if (weights_.has(Role::kSsmBetaAlpha)) {  // for each key head what its value heads learn, then forget
      const TensorView both = memory_.take(std::uint64_t{2} * d_.n_value_heads);
      learn = {both, 0, d_.n_key_heads, per_key, 2 * per_key};
      forget = {both, per_key, d_.n_key_heads, per_key, 2 * per_key};
      CISTERN_TRY_VOID(project(step_, weights_, step_.normed(),
                               {{Role::kWqkv, mixed}, {Role::kSsmGate, gate_}, {Role::kSsmBetaAlpha, both}}));
    } else {
      learn = {beta_, 0, d_.n_key_heads, per_key};
      forget = {decay_, 0, d_.n_key_heads, per_key};
      CISTERN_TRY_VOID(project(step_, weights_, step_.normed(),
                               {{Role::kWqkv, mixed},
                                {Role::kSsmGate, gate_},
                                {Role::kSsmBeta, beta_},
                                {Role::kSsmAlpha, decay_}}));
    }
    CISTERN_TRY_VOID(gates(forget, learn));
    return convolve(Role::kSsmConv, mixed, 0);
  }

  // A matrix each; decays and output gates pass through a few values of each token.
  Result<void> project_channels() {
    const TensorView q = memory_.take(key_cols_), k = memory_.take(key_cols_), v = memory_.take(value_cols_);
    q_ = {q, 0, d_.n_key_heads, d_.key_dim};
    k_ = {k, 0, d_.n_key_heads, d_.key_dim};
    v_ = {v, 0, d_.n_value_heads, d_.value_dim};
    CISTERN_TRY_VOID(project(step_, weights_, step_.normed(),
                             {{Role::kWq, q}, {Role::kWk, k}, {Role::kWv, v}, {Role::kSsmBeta, beta_}}));
    const TensorView forget = memory_.take(d_.key_dim), gate = memory_.take(d_.value_dim);
    CISTERN_TRY_VOID(
        project(step_, weights_, step_.normed(), {{Role::kSsmFA, forget}, {Role::kSsmGA, gate}}));
    gate_ = memory_.take(value_cols_);
    CISTERN_TRY_VOID(project(step_, weights_, forget, {Role::kSsmFB, decay_}));
    CISTERN_TRY_VOID(project(step_, weights_, gate, {Role::kSsmGB, gate_}));
    CISTERN_TRY_VOID(gates({decay_, 0, d_.n_key_heads, d_.key_dim}, {beta_, 0, d_.n_value_heads, 1}));
    CISTERN_TRY_VOID(convolve(Role::kSsmConvQ, q, 0));
    CISTERN_TRY_VOID(convolve(Role::kSsmConvK, k, key_cols_));
    return convolve(Role::kSsmConvV, v, 2 * key_cols_);
  }

  // What the projections gave becomes decays and betas.
  Result<void> gates(const ops::HeadsView& forget, const ops::HeadsView& learn) {
    CISTERN_TRY(const store::Lease bias, weights_.lease(step_.store, Role::kSsmDtBias));
    CISTERN_TRY(const store::Lease a, weights_.lease(step_.store, Role::kSsmA));
    ops::delta_gates(step_.exec, {.forget = forget,
                                  .learn = learn,
                                  .bias = bias.view(),
                                  .a = a.view(),
                                  .decay = decay_,
                                  .beta = beta_});
    return {};
  }

  // In place. The first of these channels is channel `first` of all that the layer convolves.
  Result<void> convolve(Role role, const TensorView& x, std::uint64_t first) {
    CISTERN_TRY(const store::Lease weight, weights_.lease(step_.store, role));
    const auto floats = [this](std::uint64_t channels) {
      return ops::conv_state_floats(d_.conv_width, channels);
    };
    for (const Segment& segment : step_.segments) {
      const TensorView rows = x.rows(segment.first_row, segment.n_tokens);
      ops::short_conv(step_.exec,
                      {.x = rows,
                       .kernel = weight.view(),
                       .bias = {},
                       .silu = true,
                       .state = segment.cache.layer(li_).state.subspan(floats(first), floats(x.shape.cols())),
                       .out = rows});
    }
    return {};
  }

  void recur(const Segment& segment, const TensorView& out) {
    const std::uint64_t conv_floats = ops::conv_state_floats(d_.conv_width, d_.conv_dim());
    ops::delta_rule(step_.exec, {.queries = part_of(q_, segment),
                                 .keys = part_of(k_, segment),
                                 .values = part_of(v_, segment),
                                 .interleaved_heads = d_.interleaved_heads,
                                 .decay = decay_.rows(segment.first_row, segment.n_tokens),
                                 .beta = beta_.rows(segment.first_row, segment.n_tokens),
                                 .state = segment.cache.layer(li_).state.subspan(conv_floats),
                                 .out = part_of({out, 0, d_.n_value_heads, d_.value_dim}, segment)});
  }

  const Step& step_;
  std::uint32_t li_;
  const WeightSet& weights_;
  const spec::DeltaNetSpec& d_;
  std::uint32_t key_cols_, value_cols_;  // of all heads
  Workspace memory_;
  ops::HeadsView q_, k_, v_;
  TensorView gate_;   // of the output
  TensorView decay_;  // of a value head, or of a key channel
  TensorView beta_;   // of a value head
};

}  // namespace

Result<void> delta_net(const Step& step, std::uint32_t li, const WeightSet& weights) {
  return DeltaNet(step, li, weights).run();
}

}  // namespace cistern::model
