// Attention of DeepSeek V4 (DeepSeek-AI 2026): every head reads the same rows, keys and values at once: those
// of a sliding window, and before them compressed tokens, all or those that an indexer selects. Values carry
// their rotation, so the result is rotated back.
#include <algorithm>
#include <cstring>

#include "model/blocks.h"
#include "ops/attention.h"
#include "ops/compressor.h"
#include "ops/elementwise.h"
#include "ops/indexer.h"

namespace cistern::model {
namespace {

using spec::Role;

class CompressedAttention {
 public:
  CompressedAttention(const Step& step, std::uint32_t li, const WeightSet& weights)
      : step_(step), li_(li), weights_(weights), spec_(*step.model.layers[li].compressed), memory_(step) {}

  Result<void> run() {
    CISTERN_TRY_VOID(project_queries());
    CISTERN_TRY_VOID(project_keys());
    attended_ = memory_.take(std::uint64_t{spec_.n_heads} * spec_.head_dim);
    if (spec_.ratio > 0) {
      CISTERN_TRY_VOID(compress(spec::kKeyCompressor, spec_.head_dim));
      gathered_ = memory_.take((spec_.head_dim + 15) / 16 * 16, most_compressed() + spec_.window);
    }
    if (spec_.indexer) {
      CISTERN_TRY_VOID(compress(spec::kIndexCompressor, spec_.indexer->key_dim));
      CISTERN_TRY_VOID(project_index_queries());
    }
    CISTERN_TRY(const store::Lease sinks, weights_.lease(step_.store, Role::kSinks));
    for (const Segment& segment : step_.segments) {
      attend(segment, sinks.view().f32());
      ops::Rotation back = rotation(segment);
      back.back = true;
      ops::rope(step_.exec, part_of(tails(attended_, spec_.n_heads), segment), back,
                segment.first_position());
    }
    return project_output();
  }

 private:
  ops::Rotation rotation(const Segment& segment) const {
    return rotation_of(segment, step_.model.ropes[spec_.rope]);
  }
  // The rotated end of every head.
  ops::HeadsView tails(const TensorView& rows, std::uint32_t n_heads) const {
    return {rows, spec_.head_dim - spec_.rope_dim, n_heads, spec_.rope_dim, spec_.head_dim};
  }
  std::uint64_t most_compressed() const {
    const std::uint32_t context = step_.segments[0].cache.shape().context_tokens;
    return spec_.indexer ? spec_.indexer->top_k : context / spec_.ratio;
  }

  Result<void> project_queries() {
    compressed_queries_ = memory_.take(spec_.q_rank);
    queries_ = memory_.take(std::uint64_t{spec_.n_heads} * spec_.head_dim);
    CISTERN_TRY_VOID(project(step_, weights_, step_.normed(), {Role::kWqA, compressed_queries_}));
    CISTERN_TRY_VOID(
        norm(step_, weights_, Role::kQANorm, Role::kNone, compressed_queries_, compressed_queries_));
    CISTERN_TRY_VOID(project(step_, weights_, compressed_queries_, {Role::kWqB, queries_}));
    ops::rms_norm_heads(step_.exec, {queries_, 0, spec_.n_heads, spec_.head_dim}, {}, step_.model.norm_eps);
    for (const Segment& segment : step_.segments) {
      ops::rope(step_.exec, part_of(tails(queries_, spec_.n_heads), segment), rotation(segment),
                segment.first_position());
    }
    return {};
  }

  Result<void> project_keys() {
    const TensorView keys = memory_.take(spec_.head_dim);
    CISTERN_TRY_VOID(project(step_, weights_, step_.normed(), {Role::kWkvA, keys}));
    CISTERN_TRY_VOID(norm(step_, weights_, Role::kKvANorm, Role::kNone, keys, keys));
    for (const Segment& segment : step_.segments) {
      const std::uint32_t position = segment.first_position();
      ops::rope(step_.exec, part_of(tails(keys, 1), segment), rotation(segment), position);
      ops::store_kv(step_.exec, part_of({keys, 0, 1, spec_.head_dim}, segment), {}, segment.cache.layer(li_),
                    position);
    }
    return {};
  }

  // The compressed tokens that these tokens complete, of one of the two compressors.
  Result<void> compress(const spec::CompressorRoles& roles, std::uint32_t width) {
    const std::uint64_t cols = std::uint64_t{spec_.series()} * width;
    const TensorView values = memory_.take(cols);
    const TensorView gates = memory_.take(cols);
    CISTERN_TRY_VOID(project(step_, weights_, step_.normed(), {{roles.kv, values}, {roles.gate, gates}}));
    CISTERN_TRY(const store::Lease positions, weights_.lease(step_.store, roles.positions));
    CISTERN_TRY(const store::Lease norm, weights_.lease(step_.store, roles.norm));
    const bool is_key = roles.kv == spec::kKeyCompressor.kv;
    for (const Segment& segment : step_.segments) {
      const kv::LayerView cache = segment.cache.layer(li_);
      const std::uint64_t size = spec_.state_floats(width);
      ops::compress(step_.exec, {.values = values.rows(segment.first_row, segment.n_tokens),
                                 .gates = gates.rows(segment.first_row, segment.n_tokens),
                                 .positions = positions.view(),
                                 .norm = norm.view(),
                                 .eps = step_.model.norm_eps,
                                 .rotation = rotation(segment),
                                 .width = width,
                                 .ratio = spec_.ratio,
                                 .overlap = spec_.overlap,
                                 .first_position = segment.first_position(),
                                 .state = is_key ? cache.state.first(size) : cache.state.last(size),
                                 .cache = cache,
                                 .is_index = !is_key});
    }
    return {};
  }

  Result<void> project_index_queries() {
    const spec::IndexerSpec& index = *spec_.indexer;
    index_queries_ = memory_.take(std::uint64_t{index.n_heads} * index.key_dim);
    index_weights_ = memory_.take(index.n_heads);
    selected_ = memory_.words(std::uint64_t{index.top_k} * step_.n_tokens);
    CISTERN_TRY_VOID(project(step_, weights_, compressed_queries_, {Role::kIndexWq, index_queries_}));
    CISTERN_TRY_VOID(project(step_, weights_, step_.normed(), {Role::kIndexWeights, index_weights_}));
    for (const Segment& segment : step_.segments) {
      const ops::HeadsView tails{index_queries_, index.key_dim - spec_.rope_dim, index.n_heads,
                                 spec_.rope_dim, index.key_dim};
      ops::rope(step_.exec, part_of(tails, segment), rotation(segment), segment.first_position());
    }
    return {};
  }

  void attend(const Segment& segment, const float* sinks) {
    const kv::LayerView cache = segment.cache.layer(li_);
    if (spec_.ratio == 0) {
      attend_rows(segment.first_row, segment.n_tokens, cache, segment.first_position(), sinks);
      return;
    }
    for (std::uint32_t t = 0; t < segment.n_tokens; ++t) {
      const std::uint32_t position = segment.first_position() + t;
      const std::uint32_t row = segment.first_row + t;
      const kv::LayerView seen = gather(cache, row, position);
      attend_rows(row, 1, seen, seen.slots - 1, sinks);
    }
  }

  // The compressed tokens and those of the window that a token sees, as a cache of their own.
  kv::LayerView gather(const kv::LayerView& cache, std::uint32_t row, std::uint32_t position) {
    const std::uint32_t n_compressed = (position + 1) / spec_.ratio;
    std::byte* next = gathered_.data;
    const auto take = [&](const std::byte* from) {
      std::memcpy(next, from, cache.key_row_bytes);
      next += cache.key_row_bytes;
    };
    if (spec_.indexer && n_compressed > spec_.indexer->top_k) {
      for (const std::uint32_t entry : select(cache, row, position)) take(cache.compressed_row(entry));
    } else {
      for (std::uint32_t entry = 0; entry < n_compressed; ++entry) take(cache.compressed_row(entry));
    }
    const std::uint32_t first = position + 1 > spec_.window ? position + 1 - spec_.window : 0;
    for (std::uint32_t p = first; p <= position; ++p) take(cache.key_row(p));
    return cache.over(gathered_.data,
                      static_cast<std::uint64_t>(next - gathered_.data) / cache.key_row_bytes);
  }

  std::span<const std::uint32_t> select(const kv::LayerView& cache, std::uint32_t row,
                                        std::uint32_t position) {
    const std::span<std::uint32_t> selected =
        selected_.subspan(std::size_t{row} * spec_.indexer->top_k, spec_.indexer->top_k);
    ops::select_tokens(step_.exec, {.queries = index_queries_.rows(row, 1),
                                    .weights = index_weights_.rows(row, 1),
                                    .cache = cache,
                                    .first_position = position,
                                    .ratio = spec_.ratio,
                                    .top_k = spec_.indexer->top_k,
                                    .selected = selected});
    return selected;
  }

  void attend_rows(std::uint32_t first_row, std::uint32_t n, const kv::LayerView& cache,
                   std::uint32_t position, const float* sinks) {
    ops::attention(step_.exec, {.queries = {queries_.rows(first_row, n), 0, spec_.n_heads, spec_.head_dim},
                                .cache = cache,
                                .first_position = position,
                                .scale = spec_.scale,
                                .sinks = sinks,
                                .out = attended_.rows(first_row, n)});
  }

  // Groups of heads to a few values each, then all of them to the result.
  Result<void> project_output() {
    const std::uint32_t group_dim = spec_.n_heads / spec_.out_groups * spec_.head_dim;
    const TensorView grouped = memory_.take(std::uint64_t{spec_.out_groups} * spec_.out_rank);
    CISTERN_TRY_VOID(project_heads(step_, weights_, Role::kWoA, {attended_, 0, spec_.out_groups, group_dim},
                                   {grouped, 0, spec_.out_groups, spec_.out_rank}));
    return project(step_, weights_, grouped, {Role::kWo, step_.block_out()});
  }

  const Step& step_;
  std::uint32_t li_;
  const WeightSet& weights_;
  const spec::CompressedSpec& spec_;
  Workspace memory_;
  TensorView compressed_queries_;
  TensorView queries_;
  TensorView attended_;
  TensorView gathered_;  // rows that a token sees
  TensorView index_queries_;
  TensorView index_weights_;
  std::span<std::uint32_t> selected_;
};

}  // namespace

Result<void> attention_compressed(const Step& step, std::uint32_t li, const WeightSet& weights) {
  return CompressedAttention(step, li, weights).run();
}

}  // namespace cistern::model
