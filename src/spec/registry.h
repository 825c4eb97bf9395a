// The architectures Cistern knows: name in general.architecture -> builder. Adding one is a row in
// registry.cc and a file beside it. Used by read_model_spec(), and by whoever needs the list of the names.
#pragma once

#include <span>
#include <string_view>

#include "base/error.h"
#include "spec/builder.h"

namespace cistern::spec {

// Whether the form of the layers that predict further tokens is known; else they are read past.
enum class Mtp { kUnknown, kKnown };

struct Architecture {
  std::string_view name;
  // Fills what is particular; `builder.model` starts with what every decoder has (builder.h).
  Result<void> (*build)(Builder& builder);
  Mtp mtp = Mtp::kUnknown;
};

std::span<const Architecture> architectures() noexcept;

// Each in the file of its family.
Result<void> build_llama(Builder& builder);
Result<void> build_mistral3(Builder& builder);
Result<void> build_llama4(Builder& builder);
Result<void> build_qwen2(Builder& builder);
Result<void> build_qwen2moe(Builder& builder);
Result<void> build_qwen3(Builder& builder);
Result<void> build_qwen3moe(Builder& builder);
Result<void> build_qwen3next(Builder& builder);
Result<void> build_qwen35(Builder& builder);
Result<void> build_qwen35moe(Builder& builder);
Result<void> build_gpt_oss(Builder& builder);
Result<void> build_glm4(Builder& builder);
Result<void> build_glm4moe(Builder& builder);
Result<void> build_deepseek2(Builder& builder);
Result<void> build_deepseek32(Builder& builder);
Result<void> build_deepseek4(Builder& builder);
Result<void> build_glm_dsa(Builder& builder);
Result<void> build_gemma(Builder& builder);
Result<void> build_gemma2(Builder& builder);
Result<void> build_gemma3(Builder& builder);
Result<void> build_gemma3n(Builder& builder);
Result<void> build_gemma4(Builder& builder);
Result<void> build_phi3(Builder& builder);
Result<void> build_phimoe(Builder& builder);
Result<void> build_olmo2(Builder& builder);
Result<void> build_olmoe(Builder& builder);
Result<void> build_granite(Builder& builder);
Result<void> build_granitemoe(Builder& builder);
Result<void> build_command_r(Builder& builder);
Result<void> build_cohere2(Builder& builder);
Result<void> build_smollm3(Builder& builder);
Result<void> build_stablelm(Builder& builder);
Result<void> build_starcoder2(Builder& builder);
Result<void> build_ernie(Builder& builder);
Result<void> build_ernie_moe(Builder& builder);
Result<void> build_exaone4(Builder& builder);
Result<void> build_exaone_moe(Builder& builder);
Result<void> build_hunyuan(Builder& builder);
Result<void> build_hunyuan_moe(Builder& builder);
Result<void> build_seed_oss(Builder& builder);
Result<void> build_minimax_m2(Builder& builder);
Result<void> build_kimi_linear(Builder& builder);
Result<void> build_mimo2(Builder& builder);
Result<void> build_mamba2(Builder& builder);
Result<void> build_granitehybrid(Builder& builder);
Result<void> build_falcon_h1(Builder& builder);
Result<void> build_nemotron_h(Builder& builder);
Result<void> build_nemotron_h_moe(Builder& builder);
Result<void> build_lfm2(Builder& builder);
Result<void> build_lfm2moe(Builder& builder);
Result<void> build_bert(Builder& builder);
Result<void> build_nomic_bert(Builder& builder);
Result<void> build_modern_bert(Builder& builder);
Result<void> build_gemma_embedding(Builder& builder);

}  // namespace cistern::spec
