// The families of models whose published configurations are known: model_type -> architecture and reader.
// Adding one is a row in families.cc and a function in the file of its kind. Internal to spec/hub/.
#pragma once

#include <span>
#include <string_view>

#include "base/error.h"
#include "spec/hub/conversion.h"

namespace cistern::spec::hub {

struct Family {
  std::string_view model_type;
  std::string_view arch;  // general.architecture; a reader may choose a relative
  Result<void> (*read)(Conversion& c);
  std::string_view defaults = {};  // JSON: fields that its configurations may leave out
};

std::span<const Family> families() noexcept;

// dense_families.cc: a gated block after attention in every layer.
Result<void> read_dense(Conversion& c);
Result<void> read_qwen(Conversion& c);
Result<void> read_phi3(Conversion& c);
Result<void> read_starcoder2(Conversion& c);
Result<void> read_windows_of_four(Conversion& c);
Result<void> read_gemma2(Conversion& c);
Result<void> read_gemma3(Conversion& c);
Result<void> read_gemma3n(Conversion& c);
Result<void> read_gemma4(Conversion& c);

// moe_families.cc: experts behind plain attention.
Result<void> read_mixture(Conversion& c);
Result<void> read_llama4(Conversion& c);
Result<void> read_gpt_oss(Conversion& c);
Result<void> read_glm4_moe(Conversion& c);
Result<void> read_phimoe(Conversion& c);
Result<void> read_mimo2(Conversion& c);

// latent_families.cc: latent or compressed attention.
Result<void> read_deepseek(Conversion& c);
Result<void> read_deepseek_indexed(Conversion& c);
Result<void> read_glm_dsa(Conversion& c);
Result<void> read_deepseek_v4(Conversion& c);
Result<void> read_kimi_linear(Conversion& c);

// recurrent_families.cc: layers with a state of fixed size.
Result<void> read_qwen3_next(Conversion& c);
Result<void> read_qwen35(Conversion& c);
Result<void> read_qwen35_moe(Conversion& c);
Result<void> read_nemotron_h(Conversion& c);
Result<void> read_granite_hybrid(Conversion& c);
Result<void> read_falcon_h1(Conversion& c);
Result<void> read_mamba2(Conversion& c);
Result<void> read_lfm2(Conversion& c);
Result<void> read_lfm2_moe(Conversion& c);

}  // namespace cistern::spec::hub
