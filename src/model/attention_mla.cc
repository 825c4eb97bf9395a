// Multi-head latent attention (DeepSeek-AI 2024) in its absorbed form: queries are brought into the space of
// the cached latent, so a token's cache is one row for all heads; values are the latent itself, and each head
// takes its own part of the result. With an indexer (DeepSeek-AI 2025) late tokens attend to the tokens that
// it selects.
#include <algorithm>

#include "model/blocks.h"
#include "ops/attention.h"
#include "ops/elementwise.h"
#include "ops/indexer.h"

namespace cistern::model {
namespace {

using spec::Role;

class LatentAttention {
 public:
  LatentAttention(const Step& step, std::uint32_t li, const WeightSet& weights)
      : step_(step), li_(li), weights_(weights), mla_(*step.model.layers[li].mla), memory_(step) {}

  Result<void> run() {
    const std::uint32_t n_heads = mla_.n_heads;
    CISTERN_TRY_VOID(project_queries());
    CISTERN_TRY_VOID(project_latent());
    rotate();
    CISTERN_TRY_VOID(absorb());
    const TensorView attended = memory_.take(std::uint64_t{n_heads} * mla_.kv_rank);
    if (mla_.indexer) {
      CISTERN_TRY_VOID(index());
    }
    for (const Segment& segment : step_.segments) attend(segment, attended);

    const TensorView values = memory_.take(std::uint64_t{n_heads} * mla_.value_dim);
    CISTERN_TRY_VOID(project_heads(step_, weights_, Role::kWvB, {attended, 0, n_heads, mla_.kv_rank},
                                   {values, 0, n_heads, mla_.value_dim}));
    return project(step_, weights_, values, {Role::kWo, step_.block_out(), Role::kBo});
  }

 private:
  std::uint32_t query_dim() const { return mla_.nope_dim + mla_.rope_dim; }

  Result<void> project_queries() {
    queries_ = memory_.take(std::uint64_t{mla_.n_heads} * query_dim());
    if (mla_.q_rank == 0) return project(step_, weights_, step_.normed(), {Role::kWq, queries_});
    compressed_ = memory_.take(mla_.q_rank);
    CISTERN_TRY_VOID(project(step_, weights_, step_.normed(), {Role::kWqA, compressed_}));
    CISTERN_TRY(const store::Lease norm, weights_.lease(step_.store, Role::kQANorm));
    ops::rms_norm(step_.exec, compressed_, norm.view(), mla_.latent_eps, compressed_);
    return project(step_, weights_, compressed_, {Role::kWqB, queries_});
  }

  // The latent, normalised, and the rotated key after it: what the cache holds.
  Result<void> project_latent() {
    latent_ = memory_.take(mla_.key_dim());
    CISTERN_TRY_VOID(project(step_, weights_, step_.normed(), {Role::kWkvA, latent_}));
    CISTERN_TRY(const store::Lease norm, weights_.lease(step_.store, Role::kKvANorm));
    ops::rms_norm_heads(step_.exec, {latent_, 0, 1, mla_.kv_rank}, norm.view(), mla_.latent_eps);
    return {};
  }

  ops::HeadsView rotated_queries() const {
    return {queries_, mla_.nope_dim, mla_.n_heads, mla_.rope_dim, query_dim()};
  }

  void rotate() {
    if (mla_.rope == spec::kNoRope) return;
    for (const Segment& segment : step_.segments) {
      const ops::Rotation rotation = rotation_of(segment, step_.model.ropes[mla_.rope]);
      ops::rope(step_.exec, part_of(rotated_queries(), segment), rotation, segment.first_position());
      ops::rope(step_.exec, part_of({latent_, mla_.kv_rank, 1, mla_.rope_dim}, segment), rotation,
                segment.first_position());
    }
  }

  // Each head's unrotated part times its matrix, the rotated part behind it.
  Result<void> absorb() {
    const std::uint32_t n_heads = mla_.n_heads;
    absorbed_ = memory_.take(std::uint64_t{n_heads} * mla_.key_dim());
    CISTERN_TRY_VOID(project_heads(step_, weights_, Role::kWkB,
                                   {queries_, 0, n_heads, mla_.nope_dim, query_dim()},
                                   {absorbed_, 0, n_heads, mla_.kv_rank, mla_.key_dim()}));
    ops::copy_heads(step_.exec, rotated_queries(),
                    {absorbed_, mla_.kv_rank, n_heads, mla_.rope_dim, mla_.key_dim()});
    return {};
  }

  // The indexer's keys go to the cache; its queries and the weights of its heads stay for attend().
  Result<void> index() {
    const spec::IndexerSpec& index = *mla_.indexer;
    gathered_ = memory_.take((mla_.key_dim() + 15) / 16 * 16, index.top_k);
    if (index.shared) return {};
    index_queries_ = memory_.take(std::uint64_t{index.n_heads} * index.key_dim);
    index_weights_ = memory_.take(index.n_heads);
    const TensorView keys = memory_.take(index.key_dim);
    CISTERN_TRY_VOID(project(step_, weights_, compressed_, {Role::kIndexWq, index_queries_}));
    CISTERN_TRY_VOID(project(step_, weights_, step_.normed(),
                             {{Role::kIndexWk, keys}, {Role::kIndexWeights, index_weights_}}));
    CISTERN_TRY(const store::Lease norm, weights_.lease(step_.store, Role::kIndexKNorm));
    CISTERN_TRY(const store::Lease bias, weights_.lease(step_.store, Role::kIndexKNormBias));
    ops::layer_norm(step_.exec, keys, norm.view(), bias.view(), mla_.latent_eps, keys);
    for (const Segment& segment : step_.segments) {
      ops::Rotation rotation = rotation_of(segment, step_.model.ropes[mla_.rope]);
      rotation.interleaved = index.style == spec::RopeStyle::kInterleaved;
      const std::uint32_t position = segment.first_position();
      ops::rope(step_.exec,
                part_of({index_queries_, 0, index.n_heads, mla_.rope_dim, index.key_dim}, segment), rotation,
                position);
      ops::rope(step_.exec, part_of({keys, 0, 1, mla_.rope_dim}, segment), rotation, position);
      ops::store_index_keys(step_.exec, keys.rows(segment.first_row, segment.n_tokens),
                            segment.cache.layer(li_), position);
    }
    return {};
  }

  void attend(const Segment& segment, const TensorView& attended) {
    const kv::LayerView cache = segment.cache.layer(li_);
    const std::uint32_t position = segment.first_position();
    ops::store_kv(step_.exec, part_of({latent_, 0, 1, mla_.key_dim()}, segment), {}, cache, position);
    // Up to top_k tokens everything is selected.
    const std::uint32_t n = segment.n_tokens;
    const std::uint32_t top_k = mla_.indexer ? mla_.indexer->top_k : 0;
    const std::uint32_t n_dense = top_k == 0 ? n : std::min(n, top_k - std::min(top_k, position));
    if (n_dense > 0) attend_rows(segment.first_row, n_dense, cache, position, attended);
    if (n_dense == n) return;

    const std::uint32_t first_sparse = segment.first_row + n_dense;
    const std::span<std::uint32_t> selected = step_.selected_tokens(first_sparse, n - n_dense, top_k);
    if (!mla_.indexer->shared) {
      ops::select_tokens(step_.exec, {.queries = index_queries_.rows(first_sparse, n - n_dense),
                                      .weights = index_weights_.rows(first_sparse, n - n_dense),
                                      .cache = cache,
                                      .first_position = position + n_dense,
                                      .top_k = top_k,
                                      .selected = selected});
    }
    for (std::uint32_t i = 0; i < n - n_dense; ++i) {
      const kv::LayerView few = ops::gather_keys(
          step_.exec, cache, selected.subspan(std::size_t{i} * top_k, top_k), gathered_.data);
      attend_rows(first_sparse + i, 1, few, top_k - 1, attended);
    }
  }

  void attend_rows(std::uint32_t first_row, std::uint32_t n, const kv::LayerView& cache,
                   std::uint32_t position, const TensorView& attended) {
    ops::attention(step_.exec, {.queries = {absorbed_.rows(first_row, n), 0, mla_.n_heads, mla_.key_dim()},
                                .cache = cache,
                                .first_position = position,
                                .scale = mla_.scale,
                                .out = attended.rows(first_row, n)});
  }

  const Step& step_;
  std::uint32_t li_;
  const WeightSet& weights_;
  const spec::MlaSpec& mla_;
  Workspace memory_;
  TensorView queries_;     // heads of (nope, rope)
  TensorView compressed_;  // where queries are
  TensorView latent_;      // (kv_rank, rope)
  TensorView absorbed_;    // heads of (kv_rank, rope)
  TensorView index_queries_;
  TensorView index_weights_;
  TensorView gathered_;  // rows of the cache that a token attends to
};

}  // namespace

Result<void> attention_mla(const Step& step, std::uint32_t li, const WeightSet& weights) {
  return LatentAttention(step, li, weights).run();
}

}  // namespace cistern::model
