#include "model/decoder.h"

#include <cmath>

#include "base/check.h"
#include "model/blocks.h"
#include "model/gemma_layers.h"
#include "model/streams.h"
#include "ops/elementwise.h"
#include "ops/matmul.h"

namespace cistern::model {

using spec::Role;

Decoder::Decoder(const Parts& parts) : parts_(parts), weights_(bind_weights(parts.model, parts.inventory)) {
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

// Rows of embedding tables, and what is made of them before the first layer.
Result<void> Decoder::embed(const Step& step, std::span<const SequenceTokens> sequences) {
  const auto look_up = [&](Role table, float scale, const TensorView& out) -> Result<void> {
    CISTERN_TRY(const store::Lease embedding, weights_.global.lease(parts_.store, table));
    for (std::size_t i = 0; i < segments_.size(); ++i) {
      ops::embed(step.exec, embedding.view(), sequences[i].ids, scale,
                 out.rows(segments_[i].first_row, segments_[i].n_tokens));
    }
    return {};
  };
  const spec::ModelSpec& model = parts_.model;
  const TensorView embedded = model.n_streams > 1 ? step.normed() : step.residual();
  CISTERN_TRY_VOID(look_up(Role::kTokenEmbedding, model.embedding_scale, embedded));
  if (model.per_layer_dim > 0) {
    const float scale = std::sqrt(static_cast<float>(model.per_layer_dim));
    CISTERN_TRY_VOID(look_up(Role::kPerLayerEmbedding, scale, step.per_layer()));
    CISTERN_TRY_VOID(project_per_layer_inputs(step, weights_.global, embedded));
  }
  return model.n_streams > 1 ? start_streams(step, weights_.global) : Result<void>();
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

Result<std::span<const float>> Decoder::logits(std::uint32_t first, std::uint32_t count) {
  CISTERN_CHECK(count > 0 && count <= parts_.layout.logit_rows && first + count <= n_tokens_);
  const std::uint64_t dim = parts_.model.dim;
  const std::uint64_t width = dim * parts_.model.n_streams;
  const auto rows = [&](std::uint64_t offset, std::uint64_t cols) {
    return TensorView{
        .dtype = DType::kF32, .shape = Shape(cols, count), .data = parts_.arena.data() + offset};
  };
  TensorView hidden = rows(parts_.layout.residual + first * width * sizeof(float), width);
  const TensorView normed = rows(parts_.layout.normed, dim);
  const TensorView out = rows(parts_.layout.logits, parts_.model.n_vocab);

  const Step step = step_of(count);
  if (parts_.model.n_streams > 1) {
    CISTERN_TRY_VOID(join_streams(step, weights_.global, hidden, normed));
    hidden = normed;
  }
  CISTERN_TRY_VOID(norm(step, weights_.global, Role::kOutputNorm, Role::kOutputNormBias, hidden, normed));
  const Role head = parts_.model.tied_output ? Role::kTokenEmbedding : Role::kOutput;
  CISTERN_TRY(const store::Lease output, weights_.global.lease(parts_.store, head));
  CISTERN_TRY(const store::Lease bias, weights_.global.lease(parts_.store, Role::kOutputBias));
  ops::matmul(parts_.exec, output.view(), normed, out, bias.view());
  if (parts_.model.logit_scale != 1.0F) ops::scale(parts_.exec, parts_.model.logit_scale, out);
  if (parts_.model.logit_softcap > 0) ops::softcap(parts_.exec, parts_.model.logit_softcap, out);
  return std::span<const float>(out.f32(), out.shape.elements());
}

}  // namespace cistern::model
