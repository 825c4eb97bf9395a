#include "spec/hub/families.h"

namespace cistern::spec::hub {
namespace {

constexpr std::string_view kTied = R"({"tie_word_embeddings": true})";
constexpr std::string_view kTiedGemma = R"({"tie_word_embeddings": true, "head_dim": 256})";
constexpr std::string_view kGemma3 = R"({"tie_word_embeddings": true, "head_dim": 256, "vocab_size": 262144,
    "num_attention_heads": 8, "num_key_value_heads": 4, "max_position_embeddings": 131072})";
constexpr std::string_view kGemma3n = R"({"tie_word_embeddings": true, "head_dim": 256,
    "vocab_size_per_layer_input": 262144, "laurel_rank": 64, "altup_num_inputs": 4, "altup_active_idx": 0})";
constexpr std::string_view kGemma4 = R"({"tie_word_embeddings": true, "head_dim": 256})";
constexpr std::string_view kQuarterRope = R"({"partial_rotary_factor": 0.25, "head_dim": 256})";
constexpr std::string_view kHalfRope = R"({"partial_rotary_factor": 0.5})";
constexpr std::string_view kSoftmax = R"({"scoring_func": "softmax"})";
constexpr std::string_view kSigmoid = R"({"scoring_func": "sigmoid", "norm_topk_prob": true})";

// clang-format off
constexpr Family kFamilies[] = {
    {"llama", "llama", read_dense},
    {"mistral", "llama", read_dense},
    {"mistral3", "llama", read_dense},
    {"ministral", "llama", read_dense},
    {"ministral3", "mistral3", read_dense},
    {"mixtral", "llama", read_mixture},
    {"llama4", "llama4", read_llama4},
    {"llama4_text", "llama4", read_llama4},
    {"qwen2", "qwen2", read_qwen},
    {"qwen2_moe", "qwen2moe", read_mixture},
    {"qwen3", "qwen3", read_qwen},
    {"qwen3_moe", "qwen3moe", read_mixture},
    {"qwen2_vl", "qwen2", read_qwen},
    {"qwen2_5_vl", "qwen2", read_qwen},
    {"qwen2_5_vl_text", "qwen2", read_qwen},
    {"qwen3_vl_text", "qwen3", read_qwen},
    {"qwen3_vl_moe_text", "qwen3moe", read_mixture},
    {"qwen3_next", "qwen3next", read_qwen3_next, kQuarterRope},
    {"qwen3_5", "qwen35", read_qwen35, kQuarterRope},
    {"qwen3_5_text", "qwen35", read_qwen35, kQuarterRope},
    {"qwen3_5_moe", "qwen35moe", read_qwen35_moe, kQuarterRope},
    {"qwen3_5_moe_text", "qwen35moe", read_qwen35_moe, kQuarterRope},
    {"gpt_oss", "gpt-oss", read_gpt_oss},
    {"glm4", "glm4", read_dense, kHalfRope},
    {"glm4_moe", "glm4moe", read_glm4_moe, kHalfRope},
    {"glm4v_text", "glm4", read_dense, kHalfRope},
    {"glm4v_moe_text", "glm4moe", read_glm4_moe, kHalfRope},
    {"glm4_moe_lite", "deepseek2", read_deepseek, kSigmoid},
    {"glm_moe_dsa", "glm-dsa", read_glm_dsa, kSigmoid},
    {"deepseek_v2", "deepseek2", read_deepseek, kSoftmax},
    {"deepseek_v3", "deepseek2", read_deepseek, kSigmoid},
    {"kimi_k2", "deepseek2", read_deepseek, kSigmoid},
    {"deepseek_v32", "deepseek32", read_deepseek_indexed, kSigmoid},
    {"deepseek_v4", "deepseek4", read_deepseek_v4},
    {"kimi_linear", "kimi-linear", read_kimi_linear},
    {"gemma", "gemma", read_dense, kTiedGemma},
    {"gemma2", "gemma2", read_gemma2, kTiedGemma},
    {"gemma3", "gemma3", read_gemma3, kGemma3},
    {"gemma3_text", "gemma3", read_gemma3, kGemma3},
    {"gemma3n", "gemma3n", read_gemma3n, kGemma3n},
    {"gemma3n_text", "gemma3n", read_gemma3n, kGemma3n},
    {"gemma4", "gemma4", read_gemma4, kGemma4},
    {"gemma4_text", "gemma4", read_gemma4, kGemma4},
    {"gemma4_unified_text", "gemma4", read_gemma4, kGemma4},
    {"phi3", "phi3", read_phi3},
    {"phimoe", "phimoe", read_phimoe},
    {"minimax_m2", "minimax-m2", read_mixture},
    {"minimax", "minimax-m2", read_mixture},
    {"olmo2", "olmo2", read_windows_of_four},
    {"olmo3", "olmo2", read_windows_of_four},
    {"olmoe", "olmoe", read_mixture},
    {"granite", "granite", read_dense},
    {"granitemoe", "granitemoe", read_mixture, kTied},
    {"granitemoehybrid", "granitehybrid", read_granite_hybrid, kTied},
    {"cohere", "command-r", read_dense, kTied},
    {"cohere2", "cohere2", read_windows_of_four, kTied},
    {"exaone4", "exaone4", read_windows_of_four},
    {"smollm3", "smollm3", read_dense, kTied},
    {"stablelm", "stablelm", read_dense},
    {"starcoder2", "starcoder2", read_starcoder2},
    {"ernie4_5", "ernie4_5", read_dense, kTied},
    {"ernie4_5_moe", "ernie4_5-moe", read_mixture, kTied},
    {"hunyuan_v1_dense", "hunyuan-dense", read_dense, kTied},
    {"hunyuan_v1_moe", "hunyuan-moe", read_mixture, kTied},
    {"seed_oss", "seed_oss", read_dense},
    {"mimo_v2_flash", "mimo2", read_mimo2},
    {"nemotron_h", "nemotron_h", read_nemotron_h},
    {"falcon_h1", "falcon-h1", read_falcon_h1},
    {"mamba2", "mamba2", read_mamba2},
    {"lfm2", "lfm2", read_lfm2, kTied},
    {"lfm2_moe", "lfm2moe", read_lfm2_moe, kTied},
};
// clang-format on

}  // namespace

std::span<const Family> families() noexcept {
  return kFamilies;
}

}  // namespace cistern::spec::hub
