#include "model/decoder.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "model/adapters.h"
#include "model/blocks.h"
#include "model/gemma_layers.h"
#include "model/mtp.h"
#include "model/streams.h"
#include "ops/elementwise.h"
#include "ops/matmul.h"

namespace cistern::model {

using spec::Role;

Decoder::Decoder(const Parts& parts)
    : parts_(parts), weights_(bind_weights(parts.model, parts.inventory, parts.adapters)) {
  CISTERN_CHECK(parts.arena.size() >= parts.layout.total_bytes);
  segments_.reserve(parts.layout.max_sequences);
}

Result<void> Decoder::forward(std::span<const SequenceTokens> sequences) {
  CISTERN_CHECK(!sequences.empty() && sequences.size() <= parts_.layout.max_sequences);
  segments_.clear();
  n_tokens_ = 0;
  for (const SequenceTokens& s : sequences) {
    const auto n = static_cast<std::uint32_t>(s.ids.size());
    CISTERN_CHECK(n > 0 && n <= s.cache->shape().context_tokens - s.cache->length());
    segments_.push_back(
        {.cache = *s.cache, .ids = s.ids, .first_row = n_tokens_, .n_tokens = n, .long_rope = s.long_rope});
    n_tokens_ += n;
  }
  CISTERN_CHECK(n_tokens_ <= parts_.layout.chunk_tokens);
  const Step step = step_of(n_tokens_);

  CISTERN_TRY_VOID(embed(step, sequences));
  for (std::uint32_t li = 0; li < parts_.model.layers.size(); ++li) {
    CISTERN_TRY_VOID(run_layer(step, li, weights_.layers[li]));
  }
  for (const Segment& segment : segments_) segment.cache.advance(segment.n_tokens);
  return {};
}

// What the tables say of the tokens, before the first layer.
Result<void> Decoder::embed(const Step& step, std::span<const SequenceTokens> sequences) const {
  const spec::ModelSpec& model = parts_.model;
  const WeightSet& global = weights_.global;
  const auto look_up = [&](Role table, float scale, const TensorView& out) -> Result<void> {
    CISTERN_TRY(const store::Lease embedding, global.lease(parts_.store, table));
    for (std::size_t i = 0; i < segments_.size(); ++i) {
      const TensorView rows = out.rows(segments_[i].first_row, segments_[i].n_tokens);
      ops::embed(step.exec, embedding.view(), sequences[i].ids, scale, rows);
      CISTERN_TRY_VOID(add_lookup_adapters(step, global, table, sequences[i].ids, scale, rows));
    }
    return {};
  };
  const TensorView embedded = model.n_streams > 1 ? step.normed() : step.residual();
  CISTERN_TRY_VOID(look_up(Role::kTokenEmbedding, model.embedding_scale, embedded));
  if (model.joins_hidden) {
    CISTERN_CHECK(sequences.size() == 1);
    return join_hidden(step, global, sequences[0].hidden);
  }
  if (global.has(Role::kPositionEmbedding) || global.has(Role::kTokenTypes)) {
    CISTERN_TRY_VOID(add_positions_and_types(step, sequences));
  }
  CISTERN_TRY_VOID(norm(step, global, Role::kEmbeddingNorm, Role::kEmbeddingNormBias, embedded, embedded));
  if (model.per_layer_dim > 0) {
    const float scale = std::sqrt(static_cast<float>(model.per_layer_dim));
    CISTERN_TRY_VOID(look_up(Role::kPerLayerEmbedding, scale, step.per_layer()));
    CISTERN_TRY_VOID(project_per_layer_inputs(step, global, embedded));
  }
  return model.n_streams > 1 ? start_streams(step, global) : Result<void>();
}

// Of encoders: a row of a table each.
Result<void> Decoder::add_positions_and_types(const Step& step,
                                              std::span<const SequenceTokens> sequences) const {
  CISTERN_TRY(const store::Lease positions, weights_.global.lease(parts_.store, Role::kPositionEmbedding));
  CISTERN_TRY(const store::Lease types, weights_.global.lease(parts_.store, Role::kTokenTypes));
  const auto add_rows = [&](const store::Lease& table, std::uint64_t first, std::uint64_t step_rows,
                            std::uint32_t row, std::uint32_t count) {
    if (table.view().data == nullptr || count == 0) return;
    const TensorView read = step.normed().rows(row, count);
    ops::read_rows(step.exec, table.view(), first, step_rows, read);
    ops::add(step.exec, step.residual().rows(row, count), read);
  };
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const Segment& segment = segments_[i];
    const std::uint32_t row = segment.first_row;
    const std::uint32_t n = segment.n_tokens;
    const std::uint32_t n_first = std::min(sequences[i].first_segment.value_or(n), n);
    add_rows(types, 0, 0, row, n_first);
    add_rows(types, parts_.model.n_token_types > 1 ? 1 : 0, 0, row + n_first, n - n_first);
    add_rows(positions, segment.first_position(), 1, row, n);
  }
  return {};
}

Step Decoder::step_of(std::uint32_t n_tokens) const {
  return {.exec = parts_.exec,
          .store = parts_.store,
          .model = parts_.model,
          .segments = segments_,
          .arena = parts_.arena,
          .layout = parts_.layout,
          .n_tokens = n_tokens};
}

Result<TensorView> Decoder::hidden(std::uint32_t first, std::uint32_t count) {
  CISTERN_CHECK(count > 0 && first + count <= n_tokens_);
  const Step step = step_of(count);
  const std::uint64_t width = std::uint64_t{parts_.model.dim} * parts_.model.n_streams;
  TensorView last = step.buffer(parts_.layout.residual + first * width * sizeof(float), width);
  if (parts_.model.n_streams > 1) {
    CISTERN_TRY_VOID(join_streams(step, weights_.global, last, step.normed()));
    last = step.normed();
  }
  CISTERN_TRY_VOID(
      norm(step, weights_.global, Role::kOutputNorm, Role::kOutputNormBias, last, step.normed()));
  return step.normed();
}

Result<std::span<const float>> Decoder::logits(std::uint32_t first, std::uint32_t count) {
  CISTERN_CHECK(count > 0 && count <= parts_.layout.logit_rows);
  CISTERN_TRY(const TensorView normed, hidden(first, count));
  const TensorView out{.dtype = DType::kF32,
                       .shape = Shape(parts_.model.n_vocab, count),
                       .data = parts_.arena.data() + parts_.layout.logits};
  const Role head = parts_.model.tied_output ? Role::kTokenEmbedding : Role::kOutput;
  CISTERN_TRY(const store::Lease output, weights_.global.lease(parts_.store, head));
  CISTERN_TRY(const store::Lease bias, weights_.global.lease(parts_.store, Role::kOutputBias));
  ops::matmul(parts_.exec, output.view(), normed, out, bias.view());
  // An adapter of a tied embedding changes what is looked up, not the head: so it was trained.
  CISTERN_TRY_VOID(add_adapters(step_of(count), weights_.global, Role::kOutput, normed, out));
  if (parts_.model.logit_scale != 1.0F) ops::scale(parts_.exec, parts_.model.logit_scale, out);
  if (parts_.model.logit_softcap > 0) ops::softcap(parts_.exec, parts_.model.logit_softcap, out);
  return std::span<const float>(out.f32(), out.shape.elements());
}

}  // namespace cistern::model
