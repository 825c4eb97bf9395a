// Nemotron-H (NVIDIA 2025) and Nemotron 3: layers of one kind each, Mamba 2, attention without positions, or
// a feed-forward block of squared ReLUs, dense or with experts; each behind one norm of the same name.
#include <fmt/format.h>

#include "spec/registry.h"

namespace cistern::spec {
namespace {

constexpr std::string_view kNorm = "attn_norm";

Result<void> start(Builder& builder) {
  CISTERN_TRY(const Mamba2Spec mamba2, builder.read_mamba2());
  for (std::size_t li = 0; li < builder.model.layers.size(); ++li) {
    LayerSpec& layer = builder.model.layers[li];
    if (layer.attention && layer.ffn) {
      return builder.bad_key("attention.head_count_kv",
                             fmt::format("gives attention to layer {}, which is a feed-forward layer", li));
    }
    if (!layer.attention && !layer.ffn) layer.mamba2 = mamba2;
  }
  builder.for_attention([](AttentionSpec& a) { a.rope = kNoRope; });
  builder.for_ffn([](FfnSpec& ffn) {
    ffn.gated = false;
    ffn.activation = Activation::kReluSquared;
  });
  builder.add_embedding_and_output();
  builder.add_attention({.norm = kNorm});
  builder.add_mamba2(kNorm, Builder::GatedNorm::kRequired);
  return {};
}

}  // namespace

Result<void> build_nemotron_h(Builder& builder) {
  CISTERN_TRY_VOID(start(builder));
  builder.add_ffn({.norm = kNorm});
  return {};
}

Result<void> build_nemotron_h_moe(Builder& builder) {
  CISTERN_TRY(const auto latent, builder.find_u32("moe_latent_size", 1, kMaxDim));
  if (latent && builder.is_file())
    return builder.unsupported("moe_latent_size", "is not supported: experts of a smaller input");
  CISTERN_TRY_VOID(start(builder));
  CISTERN_TRY(MoeSpec moe,
              builder.read_experts({.gating = Gating::kSigmoid, .normalize = true, .gated = false}));
  moe.latent_dim = latent.value_or(0);
  builder.for_ffn([&moe](FfnSpec& ffn) { ffn.moe = moe; });
  builder.add_ffn({.norm = kNorm, .selection_bias = true});
  return {};
}

}  // namespace cistern::spec
