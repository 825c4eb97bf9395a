#include "spec/registry.h"

#include <array>

namespace cistern::spec {
namespace {

// clang-format off
constexpr std::array kArchitectures = {
    Architecture{"llama", build_llama},
    Architecture{"mistral", build_llama},
    Architecture{"mistral3", build_mistral3},
    Architecture{"llama4", build_llama4},
    Architecture{"qwen2", build_qwen2},
    Architecture{"qwen2moe", build_qwen2moe},
    Architecture{"qwen3", build_qwen3},
    Architecture{"qwen3moe", build_qwen3moe},
    Architecture{"qwen3next", build_qwen3next, Mtp::kKnown},
    Architecture{"qwen35", build_qwen35, Mtp::kKnown},
    Architecture{"qwen35moe", build_qwen35moe, Mtp::kKnown},
    Architecture{"gpt-oss", build_gpt_oss},
    Architecture{"glm4", build_glm4},
    Architecture{"glm4moe", build_glm4moe, Mtp::kKnown},
    Architecture{"deepseek2", build_deepseek2, Mtp::kKnown},
    Architecture{"deepseek32", build_deepseek32, Mtp::kKnown},
    Architecture{"deepseek4", build_deepseek4},
    Architecture{"glm-dsa", build_glm_dsa, Mtp::kKnown},
    Architecture{"gemma", build_gemma},
    Architecture{"gemma2", build_gemma2},
    Architecture{"gemma3", build_gemma3},
    Architecture{"gemma3n", build_gemma3n},
    Architecture{"gemma4", build_gemma4},
    Architecture{"phi3", build_phi3},
    Architecture{"phimoe", build_phimoe},
    Architecture{"olmo2", build_olmo2},
    Architecture{"olmoe", build_olmoe},
    Architecture{"granite", build_granite},
    Architecture{"granitemoe", build_granitemoe},
    Architecture{"command-r", build_command_r},
    Architecture{"cohere2", build_cohere2},
    Architecture{"smollm3", build_smollm3},
    Architecture{"stablelm", build_stablelm},
    Architecture{"starcoder2", build_starcoder2},
    Architecture{"ernie4_5", build_ernie},
    Architecture{"ernie4_5-moe", build_ernie_moe},
    Architecture{"exaone4", build_exaone4},
    Architecture{"exaone-moe", build_exaone_moe},
    Architecture{"hunyuan-dense", build_hunyuan},
    Architecture{"hunyuan-moe", build_hunyuan_moe},
    Architecture{"seed_oss", build_seed_oss},
    Architecture{"minimax-m2", build_minimax_m2},
    Architecture{"kimi-linear", build_kimi_linear},
    Architecture{"mimo2", build_mimo2},
    Architecture{"mamba2", build_mamba2},
    Architecture{"granitehybrid", build_granitehybrid},
    Architecture{"falcon-h1", build_falcon_h1},
    Architecture{"nemotron_h", build_nemotron_h},
    Architecture{"nemotron_h_moe", build_nemotron_h_moe},
    Architecture{"lfm2", build_lfm2},
    Architecture{"lfm2moe", build_lfm2moe},
    Architecture{"bert", build_bert},
    Architecture{"nomic-bert", build_nomic_bert},
    Architecture{"modern-bert", build_modern_bert},
    Architecture{"gemma-embedding", build_gemma_embedding},
};
// clang-format on

}  // namespace

std::span<const Architecture> architectures() noexcept {
  return kArchitectures;
}

}  // namespace cistern::spec
