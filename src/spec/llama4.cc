// Llama 4 (Meta 2025): three layers of chunked attention with rope to one that sees everything without,
// whose queries grow with the position; queries and keys of Scout are normalised after rope; on some
// layers one expert of many, its input scaled by a sigmoid, beside a shared one.
#include "spec/registry.h"

namespace cistern::spec {

namespace {

constexpr std::uint32_t kPeriod = 4;             // the last layer of each has no rope
constexpr std::uint32_t kMaverickExperts = 128;  // Maverick has no QK norm, which no key says
constexpr std::uint32_t kChunk = 8192;
constexpr std::uint32_t kFloorScale = 8192;
constexpr float kTemperatureScale = 0.1F;

}  // namespace

Result<void> build_llama4(Builder& builder) {
  CISTERN_TRY_VOID(builder.set_rope(RopeStyle::kInterleaved));
  CISTERN_TRY_VOID(
      builder.set_experts({.gating = Gating::kSigmoid, .scale_input = true, .shared_hidden = 0}));
  CISTERN_TRY(const auto chunk, builder.find_u32("attention.sliding_window", 1, ~0U));
  CISTERN_TRY(const auto length, builder.find_u32("attention.temperature_length", 1, ~0U));
  CISTERN_TRY(const float scale, builder.positive_or("attention.temperature_scale", kTemperatureScale));
  CISTERN_TRY(const std::uint32_t n_experts, builder.require_u32("expert_count", 1, ~0U));
  for (std::uint32_t li = 0; li < builder.model.layers.size(); ++li) {
    LayerSpec& layer = builder.model.layers[li];
    // Every mixture has a shared expert of the same size.
    if (layer.ffn && layer.ffn->moe) layer.ffn->moe->shared_hidden = layer.ffn->moe->hidden;
    if (!layer.attention) continue;
    AttentionSpec& a = *layer.attention;
    if ((li + 1) % kPeriod == 0) {
      a.rope = kNoRope;
      a.temperature_scale = scale;
      a.temperature_length = length.value_or(kFloorScale);
      a.temperature_offset = 1;
    } else {
      a.mask = Mask::kChunked;
      a.window = chunk.value_or(kChunk);
      if (n_experts != kMaverickExperts) a.qk_norm = HeadNorm::kUnweighted;
      a.norm_after_rope = true;
    }
  }
  builder.add_embedding_and_output();
  builder.add_attention({});
  builder.add_ffn({});
  return {};
}

}  // namespace cistern::spec
