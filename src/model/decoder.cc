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
  n_tokens_ = 0;
  for (const SequenceTokens& s : sequences) {
    const auto n = static_cast<std::uint32_t>(s.ids.size());
    CISTERN_CHECK(n > 0 && n <= s.cache->shape().context_tokens - s.cache->length());
    n_tokens_ += n;
  }
  CISTERN_CHECK(n_tokens_ <= parts_.layout.chunk_tokens);

  const std::uint32_t block = parts_.layout.block_tokens;
  for (std::uint32_t first = 0; first < n_tokens_; first += block)
    CISTERN_TRY_VOID(embed(begin_block(sequences, first)));
  for (std::uint32_t li = 0; li < parts_.model.layers.size(); ++li) {
    for (std::uint32_t first = 0; first < n_tokens_; first += block) {
      Step step = begin_block(sequences, first);
      if (li + 1 < parts_.model.layers.size()) {
        step.next_layer = &parts_.model.layers[li + 1];
        step.next_weights = &weights_.layers[li + 1];
      }
      CISTERN_TRY_VOID(run_layer(step, li, weights_.layers[li]));
    }
    parts_.store.layer_done();
  }
  CISTERN_TRY_VOID(parts_.store.check_unchanged());
  for (const SequenceTokens& s : sequences) s.cache->advance(static_cast<std::uint32_t>(s.ids.size()));
  return {};
}

// The block of the step's tokens that begins with this one.
Step Decoder::begin_block(std::span<const SequenceTokens> sequences, std::uint32_t first_token) {
  const std::uint32_t end = std::min(n_tokens_, first_token + parts_.layout.block_tokens);
  segments_.clear();
  std::uint32_t begin = 0;  // of the sequence's tokens among the step's
  for (const SequenceTokens& s : sequences) {
    const std::uint32_t from = std::max(begin, first_token);
    const std::uint32_t to = std::min(begin + static_cast<std::uint32_t>(s.ids.size()), end);
    if (from < to) {
      segments_.push_back(
          {.cache = *s.cache,
           .ids = s.ids.subspan(from - begin, to - from),
           .earlier_tokens = from - begin,
           .first_row = from - first_token,
           .n_tokens = to - from,
           .long_rope = s.long_rope,
           .first_segment = s.first_segment,
           .hidden = parts_.model.joins_hidden ? s.hidden.rows(from - begin, to - from) : TensorView{}});
    }
    begin += static_cast<std::uint32_t>(s.ids.size());
  }
  return step_of(end - first_token, first_token);
}

// What the tables say of the tokens, before the first layer.
Result<void> Decoder::embed(const Step& step) const {
  const spec::ModelSpec& model = parts_.model;
  const WeightSet& global = weights_.global;
  const auto look_up = [&](Role table, float scale, const TensorView& out) -> Result<void> {
    for (const Segment& segment : step.segments) {
      const TensorView rows = out.rows(segment.first_row, segment.n_tokens);
      store::SliceLease looked_up = global.begin(parts_.store, table, 1, segment.ids);
      CISTERN_TRY_VOID(looked_up.wait());
      ops::embed(step.exec, looked_up.view(), scale, rows);
      CISTERN_TRY_VOID(add_lookup_adapters(step, global, table, segment.ids, scale, rows));
    }
    return {};
  };
  const TensorView embedded = model.n_streams > 1 ? step.normed() : step.residual();
  CISTERN_TRY_VOID(look_up(Role::kTokenEmbedding, model.embedding_scale, embedded));
  if (model.joins_hidden) return join_hidden(step, global);
  if (global.has(Role::kPositionEmbedding) || global.has(Role::kTokenTypes)) {
    CISTERN_TRY_VOID(add_positions_and_types(step));
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
Result<void> Decoder::add_positions_and_types(const Step& step) const {
  CISTERN_TRY(const store::Lease positions, weights_.global.lease(parts_.store, Role::kPositionEmbedding));
  CISTERN_TRY(const store::Lease types, weights_.global.lease(parts_.store, Role::kTokenTypes));
  const auto add_rows = [&](const store::Lease& table, std::uint64_t first, std::uint64_t step_rows,
                            std::uint32_t row, std::uint32_t count) {
    if (table.view().data == nullptr || count == 0) return;
    const TensorView read = step.normed().rows(row, count);
    ops::read_rows(step.exec, table.view(), first, step_rows, read);
    ops::add(step.exec, step.residual().rows(row, count), read);
  };
  for (const Segment& segment : step.segments) {
    const std::uint32_t row = segment.first_row;
    const std::uint32_t n = segment.n_tokens;
    const std::uint32_t before = segment.earlier_tokens;
    const std::uint32_t n_first =
        std::clamp(segment.first_segment.value_or(before + n), before, before + n) - before;
    add_rows(types, 0, 0, row, n_first);
    add_rows(types, parts_.model.n_token_types > 1 ? 1 : 0, 0, row + n_first, n - n_first);
    add_rows(positions, segment.first_position(), 1, row, n);
  }
  return {};
}

Step Decoder::step_of(std::uint32_t n_tokens, std::uint32_t first_token) const {
  return {.exec = parts_.exec,
          .store = parts_.store,
          .model = parts_.model,
          .segments = segments_,
          .arena = parts_.arena,
          .layout = parts_.layout,
          .first_token = first_token,
          .n_tokens = n_tokens};
}

Result<TensorView> Decoder::hidden(std::uint32_t first, std::uint32_t count) {
  CISTERN_CHECK(count > 0 && count <= parts_.layout.block_tokens && first + count <= n_tokens_);
  const Step step = step_of(count, first);
  TensorView last = step.residual();
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
