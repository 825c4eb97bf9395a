#include "model/decoder.h"

#include "base/check.h"
#include "model/blocks.h"
#include "ops/elementwise.h"
#include "ops/matmul.h"

namespace cistern::model {

using spec::Role;

Decoder::Decoder(const Parts& parts) : parts_(parts), weights_(bind_weights(parts.model, parts.inventory)) {
  CISTERN_CHECK(parts.arena.size() >= parts.layout.total_bytes);
}

Result<void> Decoder::forward(std::span<const std::uint32_t> tokens, bool long_rope, kv::Cache& cache) {
  CISTERN_CHECK(!tokens.empty() && tokens.size() <= parts_.layout.chunk_tokens);
  CISTERN_CHECK(tokens.size() <= cache.shape().context_tokens - cache.length());
  n_tokens_ = static_cast<std::uint32_t>(tokens.size());
  const Step step{.exec = parts_.exec,
                  .store = parts_.store,
                  .model = parts_.model,
                  .cache = cache,
                  .arena = parts_.arena,
                  .layout = parts_.layout,
                  .n_tokens = n_tokens_,
                  .first_position = cache.length(),
                  .long_rope = long_rope};

  CISTERN_TRY(const store::Lease embedding, weights_.global.lease(parts_.store, Role::kTokenEmbedding));
  ops::embed(step.exec, embedding.view(), tokens, parts_.model.embedding_scale, step.residual());
  for (std::uint32_t li = 0; li < parts_.model.layers.size(); ++li) {
    CISTERN_TRY_VOID(attention_gqa(step, li, weights_.layers[li]));
    CISTERN_TRY_VOID(ffn_gated(step, li, weights_.layers[li]));
  }
  cache.advance(n_tokens_);
  return {};
}

Result<std::span<const float>> Decoder::logits(std::uint32_t first, std::uint32_t count) {
  CISTERN_CHECK(count > 0 && count <= parts_.layout.logit_rows && first + count <= n_tokens_);
  const std::uint64_t dim = parts_.model.dim;
  const auto rows = [&](std::uint64_t offset, std::uint64_t cols) {
    return TensorView{
        .dtype = DType::kF32, .shape = Shape(cols, count), .data = parts_.arena.data() + offset};
  };
  const TensorView hidden = rows(parts_.layout.residual + first * dim * sizeof(float), dim);
  const TensorView normed = rows(parts_.layout.normed, dim);
  const TensorView out = rows(parts_.layout.logits, parts_.model.n_vocab);

  CISTERN_TRY(const store::Lease norm, weights_.global.lease(parts_.store, Role::kOutputNorm));
  ops::rms_norm(parts_.exec, hidden, norm.view(), parts_.model.norm_eps, normed);
  const Role head = parts_.model.tied_output ? Role::kTokenEmbedding : Role::kOutput;
  CISTERN_TRY(const store::Lease output, weights_.global.lease(parts_.store, head));
  ops::matmul(parts_.exec, output.view(), normed, out);
  if (parts_.model.logit_softcap > 0) ops::softcap(parts_.exec, parts_.model.logit_softcap, out);
  return std::span<const float>(out.f32(), out.shape.elements());
}

}  // namespace cistern::model
