#include "engine/synthetic/habits.h"

#include <algorithm>
#include <limits>

namespace cistern::engine {
namespace {

using spec::Role;

constexpr bool kTied = true;

constexpr Amount per(Of of, std::uint32_t over, std::uint32_t least = 1) {
  return {.of = of, .times = 1, .over = over, .least = least};
}
constexpr Amount kNone = {};
constexpr Amount kKv = part(Of::kKvHeads);
constexpr Amount kFfn = part(Of::kFfn);

// Key-value heads, of which layers with other mixers have none.
constexpr PerLayer kEveryThird = {.amounts = {{{}, {}, kKv}}, .n_amounts = 3};
constexpr PerLayer kEveryFourth = {.amounts = {{{}, {}, {}, exactly(1)}}, .n_amounts = 4};
constexpr PerLayer kEveryTenth = {.amounts = {{{}, {}, {}, {}, {}, kKv, {}, {}, {}, {}}}, .n_amounts = 10};

// Mamba 2 of heads of 64 values.
constexpr Trait kMamba2[] = {
    {"attention.head_count", kNone},       {"attention.head_count_kv", kNone},
    {"feed_forward_length", kNone},        {"ssm.conv_kernel", exactly(4)},
    {"ssm.state_size", exactly(128)},      {"ssm.group_count", exactly(1)},
    {"ssm.inner_size", part(Of::kDim, 2)}, {"ssm.time_step_rank", per(Of::kDim, 32)},
};
constexpr Trait kGraniteHybrid[] = {
    {"attention.head_count_kv", kEveryTenth}, {"ssm.conv_kernel", exactly(4)},
    {"ssm.state_size", exactly(128)},         {"ssm.group_count", exactly(1)},
    {"ssm.inner_size", part(Of::kDim, 2)},    {"ssm.time_step_rank", per(Of::kDim, 32)},
    {"rope.scaling.finetuned", false},
};
constexpr Trait kFalconH1[] = {
    {"ssm.conv_kernel", exactly(4)},
    {"ssm.state_size", exactly(256)},
    {"ssm.group_count", exactly(1)},
    {"ssm.inner_size", part(Of::kDim, 3, 2)},
    {"ssm.time_step_rank", Amount{.of = Of::kDim, .times = 3, .over = 128, .least = 1}},
};
// Mamba, dense, mamba, dense, mamba, dense, mamba, attention, dense.
constexpr PerLayer kNemotronHeads = {.amounts = {{{}, {}, {}, {}, {}, {}, {}, kKv, {}}}, .n_amounts = 9};
constexpr PerLayer kNemotronFfn = {.amounts = {{{}, kFfn, {}, kFfn, {}, kFfn, {}, {}, kFfn}}, .n_amounts = 9};
constexpr Trait kNemotronH[] = {
    {"attention.head_count_kv", kNemotronHeads},
    {"feed_forward_length", kNemotronFfn},
    {"ssm.conv_kernel", exactly(4)},
    {"ssm.state_size", exactly(128)},
    {"ssm.group_count", per(Of::kDim, 512)},
    {"ssm.inner_size", part(Of::kDim, 2)},
    {"ssm.time_step_rank", per(Of::kDim, 32)},
};
constexpr Trait kNemotronHMoe[] = {
    {"attention.head_count_kv", kNemotronHeads},
    {"feed_forward_length", kNemotronFfn},
    {"ssm.conv_kernel", exactly(4)},
    {"ssm.state_size", exactly(128)},
    {"ssm.group_count", per(Of::kDim, 512)},
    {"ssm.inner_size", part(Of::kDim, 2)},
    {"ssm.time_step_rank", per(Of::kDim, 32)},
    {"expert_weights_scale", 2.5F},
};

constexpr Trait kQwen3Next[] = {
    {"ssm.conv_kernel", exactly(4)},         {"ssm.state_size", exactly(128)},
    {"ssm.group_count", per(Of::kDim, 128)}, {"ssm.time_step_rank", per(Of::kDim, 64)},
    {"ssm.inner_size", part(Of::kDim, 2)},   {"full_attention_interval", exactly(4)},
};
constexpr Trait kQwen35[] = {
    {"ssm.conv_kernel", exactly(4)},         {"ssm.state_size", exactly(128)},
    {"ssm.group_count", per(Of::kDim, 256)}, {"ssm.time_step_rank", per(Of::kDim, 128)},
    {"ssm.inner_size", part(Of::kDim)},      {"full_attention_interval", exactly(4)},
};
constexpr Trait kKimiLinear[] = {
    {"attention.head_count_kv", kEveryFourth}, {"kda.head_dim", part(Of::kHeadDim)},
    {"ssm.conv_kernel", exactly(4)},           {"leading_dense_block_count", exactly(1)},
    {"expert_weights_scale", 2.446F},
};

constexpr Trait kDenseFirst[] = {{"leading_dense_block_count", exactly(1)}};
constexpr Trait kExaoneMoe[] = {{"leading_dense_block_count", exactly(1)}, {"expert_weights_scale", 2.5F}};
constexpr Trait kDeepseek32[] = {
    {"leading_dense_block_count", Amount{.of = Of::kLayers, .times = 3, .over = 61, .least = 1}},
    {"expert_group_count", exactly(8)},
    {"expert_group_used_count", exactly(4)},
    {"expert_gating_func", exactly(2)},
    {"expert_weights_norm", true},
    {"expert_weights_scale", 2.5F},
    {"attention.indexer.head_count", per(Of::kHeads, 2)},
    {"attention.indexer.key_length", exactly(128)},
    {"attention.indexer.top_k", exactly(2048)},
};
constexpr Trait kGlmDsa[] = {
    {"leading_dense_block_count", Amount{.of = Of::kLayers, .times = 3, .over = 78, .least = 1}},
    {"expert_gating_func", exactly(2)},
    {"expert_weights_norm", true},
    {"expert_weights_scale", 2.5F},
    {"attention.indexer.head_count", per(Of::kHeads, 2)},
    {"attention.indexer.key_length", exactly(128)},
    {"attention.indexer.top_k", exactly(2048)},
};
constexpr Trait kDeepseek4[] = {
    {"attention.head_count_kv", exactly(1)},
    {"attention.output_group_count", per(Of::kHeads, 8)},
    {"attention.output_lora_rank", row_part(Of::kDim, 1, 4)},
    {"attention.indexer.head_count", part(Of::kHeads)},
    {"attention.indexer.key_length", exactly(128)},
    {"attention.indexer.top_k", exactly(512)},
    {"attention.compress_ratios",
     PerLayer{.amounts = {{kNone, kNone, exactly(4), exactly(128)}}, .n_amounts = 4, .n_first = 2}},
    {"attention.compress_rope_freq_base", 160000.0F},
    {"hyper_connection.count", exactly(4)},
    {"hyper_connection.sinkhorn_iterations", exactly(20)},
    {"hyper_connection.epsilon", 1e-6F},
    {"hash_layer_count", Amount{.of = Of::kLayers, .times = 3, .over = 43, .least = 1}},
    {"swiglu_clamp_exp", Ramp{.first = 10, .rest = 10}},
    {"swiglu_clamp_shexp", Ramp{.first = 10, .rest = 10}},
    {"expert_gating_func", exactly(4)},
    {"expert_weights_norm", true},
    {"expert_weights_scale", 1.5F},
};

// Whole periods of layers share the caches of those before them.
constexpr Amount shared_layers(std::uint32_t period) {
  return {.of = Of::kLayers, .times = 3, .over = 7, .step = period};
}
constexpr Amount kPerLayerInput = {.of = Of::kDim, .times = 1, .over = 8, .step = 32, .least = 32};
constexpr Trait kGemma3n[] = {
    {"altup.num_inputs", exactly(4)},
    {"altup.active_idx", kNone},
    {"embedding_length_per_layer_input", kPerLayerInput},
    {"attention.shared_kv_layers", shared_layers(5)},
    {"activation_sparsity_scale", Ramp{.first = 1.6448536F,
                                       .rest = -std::numeric_limits<float>::infinity(),
                                       .n_first = part(Of::kLayers, 2, 7)}},
};
constexpr Trait kGemma4[] = {
    {"attention.key_length", part(Of::kHeadDim, 2)},      {"attention.value_length", part(Of::kHeadDim, 2)},
    {"attention.key_length_swa", part(Of::kHeadDim)},     {"attention.value_length_swa", part(Of::kHeadDim)},
    {"rope.dimension_count", part(Of::kHeadDim, 2)},      {"rope.dimension_count_swa", part(Of::kHeadDim)},
    {"embedding_length_per_layer_input", kPerLayerInput}, {"attention.shared_kv_layers", shared_layers(6)},
};
constexpr Trait kMimo2[] = {
    {"attention.value_length", Amount{.of = Of::kHeadDim, .times = 2, .over = 3, .step = 64, .least = 64}},
    {"attention.value_scale", 0.707F},
};
constexpr Trait kLfm2[] = {{"attention.head_count_kv", kEveryThird}, {"shortconv.l_cache", exactly(3)}};
constexpr Trait kLfm2Moe[] = {
    {"attention.head_count_kv", kEveryThird},
    {"shortconv.l_cache", exactly(3)},
    {"leading_dense_block_count", per(Of::kLayers, 12)},
};
constexpr Trait kEncoder[] = {{"attention.causal", false}, {"pooling_type", exactly(1)}};

constexpr Role kConvBias[] = {Role::kSsmConvBias};
constexpr Role kSinks[] = {Role::kSinks, Role::kBo};
constexpr Role kMimo2Roles[] = {Role::kSinks};
constexpr Role kGemma4Roles[] = {Role::kLayerScale, Role::kExpertsDownScale};
constexpr Role kNormBiases[] = {Role::kAttnNormBias, Role::kFfnNormBias, Role::kOutputNormBias};
constexpr Role kAllBiases[] = {Role::kEmbeddingNormBias,
                               Role::kAttnNormBias,
                               Role::kAttnOutNormBias,
                               Role::kFfnNormBias,
                               Role::kFfnOutNormBias,
                               Role::kOutputNormBias,
                               Role::kBq,
                               Role::kBk,
                               Role::kBv,
                               Role::kBo,
                               Role::kBUp,
                               Role::kBDown};
constexpr Role kPhimoeRoles[] = {Role::kAttnNormBias, Role::kFfnNormBias, Role::kOutputNormBias, Role::kBo,
                                 Role::kOutputBias};
constexpr Role kNomicRoles[] = {Role::kEmbeddingNormBias, Role::kAttnOutNormBias, Role::kFfnOutNormBias};

// Experts: how many, of which a token uses, hidden values, shared ones. Latent attention: ranks of queries
// and keys.
constexpr Habits kHabits[] = {
    {.arch = "gemma", .tied = kTied},
    {.arch = "gemma2", .tied = kTied, .window = 4096},
    {.arch = "gemma3", .tied = kTied, .window = 1024},
    {.arch = "gemma-embedding", .tied = kTied, .window = 512, .traits = kEncoder},
    {.arch = "gemma3n", .tied = kTied, .window = 512, .traits = kGemma3n},
    {.arch = "gemma4", .tied = kTied, .window = 512, .traits = kGemma4, .also = kGemma4Roles},
    {.arch = "llama4", .window = 8192, .experts = {exactly(16), exactly(1), row_part(Of::kDim, 8, 5), {}}},
    {.arch = "qwen2moe", .experts = {exactly(60), exactly(4), row_part(Of::kDim, 11, 16), exactly(4)}},
    {.arch = "qwen3moe", .experts = {exactly(128), exactly(8), row_part(Of::kDim, 3, 8), {}}},
    {.arch = "qwen3next",
     .experts = {exactly(512), exactly(10), row_part(Of::kDim, 1, 4), exactly(1)},
     .rope_dim = part(Of::kHeadDim, 1, 4),
     .traits = kQwen3Next},
    {.arch = "qwen35", .rope_dim = part(Of::kHeadDim, 1, 4), .traits = kQwen35},
    {.arch = "qwen35moe",
     .experts = {exactly(256), exactly(8), row_part(Of::kDim, 1, 4), exactly(1)},
     .rope_dim = part(Of::kHeadDim, 1, 4),
     .traits = kQwen3Next},
    {.arch = "gpt-oss",
     .window = 128,
     .experts = {exactly(32), exactly(4), part(Of::kDim), {}},
     .also = kSinks},
    {.arch = "glm4", .rope_dim = part(Of::kHeadDim, 1, 2)},
    {.arch = "glm4moe",
     .experts = {exactly(128), exactly(8), row_part(Of::kDim, 11, 32), exactly(1)},
     .rope_dim = part(Of::kHeadDim, 1, 2),
     .traits = kDenseFirst},
    {.arch = "deepseek2",
     .experts = {exactly(64), exactly(6), row_part(Of::kDim, 11, 16), exactly(2)},
     .latent = {{}, row_part(Of::kDim, 1, 4)},
     .rope_dim = part(Of::kHeadDim, 1, 2),
     .traits = kDenseFirst},
    {.arch = "deepseek32",
     .experts = {exactly(256), exactly(8), row_part(Of::kDim, 2, 7), exactly(1)},
     .latent = {row_part(Of::kDim, 3, 14), row_part(Of::kDim, 1, 14)},
     .rope_dim = part(Of::kHeadDim, 1, 2),
     .traits = kDeepseek32},
    {.arch = "glm-dsa",
     .experts = {exactly(256), exactly(8), row_part(Of::kDim, 1, 3), exactly(1)},
     .latent = {row_part(Of::kDim, 1, 3), row_part(Of::kDim, 1, 12)},
     .rope_dim = {.of = Of::kHeadDim, .times = 1, .over = 3, .step = 2, .least = 2},
     .traits = kGlmDsa},
    {.arch = "deepseek4",
     .window = 128,
     .experts = {exactly(256), exactly(6), row_part(Of::kDim, 1, 2), exactly(1)},
     .latent = {row_part(Of::kDim, 1, 4), {}},
     .rope_dim = {.of = Of::kHeadDim, .times = 1, .over = 8, .step = 2, .least = 2},
     .traits = kDeepseek4},
    {.arch = "kimi-linear",
     .experts = {exactly(256), exactly(8), row_part(Of::kDim, 4, 9), exactly(1)},
     .latent = {{}, row_part(Of::kDim, 2, 9)},
     .rope_dim = part(Of::kHeadDim, 1, 2),
     .traits = kKimiLinear},
    {.arch = "phimoe", .experts = {exactly(16), exactly(2), kFfn, {}}, .also = kPhimoeRoles},
    {.arch = "olmoe", .experts = {exactly(64), exactly(8), row_part(Of::kDim, 1, 2), {}}},
    {.arch = "granite", .tied = kTied},
    {.arch = "granitemoe", .tied = kTied, .experts = {exactly(40), exactly(8), row_part(Of::kDim, 1, 3), {}}},
    {.arch = "granitehybrid",
     .tied = kTied,
     .experts = {exactly(64), exactly(6), row_part(Of::kDim, 1, 3), exactly(2)},
     .traits = kGraniteHybrid,
     .also = kConvBias},
    {.arch = "command-r", .tied = kTied},
    {.arch = "cohere2", .tied = kTied, .window = 4096},
    {.arch = "smollm3", .tied = kTied},
    {.arch = "stablelm",
     .rope_dim = {.of = Of::kHeadDim, .times = 1, .over = 4, .step = 2, .least = 2},
     .also = kNormBiases},
    {.arch = "starcoder2", .tied = kTied, .window = 4096, .also = kAllBiases},
    {.arch = "ernie4_5", .tied = kTied},
    {.arch = "ernie4_5-moe",
     .tied = kTied,
     .experts = {exactly(64), exactly(6), row_part(Of::kDim, 3, 5), exactly(2)},
     .traits = kDenseFirst},
    {.arch = "exaone4", .window = 4096},
    {.arch = "exaone-moe",
     .window = 128,
     .experts = {exactly(128), exactly(8), row_part(Of::kDim, 1, 3), exactly(1)},
     .traits = kExaoneMoe},
    {.arch = "hunyuan-dense", .tied = kTied},
    {.arch = "hunyuan-moe",
     .tied = kTied,
     .experts = {exactly(64), exactly(8), row_part(Of::kDim, 3, 4), exactly(1)}},
    {.arch = "minimax-m2",
     .experts = {exactly(256), exactly(8), row_part(Of::kDim, 1, 2), {}},
     .rope_dim = part(Of::kHeadDim, 1, 2)},
    {.arch = "mimo2",
     .window = 128,
     .experts = {exactly(256), exactly(8), row_part(Of::kDim, 1, 2), {}},
     .rope_dim = {.of = Of::kHeadDim, .times = 1, .over = 3, .step = 2, .least = 2},
     .traits = kMimo2,
     .also = kMimo2Roles},
    {.arch = "mamba2", .tied = kTied, .traits = kMamba2, .also = kConvBias},
    {.arch = "falcon-h1", .traits = kFalconH1, .also = kConvBias},
    {.arch = "nemotron_h", .traits = kNemotronH, .also = kConvBias},
    {.arch = "nemotron_h_moe",
     .experts = {exactly(128), exactly(6), row_part(Of::kDim, 2, 3), exactly(2)},
     .traits = kNemotronHMoe,
     .also = kConvBias},
    {.arch = "lfm2", .tied = kTied, .traits = kLfm2},
    {.arch = "lfm2moe",
     .tied = kTied,
     .experts = {exactly(32), exactly(4), row_part(Of::kDim, 7, 8), {}},
     .traits = kLfm2Moe},
    {.arch = "bert", .tied = kTied, .traits = kEncoder, .also = kAllBiases},
    {.arch = "nomic-bert", .tied = kTied, .traits = kEncoder, .also = kNomicRoles},
    {.arch = "modern-bert", .tied = kTied, .window = 128, .traits = kEncoder},
};

}  // namespace

const Habits& habits_of(std::string_view arch) noexcept {
  static constexpr Habits kNoHabits = {};
  const auto* row = std::ranges::find(kHabits, arch, &Habits::arch);
  return row != std::end(kHabits) ? *row : kNoHabits;
}

}  // namespace cistern::engine
