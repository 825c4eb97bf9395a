// Qwen3-Next (Qwen team 2025) and Qwen 3.5 (2026): three layers of the gated delta rule to one of gated
// attention with rope on a part of each head; with experts beside a shared one, or dense. Their files hold
// the weights of norms as 1 + w, except for the norm of the delta rule's heads.
#include <fmt/format.h>

#include "spec/registry.h"

namespace cistern::spec {

namespace {

constexpr std::uint32_t kFullInterval = 4;  // the last layer of each has attention
constexpr std::uint32_t kMaxHeads = 1U << 14U;
constexpr std::uint32_t kMaxConvWidth = 8;

Result<DeltaNetSpec> read_delta_net(const Builder& builder) {
  DeltaNetSpec d;
  CISTERN_TRY(d.conv_width, builder.require_u32("ssm.conv_kernel", 2, kMaxConvWidth));
  CISTERN_TRY(d.key_dim, builder.require_u32("ssm.state_size", 1, kMaxDim));
  CISTERN_TRY(d.n_key_heads, builder.require_u32("ssm.group_count", 1, kMaxHeads));
  CISTERN_TRY(d.n_value_heads, builder.require_u32("ssm.time_step_rank", 1, kMaxHeads));
  CISTERN_TRY(const std::uint32_t inner, builder.require_u32("ssm.inner_size", 1, kMaxDim));
  if (d.n_value_heads % d.n_key_heads != 0) {
    return builder.bad_key("ssm.time_step_rank", fmt::format("{} value heads cannot share {} key heads",
                                                             d.n_value_heads, d.n_key_heads));
  }
  if (inner % d.n_value_heads != 0) {
    return builder.bad_key("ssm.inner_size",
                           fmt::format("{} is no multiple of the {} value heads", inner, d.n_value_heads));
  }
  d.value_dim = inner / d.n_value_heads;
  if (std::uint64_t{d.n_key_heads} * d.key_dim > kMaxDim) {
    return builder.bad_key("ssm.state_size", fmt::format("{} heads of {} values are beyond any model",
                                                         d.n_key_heads, d.key_dim));
  }
  return d;
}

// Which layers have the delta rule instead of attention.
Result<std::vector<bool>> recurrent_layers(const Builder& builder) {
  constexpr std::string_view kFlags = "attention.recurrent_layers";
  std::vector<bool> recurrent;
  if (builder.metadata().has(builder.key(kFlags))) {
    CISTERN_TRY(recurrent, builder.flags_per_layer(kFlags));
  } else {
    CISTERN_TRY(const auto interval, builder.find_u32("full_attention_interval", 1, ~0U));
    for (std::size_t li = 0; li < builder.n_main_layers(); ++li)
      recurrent.push_back((li + 1) % interval.value_or(kFullInterval) != 0);
  }
  recurrent.resize(builder.model.layers.size(), false);  // what predicts further tokens has attention
  return recurrent;
}

// The first files of Qwen3-Next had one matrix for all, whose rows were ordered by key head.
Result<void> refuse_old_form(const Builder& builder, int li) {
  const std::string name = Builder::in_layer(li, "ssm_in.weight");
  if (!builder.has_tensor(name, false)) return {};
  return fail(ErrorCode::kUnsupported,
              "the file is from before queries, keys and values were kept apart from the gate; use a newer "
              "conversion of the model",
              fmt::format("{}: tensor '{}'", builder.metadata().where(), name));
}

void add_delta_net(Builder& builder, int li, const DeltaNetSpec& d) {
  const auto name = [li](std::string_view part) { return Builder::in_layer(li, part); };
  const std::uint64_t dim = builder.model.dim;
  const std::uint64_t values = std::uint64_t{d.n_value_heads} * d.value_dim;
  builder.add_norm(li, "attn_norm", dim, Role::kAttnNorm, Role::kAttnNormBias);
  builder.add(name("attn_qkv.weight"), Shape(dim, d.conv_dim()), Role::kWqkv, li);
  builder.add(name("attn_gate.weight"), Shape(dim, values), Role::kSsmGate, li);
  if (d.interleaved_heads) {
    builder.add(name("ssm_ba.weight"), Shape(dim, std::uint64_t{2} * d.n_value_heads), Role::kSsmBetaAlpha,
                li);
  } else {
    builder.add(name("ssm_alpha.weight"), Shape(dim, d.n_value_heads), Role::kSsmAlpha, li);
    builder.add(name("ssm_beta.weight"), Shape(dim, d.n_value_heads), Role::kSsmBeta, li);
  }
  builder.add_f32(name("ssm_conv1d.weight"), Shape(d.conv_width, d.conv_dim()), Role::kSsmConv, li);
  builder.add(name("ssm_dt.bias"), Shape(d.n_value_heads), Role::kSsmDtBias, li);
  builder.add(name("ssm_a"), Shape(d.n_value_heads), Role::kSsmA, li);
  builder.add(name("ssm_norm.weight"), Shape(d.value_dim), Role::kSsmNorm, li);
  builder.add(name("ssm_out.weight"), Shape(values, dim), Role::kSsmOut, li);
}

Result<void> start(Builder& builder, bool interleaved_heads) {
  CISTERN_TRY(DeltaNetSpec d, read_delta_net(builder));
  d.interleaved_heads = interleaved_heads;
  CISTERN_TRY(const std::vector<bool> recurrent, recurrent_layers(builder));
  CISTERN_TRY_VOID(builder.set_rope(RopeStyle::kHalfSplit));
  builder.for_attention([](AttentionSpec& a) {
    a.qk_norm = HeadNorm::kHeads;
    a.gated = true;
  });
  builder.add_embedding_and_output();
  for (std::size_t li = 0; li < recurrent.size(); ++li) {
    if (!recurrent[li]) continue;
    CISTERN_TRY_VOID(refuse_old_form(builder, static_cast<int>(li)));
    builder.model.layers[li].attention.reset();
    builder.model.layers[li].delta_net = d;
    add_delta_net(builder, static_cast<int>(li), d);
  }
  builder.add_attention({});
  return {};
}

Result<void> add_shared_and_routed(Builder& builder) {
  CISTERN_TRY_VOID(builder.set_experts({.gating = Gating::kSoftmax, .normalize = true}));
  builder.add_ffn({.norm = "post_attention_norm", .shared_router = true});
  return {};
}

}  // namespace

Result<void> build_qwen3next(Builder& builder) {
  CISTERN_TRY_VOID(start(builder, true));
  return add_shared_and_routed(builder);
}

// The key rope.dimension_sections splits the rotated pairs over the axes of images; all positions of a text
// token are equal, which makes it plain rope.
Result<void> build_qwen35(Builder& builder) {
  CISTERN_TRY_VOID(start(builder, false));
  builder.add_ffn({.norm = "post_attention_norm"});
  return {};
}

Result<void> build_qwen35moe(Builder& builder) {
  CISTERN_TRY_VOID(start(builder, false));
  return add_shared_and_routed(builder);
}

}  // namespace cistern::spec
