// Grouped-query attention (Ainslie et al. 2023), with the options of the decoder family: fused projections,
// biases, norms of queries and keys, windows and chunks, soft caps, sinks, gates.
#include "model/blocks.h"
#include "ops/attention.h"
#include "ops/elementwise.h"

namespace cistern::model {
namespace {

using spec::Role;

// Queries, keys and values of the chunk, wherever the projections put them.
struct Heads {
  ops::HeadsView q, k, v;
  ops::HeadsView gates;  // of gated attention
};

// One matrix gives all three, side by side in each row.
Result<Heads> project_fused(const Step& step, const spec::AttentionSpec& a, const WeightSet& weights,
                            Workspace& memory) {
  const std::uint32_t q_cols = a.n_heads * a.head_dim;
  const std::uint32_t k_cols = a.n_kv_heads * a.head_dim;
  const std::uint32_t v_cols = a.n_kv_heads * a.value_dim;
  const TensorView rows = memory.take(std::uint64_t{q_cols} + k_cols + v_cols);
  CISTERN_TRY_VOID(project(step, weights, step.normed(), {Role::kWqkv, rows, Role::kBqkv}));
  return Heads{.q = {rows, 0, a.n_heads, a.head_dim},
               .k = {rows, q_cols, a.n_kv_heads, a.head_dim},
               .v = {rows, q_cols + k_cols, a.n_kv_heads, a.value_dim},
               .gates = {}};
}

// A matrix each; layers that read another's cache have queries only.
Result<Heads> project_separate(const Step& step, const spec::AttentionSpec& a, const WeightSet& weights,
                               bool own_cache, Workspace& memory) {
  const auto region = [&](std::uint32_t n_heads, std::uint32_t head_dim) {
    return ops::HeadsView{memory.take(std::uint64_t{n_heads} * head_dim), 0, n_heads, head_dim};
  };
  Heads heads{.q = region(a.n_heads, a.gated ? 2 * a.head_dim : a.head_dim),
              .k = region(a.n_kv_heads, a.head_dim),
              .v = region(a.n_kv_heads, a.value_dim),
              .gates = {}};
  if (!own_cache) {
    CISTERN_TRY_VOID(project(step, weights, step.normed(), {Role::kWq, heads.q.rows, Role::kBq}));
  } else if (weights.has(Role::kWv)) {
    CISTERN_TRY_VOID(project(step, weights, step.normed(),
                             {{Role::kWq, heads.q.rows, Role::kBq},
                              {Role::kWk, heads.k.rows, Role::kBk},
                              {Role::kWv, heads.v.rows, Role::kBv}}));
  } else {  // the keys, before their norm, are the values too
    CISTERN_TRY_VOID(project(step, weights, step.normed(),
                             {{Role::kWq, heads.q.rows, Role::kBq}, {Role::kWk, heads.k.rows, Role::kBk}}));
    ops::copy(step.exec, heads.k.rows, heads.v.rows);
  }
  if (a.gated) {
    heads.q.head_dim = a.head_dim;
    heads.gates = heads.q;
    heads.gates.first_col = a.head_dim;
  }
  return heads;
}

Result<void> norm_heads(const Step& step, const WeightSet& weights, spec::HeadNorm kind, Role role,
                        ops::HeadsView heads) {
  if (kind == spec::HeadNorm::kNone) return {};
  if (kind == spec::HeadNorm::kRow) heads = {heads.rows, heads.first_col, 1, heads.n_heads * heads.head_dim};
  CISTERN_TRY(const store::Lease weight, weights.lease(step.store, role));
  const auto norm = kind == spec::HeadNorm::kLayerHeads ? ops::layer_norm_heads : ops::rms_norm_heads;
  norm(step.exec, heads, weight.view(), step.model.norm_eps);
  return {};
}

Result<void> norm_queries_and_keys(const Step& step, const spec::AttentionSpec& a, const WeightSet& weights,
                                   const Heads& heads, bool own_cache) {
  CISTERN_TRY_VOID(norm_heads(step, weights, a.qk_norm, Role::kQNorm, heads.q));
  return own_cache ? norm_heads(step, weights, a.qk_norm, Role::kKNorm, heads.k) : Result<void>();
}

ops::Mask mask_of(spec::Mask mask) {
  switch (mask) {
    case spec::Mask::kSliding:
      return ops::Mask::kSliding;
    case spec::Mask::kChunked:
      return ops::Mask::kChunked;
    case spec::Mask::kSymmetric:
      return ops::Mask::kSymmetric;
  }
  return ops::Mask::kSliding;
}

void rotate(const Step& step, const spec::AttentionSpec& a, const Heads& heads, bool own_cache) {
  if (a.rope == spec::kNoRope) return;
  for (const Segment& segment : step.segments) {
    const ops::Rotation rotation = rotation_of(segment, step.model.ropes[a.rope]);
    ops::rope(step.exec, part_of(heads.q, segment), rotation, segment.first_position());
    if (own_cache) ops::rope(step.exec, part_of(heads.k, segment), rotation, segment.first_position());
  }
}

// Stores and attends one sequence's tokens.
void attend(const Step& step, const Segment& segment, const spec::AttentionSpec& a, const Heads& heads,
            bool own_cache, const float* sinks, const TensorView& attended) {
  const ops::HeadsView q = part_of(heads.q, segment);
  const std::uint32_t position = segment.first_position();
  const kv::LayerView cache = segment.cache.layer(a.kv_layer);
  if (own_cache)
    ops::store_kv(step.exec, part_of(heads.k, segment), part_of(heads.v, segment), cache, position);
  if (a.temperature_scale > 0) {
    ops::scale_by_position(
        step.exec, q,
        {.scale = a.temperature_scale, .length = a.temperature_length, .offset = a.temperature_offset},
        position);
  }
  ops::attention(step.exec, {.queries = q,
                             .cache = cache,
                             .first_position = position,
                             .scale = a.scale,
                             .softcap = a.softcap,
                             .mask = mask_of(a.mask),
                             .sinks = sinks,
                             .out = attended.rows(segment.first_row, segment.n_tokens)});
}

}  // namespace

Result<void> attention_gqa(const Step& step, std::uint32_t li, const WeightSet& weights) {
  const spec::AttentionSpec& a = *step.model.layers[li].attention;
  const bool own_cache = a.kv_layer == li;
  Workspace memory(step);
  const TensorView attended = memory.take(std::uint64_t{a.n_heads} * a.value_dim);
  CISTERN_TRY(const Heads heads, weights.has(Role::kWqkv)
                                     ? project_fused(step, a, weights, memory)
                                     : project_separate(step, a, weights, own_cache, memory));
  if (!a.norm_after_rope) CISTERN_TRY_VOID(norm_queries_and_keys(step, a, weights, heads, own_cache));
  rotate(step, a, heads, own_cache);
  if (a.norm_after_rope) CISTERN_TRY_VOID(norm_queries_and_keys(step, a, weights, heads, own_cache));
  if (own_cache && a.values_normed) ops::rms_norm_heads(step.exec, heads.v, {}, step.model.norm_eps);
  if (own_cache && a.value_scale != 1.0F) ops::scale(step.exec, a.value_scale, heads.v);

  CISTERN_TRY(const store::Lease sinks, weights.lease(step.store, Role::kSinks));
  for (const Segment& segment : step.segments)
    attend(step, segment, a, heads, own_cache, sinks.view().f32(), attended);
  if (a.gated) ops::gate_heads(step.exec, heads.gates, {attended, 0, a.n_heads, a.value_dim});
  return project(step, weights, attended, {Role::kWo, step.block_out(), Role::kBo});
}

}  // namespace cistern::model
