// Grouped-query attention (Ainslie et al. 2023), with the options of the decoder family: fused projections,
// biases, per-head norms, windows, soft caps, a norm on the output.
#include "model/blocks.h"
#include "ops/attention.h"
#include "ops/elementwise.h"

namespace cistern::model {
namespace {

using spec::Role;

// Queries, keys and values of the chunk, wherever the projections put them.
struct Heads {
  ops::HeadsView q, k, v;
};

// One matrix gives all three, side by side in each row.
Result<Heads> project_fused(const Step& step, const spec::AttentionSpec& a, const WeightSet& weights) {
  const std::uint32_t q_cols = a.n_heads * a.head_dim;
  const std::uint32_t k_cols = a.n_kv_heads * a.head_dim;
  const std::uint32_t v_cols = a.n_kv_heads * a.value_dim;
  const TensorView rows = step.buffer(step.layout.qkv, std::uint64_t{q_cols} + k_cols + v_cols);
  CISTERN_TRY_VOID(project(step, weights, step.normed(), {{Role::kWqkv, Role::kBqkv, rows}}));
  return Heads{.q = {rows, 0, a.n_heads, a.head_dim},
               .k = {rows, q_cols, a.n_kv_heads, a.head_dim},
               .v = {rows, q_cols + k_cols, a.n_kv_heads, a.value_dim}};
}

// Three matrices, three regions one after the other.
Result<Heads> project_separate(const Step& step, const spec::AttentionSpec& a, const WeightSet& weights) {
  std::uint64_t offset = step.layout.qkv;
  const auto region = [&](std::uint32_t n_heads, std::uint32_t head_dim) {
    const TensorView rows = step.buffer(offset, std::uint64_t{n_heads} * head_dim);
    offset += rows.shape.elements() * sizeof(float);
    return ops::HeadsView{rows, 0, n_heads, head_dim};
  };
  const Heads heads{.q = region(a.n_heads, a.head_dim),
                    .k = region(a.n_kv_heads, a.head_dim),
                    .v = region(a.n_kv_heads, a.value_dim)};
  CISTERN_TRY_VOID(project(step, weights, step.normed(),
                           {{Role::kWq, Role::kBq, heads.q.rows},
                            {Role::kWk, Role::kBk, heads.k.rows},
                            {Role::kWv, Role::kBv, heads.v.rows}}));
  return heads;
}

Result<void> norm_heads(const Step& step, const WeightSet& weights, Role role, const ops::HeadsView& heads) {
  if (!weights.has(role)) return {};
  CISTERN_TRY(const store::Lease weight, weights.lease(step.store, role));
  ops::rms_norm_heads(step.exec, heads, weight.view(), step.model.norm_eps);
  return {};
}

ops::Rotation rotation_of(const Segment& segment, const spec::RopeSpec& rope) {
  const bool use_long = segment.long_rope && !rope.inv_freq_long.empty();
  return {.inv_freq = use_long ? rope.inv_freq_long : rope.inv_freq,
          .interleaved = rope.style == spec::RopeStyle::kInterleaved,
          .factor = rope.attention_factor};
}

// The part of `heads` that belongs to a segment.
ops::HeadsView part_of(const ops::HeadsView& heads, const Segment& segment) {
  ops::HeadsView part = heads;
  part.rows = heads.rows.rows(segment.first_row, segment.n_tokens);
  return part;
}

// Rotates, stores and attends one sequence's tokens.
void attend(const Step& step, const Segment& segment, std::uint32_t li, const Heads& heads,
            const TensorView& attended) {
  const spec::AttentionSpec& a = step.model.layers[li].attention;
  const ops::HeadsView q = part_of(heads.q, segment);
  const ops::HeadsView k = part_of(heads.k, segment);
  const ops::Rotation rotation = rotation_of(segment, step.model.ropes[a.rope]);
  ops::rope(step.exec, q, rotation, segment.first_position());
  ops::rope(step.exec, k, rotation, segment.first_position());
  const kv::LayerView cache = segment.cache.layer(li);
  ops::store_kv(step.exec, k, part_of(heads.v, segment), cache, segment.first_position());
  ops::attention(step.exec, {.queries = q,
                             .cache = cache,
                             .first_position = segment.first_position(),
                             .scale = a.scale,
                             .softcap = a.softcap,
                             .out = attended.rows(segment.first_row, segment.n_tokens)});
}

}  // namespace

Result<void> attention_gqa(const Step& step, std::uint32_t li, const WeightSet& weights) {
  const spec::AttentionSpec& a = step.model.layers[li].attention;
  CISTERN_TRY(const store::Lease norm, weights.lease(step.store, Role::kAttnNorm));
  ops::rms_norm(step.exec, step.residual(), norm.view(), step.model.norm_eps, step.normed());

  CISTERN_TRY(const Heads heads, weights.has(Role::kWqkv) ? project_fused(step, a, weights)
                                                          : project_separate(step, a, weights));
  CISTERN_TRY_VOID(norm_heads(step, weights, Role::kQNorm, heads.q));
  CISTERN_TRY_VOID(norm_heads(step, weights, Role::kKNorm, heads.k));
  const TensorView attended = step.buffer(step.layout.attended, std::uint64_t{a.n_heads} * a.value_dim);
  for (const Segment& segment : step.segments) attend(step, segment, li, heads, attended);

  CISTERN_TRY_VOID(project(step, weights, attended, {{Role::kWo, Role::kBo, step.normed()}}));
  CISTERN_TRY_VOID(norm_in_place(step, weights, Role::kPostAttnNorm, step.normed()));
  ops::add(step.exec, step.residual(), step.normed());
  return {};
}

}  // namespace cistern::model
