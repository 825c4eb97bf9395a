// Names of mixes as people write them, and the types that follow.
#include "spec/hub/quant_mix.h"

#include <gtest/gtest.h>

#include "spec/hub/paper_model.h"

namespace cistern::spec::hub {
namespace {

struct Spelling {
  const char* typed;
  const char* name;
};

TEST(QuantMix, names_are_taken_as_people_write_them) {
  constexpr Spelling kSpellings[] = {
      {"Q4_K_M", "Q4_K_M"},
      {"q4_k_m", "Q4_K_M"},
      {"Q4_K - Small", "Q4_K_S"},
      {"Q4_K - Medium", "Q4_K_M"},
      {"Q3_K - Large", "Q3_K_L"},
      {"IQ2_M - 2.7 bpw", "IQ2_M"},
      {"IQ2_XXS - 2.0625 bpw", "IQ2_XXS"},
      {"IQ4_NL - 4.5 bpw", "IQ4_NL"},
      {"Q4_K_M (ollama/llama.cpp)", "Q4_K_M"},
      {"Q2_K (UD-Q2_K_XL)", "UD-Q2_K_XL"},
      {"Q4 (ollama llama3.1:70b)", "Q4_K_M"},
      {"UD-Q4_K_XL", "UD-Q4_K_XL"},
      {"Q8_K_XL", "UD-Q8_K_XL"},
      {"~UD-Q2_K_XL", "UD-Q2_K_XL"},
      {"UD-IQ1_S", "UD-IQ1_S"},
      {"UD-Q4_K_S", "Q4_K_S"},
      {"IQ2_K_R4", "IQ2_K"},
      {"IQ2_XS_R4", "IQ2_XS_R4"},
      {"Q4_K_M_R4", "Q4_K_M"},
      {"IQ3_K mix", "IQ3_K"},
      {"IQ2/3_K_R4 mix", "IQ2_K"},
      {"smol-IQ3_K", "smol-IQ3_K"},
      {"MXFP4", "MXFP4"},
      {"MXFP4_MOE", "MXFP4"},
      {"bf16", "BF16"},
      {"FP16", "F16"},
      {"4bit", "4bit"},
      {"8-bit", "8bit"},
      {"4-bit DeepSeek-V3", "4bit"},
      {"6bit", "6bit"},
      {"4bit (4.5 bpw)", "4.5bpw"},
      {"Q4.5", "4.5bpw"},
      {"4.00bpw", "4bpw"},
      {"3.5bpw", "3.5bpw"},
      {"EXL2 4.25bpw", "EXL 4.25bpw"},
      {"exl3-3.0bpw", "EXL 3bpw"},
      {"AWQ", "AWQ"},
      {"GPTQ-Int4", "GPTQ"},
      {"fp8", "FP8"},
      {"nf4", "NF4"},
      {"41.5GB", "38.65 GiB"},
      {"DS V3/R1 386 GiB quant (376768 MiB CPU + 17744 MiB GPU)", "386 GiB"},
  };
  for (const Spelling& spelling : kSpellings) {
    const Result<QuantMix> mix = find_quant(spelling.typed);
    ASSERT_TRUE(mix) << spelling.typed << ": " << describe(mix.error());
    EXPECT_EQ(mix->name, spelling.name) << spelling.typed;
  }
}

TEST(QuantMix, what_is_no_name_is_refused) {
  for (const char* typed :
       {"",  "?", "Q",  "Q9_Z", "99bit", "0bpw",  "-1bpw",   "nanbpw", "infbpw", "1e3bpw", "bpw",
        "(", ")", "()", "GiB",  ".GB",   "0 GiB", "1e300GB", "UD-",    "smol-",  " mix",   "EXL2"}) {
    const Result<QuantMix> mix = find_quant(typed);
    EXPECT_FALSE(mix) << typed << " is " << mix->name;
  }
  const Result<QuantMix> misspelt = find_quant("Q4_K_N");
  ASSERT_FALSE(misspelt);
  EXPECT_EQ(misspelt.error().code, ErrorCode::kUsage);
  EXPECT_NE(misspelt.error().message.find("Q4_K_"), std::string::npos);
  EXPECT_FALSE(find_quant(std::string(100000, '(')));
}

DType type_in(const PaperModel& paper, std::string_view tensor) {
  const file::TensorInfo* info = paper.inventory.find(tensor);
  return info == nullptr ? DType::kI64 : info->dtype;
}

// As llama.cpp's quantizer chooses for Llama 3 8B: the published Q4_K_M file of it.
TEST(QuantMix, rules_depend_on_the_layer) {
  const Result<PaperModel> paper = paper_model_of_name("llama-3-8b", "Q4_K_M");
  ASSERT_TRUE(paper) << describe(paper.error());
  EXPECT_EQ(type_in(*paper, "output.weight"), DType::kQ6_K);
  EXPECT_EQ(type_in(*paper, "token_embd.weight"), DType::kQ4_K);
  EXPECT_EQ(type_in(*paper, "blk.0.ffn_down.weight"), DType::kQ6_K);
  EXPECT_EQ(type_in(*paper, "blk.4.ffn_down.weight"), DType::kQ4_K);
  EXPECT_EQ(type_in(*paper, "blk.6.ffn_down.weight"), DType::kQ6_K);
  EXPECT_EQ(type_in(*paper, "blk.31.attn_v.weight"), DType::kQ6_K);
  EXPECT_EQ(type_in(*paper, "blk.0.attn_norm.weight"), DType::kF32);
  EXPECT_FALSE(paper->is_average);
}

TEST(QuantMix, mixtures_of_8_experts_keep_keys_and_values) {
  const Result<PaperModel> paper = paper_model_of_name("mixtral-8x7b", "Q4_K_M");
  ASSERT_TRUE(paper);
  EXPECT_EQ(type_in(*paper, "blk.9.attn_v.weight"), DType::kQ8_0);
  EXPECT_EQ(type_in(*paper, "blk.9.attn_k.weight"), DType::kQ8_0);
  EXPECT_EQ(type_in(*paper, "blk.9.attn_output.weight"), DType::kQ5_K);
  EXPECT_EQ(type_in(*paper, "blk.9.ffn_gate_inp.weight"), DType::kF32);
}

TEST(QuantMix, rows_that_are_no_whole_blocks_get_smaller_blocks) {
  const Result<PaperModel> paper = paper_model_of_name("smollm2-135m", "Q4_K_M");  // rows of 576
  ASSERT_TRUE(paper);
  EXPECT_EQ(type_in(*paper, "blk.5.attn_q.weight"), DType::kQ5_0);
  EXPECT_EQ(type_in(*paper, "token_embd.weight"), DType::kQ8_0);
}

TEST(QuantMix, experts_alone_are_mxfp4) {
  const Result<PaperModel> paper = paper_model_of_name("gpt-oss-20b", "MXFP4");
  ASSERT_TRUE(paper);
  EXPECT_EQ(type_in(*paper, "blk.0.ffn_up_exps.weight"), DType::kMXFP4);
  EXPECT_EQ(type_in(*paper, "blk.0.attn_q.weight"), DType::kQ8_0);
  const Result<PaperModel> published = paper_model_of_name("gpt-oss-20b");
  ASSERT_TRUE(published);
  EXPECT_EQ(published->quant, "MXFP4 experts");
}

TEST(QuantMix, bits_per_weight_are_the_size) {
  const Result<PaperModel> paper = paper_model_of_name("llama-4-maverick", "3.5bpw");
  ASSERT_TRUE(paper) << describe(paper.error());
  EXPECT_TRUE(paper->is_average);
  const double bits =
      static_cast<double>(paper->inventory.tensor_bytes()) * 8 / static_cast<double>(paper->n_parameters());
  EXPECT_NEAR(bits, 3.5, 0.02);
}

TEST(QuantMix, a_size_is_met) {
  constexpr double kGib = 1024.0 * 1024.0 * 1024.0;
  const Result<PaperModel> paper = paper_model_of_name("deepseek-v3", "386 GiB");
  ASSERT_TRUE(paper) << describe(paper.error());
  EXPECT_NEAR(static_cast<double>(paper->inventory.tensor_bytes()) / kGib, 386, 0.1);
  for (const char* size : {"0.001 GiB", "100000 GiB"}) EXPECT_FALSE(paper_model_of_name("llama-3-8b", size));
}

TEST(PaperModel, name_and_quant_are_split) {
  EXPECT_EQ(split_quant("llama-3.3-70b:Q4_K_M").name, "llama-3.3-70b");
  EXPECT_EQ(split_quant("llama-3.3-70b:Q4_K_M").quant, "Q4_K_M");
  EXPECT_EQ(split_quant("llama:Q4 (ollama llama3.1:70b)").quant, "Q4 (ollama llama3.1:70b)");
  EXPECT_EQ(split_quant("config.json").quant, "");
  EXPECT_EQ(split_quant("").name, "");
}

// The object owns what its inventory refers to.
TEST(PaperModel, moves_with_its_views) {
  Result<PaperModel> paper = paper_model_of_name("qwen3-0.6b", "Q8_0");
  ASSERT_TRUE(paper);
  const PaperModel moved = *std::move(paper);
  EXPECT_EQ(moved.inventory.find("blk.0.attn_q.weight")->name, "blk.0.attn_q.weight");
  const auto arch = moved.inventory.metadata.string("general.architecture");
  ASSERT_TRUE(arch);
  EXPECT_EQ(*arch, "qwen3");
  EXPECT_EQ(moved.spec.arch, "qwen3");
}

}  // namespace
}  // namespace cistern::spec::hub
