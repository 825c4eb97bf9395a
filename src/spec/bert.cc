// Encoders of the BERT family: BERT (Devlin et al. 2019) and RoBERTa (Liu et al. 2019) with learned positions
// and norms after the blocks, rerankers with a classifier on the first token; Nomic Embed (Nussbaum et al.
// 2024) with rope and SwiGLU; ModernBERT (Warner et al. 2024) with norms before the blocks, GeGLU and
// windows on two of three layers. The position table of RoBERTa comes without its first rows, which stand
// for padding, so that all count positions from 0.
#include <fmt/format.h>

#include <algorithm>

#include "spec/registry.h"
#include "spec/rope.h"

namespace cistern::spec {
namespace {

constexpr std::uint32_t kMaxTokenTypes = 1U << 10U;
constexpr std::uint32_t kModernBertPeriod = 3;  // the first layer of each sees everything

void add_embedding(Builder& builder) {
  builder.add("token_embd.weight", Shape(builder.model.dim, builder.model.n_vocab), Role::kTokenEmbedding);
  builder.add_norm(kNoLayer, "token_embd_norm", builder.model.dim, Role::kEmbeddingNorm,
                   Role::kEmbeddingNormBias);
}

// Their number is a key of the tokenizer, which old files may lack.
Result<void> add_token_types(Builder& builder) {
  const std::string name = "token_types.weight";
  if (!builder.has_tensor(name, true)) return {};
  const std::string key = "tokenizer.ggml.token_type_count";
  CISTERN_TRY(const auto count, builder.metadata().find_uint(key));
  if (count && (*count < 1 || *count > kMaxTokenTypes)) {
    return fail(ErrorCode::kFormat,
                fmt::format("is {}, must be between 1 and {}; the file is damaged", *count, kMaxTokenTypes),
                fmt::format("{}: key '{}'", builder.metadata().where(), key));
  }
  const file::TensorInfo* info = builder.inventory().find(name);
  const std::uint64_t rows = info != nullptr ? info->shape.rows() : 2;
  builder.model.n_token_types =
      static_cast<std::uint32_t>(count.value_or(std::min<std::uint64_t>(rows, kMaxTokenTypes)));
  builder.add(name, Shape(builder.model.dim, builder.model.n_token_types), Role::kTokenTypes);
  return {};
}

// A dense layer with tanh and a projection, on the first token.
Result<void> add_classifier(Builder& builder) {
  ModelSpec& model = builder.model;
  if (!builder.has_tensor("cls.output.weight", false)) return {};
  const std::string labels = builder.key("classifier.output_labels");
  model.n_labels = 1;
  if (builder.metadata().has(labels)) {
    CISTERN_TRY(const auto names, builder.metadata().strings(labels));
    if (names.empty() || names.size() > kMaxDim)
      return builder.bad_key("classifier.output_labels", fmt::format("has {} labels", names.size()));
    model.n_labels = static_cast<std::uint32_t>(names.size());
  }
  builder.add("cls.weight", Shape(model.dim, model.dim), Role::kClassifier, kNoLayer, true);
  builder.add("cls.bias", Shape(model.dim), Role::kClassifierBias, kNoLayer, true);
  builder.add("cls.output.weight", Shape(model.dim, model.n_labels), Role::kClassifierOut);
  builder.add("cls.output.bias", Shape(model.n_labels), Role::kClassifierOutBias, kNoLayer, true);
  return {};
}

void add_blocks(Builder& builder, bool fused_qkv) {
  builder.add_attention({.norm = "", .out_norm = "attn_output_norm", .fused_qkv = fused_qkv});
  builder.add_ffn({.norm = "", .out_norm = "layer_output_norm"});
}

Result<void> set_activation(Builder& builder) {
  CISTERN_TRY(const auto name, builder.metadata().find_string(builder.key("hidden_activation")));
  Activation activation = Activation::kGeluErf;
  if (name && *name == "silu") {
    activation = Activation::kSilu;
  } else if (name && *name != "gelu") {
    return builder.unsupported("hidden_activation",
                               fmt::format("'{}' is not supported; known are gelu and silu", *name));
  }
  builder.for_ffn([activation](FfnSpec& ffn) { ffn.activation = activation; });
  return {};
}

}  // namespace

Result<void> build_bert(Builder& builder) {
  builder.model.norm = NormKind::kLayer;
  CISTERN_TRY_VOID(builder.set_bidirectional());
  builder.for_attention([](AttentionSpec& a) { a.rope = kNoRope; });
  builder.for_ffn([](FfnSpec& ffn) {
    ffn.activation = Activation::kGeluErf;
    ffn.gated = false;
  });
  add_embedding(builder);
  builder.add("position_embd.weight", Shape(builder.model.dim, builder.model.context_tokens),
              Role::kPositionEmbedding);
  CISTERN_TRY_VOID(add_token_types(builder));
  add_blocks(builder, false);
  return add_classifier(builder);
}

Result<void> build_nomic_bert(Builder& builder) {
  builder.model.norm = NormKind::kLayer;
  CISTERN_TRY_VOID(builder.set_rope(RopeStyle::kHalfSplit));
  CISTERN_TRY_VOID(builder.set_bidirectional());
  add_embedding(builder);
  CISTERN_TRY_VOID(add_token_types(builder));
  add_blocks(builder, true);
  return {};
}

Result<void> build_modern_bert(Builder& builder) {
  ModelSpec& model = builder.model;
  model.norm = NormKind::kLayer;
  CISTERN_TRY(model.norm_eps, builder.positive_or("attention.layer_norm_epsilon", model.norm_eps));
  CISTERN_TRY_VOID(builder.set_rope(RopeStyle::kHalfSplit));
  CISTERN_TRY(const float local_base, builder.positive_or("rope.freq_base_swa", 10000.0F));
  model.ropes.push_back(plain_rope(RopeStyle::kHalfSplit, model.ropes[0].dims, local_base));
  CISTERN_TRY_VOID(builder.set_window_pattern(kModernBertPeriod, Builder::FullLayer::kFirst));
  CISTERN_TRY_VOID(builder.set_bidirectional());
  builder.for_attention([](AttentionSpec& a) { a.rope = a.window > 0 ? 1 : 0; });
  CISTERN_TRY_VOID(set_activation(builder));
  add_embedding(builder);
  builder.add_norm(kNoLayer, "output_norm", model.dim, Role::kOutputNorm, Role::kOutputNormBias);
  builder.add_attention({.norm = "", .fused_qkv = true});
  // The embedding's norm serves the first block too.
  for (int li = 1; li < static_cast<int>(model.layers.size()); ++li)
    builder.add_norm(li, "attn_norm", model.dim, Role::kAttnNorm, Role::kAttnNormBias);
  builder.add_ffn({.fused_gate_up = true});
  return {};
}

}  // namespace cistern::spec
