// Sizes of models on paper beside those of published files, as benchmarks report them: mostly llama-bench,
// whose column is the sum of the tensors in GiB.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "spec/hub/known_models.h"
#include "spec/hub/paper_model.h"

namespace cistern::spec::hub {
namespace {

struct Measured {
  const char* model;
  const char* quant;
  double gib;
};

// Made by rules: nothing in the program knows these sizes, but the rule for the four mixtures of ik_llama.cpp
// (IQ2_K_R4 and the like, whose makers publish recipes of their own) was read off them. More than 2% off are
// three: gemma-3-4B-qat, which would be right with its embedding in Q8_0 (2.34 GiB); MiniMax-M2.7, whose file
// is smaller than plain Q3_K of all its weights and so must be another mixture; and Qwen3-235B's Q2_K, 2.6%
// larger than the rules make it, for a reason that is not known.
constexpr Measured kByRules[] = {
    {"Llama-3-8B", "Q4_K_M", 4.58},
    {"Llama-3-8B", "F16", 14.96},
    {"Llama-3-8B", "BF16", 14.96},
    {"Llama-3-8B", "Q8_0", 7.95},
    {"Llama-3-8B", "Q5_0", 5.22},
    {"Llama-3-8B", "Q4_0", 4.35},
    {"Llama-3-8B", "Q2_K - Small", 2.78},
    {"Llama-3-8B", "Q3_K - Small", 3.41},
    {"Llama-3-8B", "Q4_K - Small", 4.36},
    {"Llama-3-8B", "Q5_K - Small", 5.21},
    {"Llama-3-8B", "Q6_K", 6.14},
    {"Llama-3-8B", "IQ4_NL - 4.5 bpw", 4.35},
    {"Llama-3-8B", "IQ4_XS - 4.25 bpw", 4.13},
    {"Llama-3-8B", "IQ3_S - 3.4375 bpw", 3.42},
    {"Llama-3-8B", "IQ3_XXS - 3.0625 bpw", 3.04},
    {"Llama-3-8B", "IQ2_M - 2.7 bpw", 2.74},
    {"Llama-3-8B", "IQ2_XXS - 2.0625 bpw", 2.23},
    {"Llama-3-70B", "Q4_K_M", 39.59},
    {"Llama-3-70B", "F16", 131.42},
    {"Llama-3-70B", "Q4 (ollama llama3.1:70b)", 39.59},
    {"Llama-2-7B", "Q4_0", 3.56},
    {"Llama-2-7B", "Q8_0", 6.67},
    {"Llama-2-7B", "F16", 12.55},
    {"Llama-3.2-3B", "Q4_K_M", 1.87},
    {"gpt-oss-20B", "MXFP4", 11.27},
    {"gpt-oss-120B", "MXFP4", 59.02},
    {"Qwen3-30B-A3B", "Q8_0", 30.25},
    {"Qwen3-30B-A3B", "BF16", 56.89},
    {"Qwen3-30B-A3B", "Q4_K_M", 17.35},
    {"Qwen2.5-Coder-7B", "Q8_0", 7.54},
    {"gemma-3-4B-qat", "Q4_0", 2.35},
    {"gemma-3-4b-it", "Q3_K_S", 1.8},
    {"gemma-3-27b-it", "BF16", 50.31},
    {"Llama-4-Scout", "Q6_K", 82.35},
    {"Llama-4-Scout", "Q8_0", 106.65},
    {"GLM-4.7-Flash", "BF16", 55.79},
    {"MiniMax-M2.7", "Q3_K_S", 87.2},
    {"Ministral-3-14B-Instruct-2512", "BF16", 25.16},
    {"Qwen3.6-35B-A3B", "BF16", 64.6},
    {"gemma-4-26B-A4B", "BF16", 47.02},
    {"gemma-4-31B-it", "BF16", 57.18},
    {"DeepSeek-R1/V3-671B", "Q4_K_M", 376.65},
    {"DeepSeek-R1/V3-671B", "Q8_0", 664.29},
    {"DeepSeek-R1/V3-671B", "IQ2_XS_R4", 213.11},
    {"DeepSeek-R1/V3-671B", "IQ2_K_R4", 226.0},
    {"Qwen3-235B-A22B", "IQ6_K", 198.26},
    {"Qwen3-235B-A22B", "Q6_K", 179.8},
    {"Qwen3-235B-A22B", "IQ3_K mix", 106.83},
    {"Qwen3-235B-A22B", "Q8_0", 232.77},
    {"Qwen3-235B-A22B", "Q2_K", 81.96},
};

// Mixes that differ from model to model. The table of models has these sizes, so they only show that it is
// asked; the mean of such a mix is tested without it.
constexpr Measured kDynamic[] = {
    {"GLM-4.5-Air", "Q4_K_XL", 68.01},
    {"GLM-4.5-Air", "Q6_K_XL", 94.57},
    {"Llama-3-70B", "Q8_K_XL", 75.65},
    {"Llama-4-Scout", "Q4_K_XL", 57.73},
    {"Qwen3-235B-A22B", "Q3_K_XL", 96.99},
    {"Qwen3-30B-A3B", "Q8_K_XL", 33.51},
    {"Qwen3-Next-80B-A3B", "Q8_K_XL", 79.57},
    {"gemma-3-12b-it", "Q8_K_XL", 13.4},
    {"GLM-4.7-Flash", "Q8_K_XL", 32.7},
    {"Nemotron-3-Super-120B-A12B", "Q4_K_XL", 78.02},
    {"Qwen3.5-122B-A10B", "Q5_K_XL", 85.6},
    {"Qwen3.6-27B", "Q8_K_XL", 33.31},
    {"Qwen3.6-35B-A3B", "Q4_K_XL", 21.27},
    {"Qwen3.6-35B-A3B", "Q8_K_XL", 35.8},
    {"gemma-4-26B-A4B", "Q4_K_XL", 15.9},
    {"gemma-4-26B-A4B", "Q8_K_XL", 25.94},
    {"gemma-4-31B-it", "Q4_K_XL", 17.46},
    {"gemma-4-31B-it", "Q8_K_XL", 32.6},
    {"DeepSeek-R1/V3-671B", "Q2_K (UD-Q2_K_XL)", 211.03},
};

constexpr double kGib = 1024.0 * 1024.0 * 1024.0;

double gib_of(const Result<PaperModel>& paper) {
  return paper ? static_cast<double>(paper->inventory.tensor_bytes()) / kGib : 0;
}

TEST(FileSizes, are_those_of_published_files) {
  std::vector<double> errors;
  for (const Measured& row : kByRules) {
    const Result<PaperModel> paper = paper_model_of_name(row.model, row.quant);
    ASSERT_TRUE(paper) << row.model << " " << row.quant << ": " << describe(paper.error());
    const double error = gib_of(paper) / row.gib - 1;
    errors.push_back(std::abs(error));
    EXPECT_LT(std::abs(error), 0.08) << row.model << " " << row.quant << ": " << gib_of(paper);
    if (std::abs(error) > 0.02)
      std::printf("  %s %s: %.2f, published %.2f GiB\n", row.model, row.quant, gib_of(paper), row.gib);
  }
  std::ranges::sort(errors);
  EXPECT_LT(errors[errors.size() / 2], 0.02);
  EXPECT_LT(errors[errors.size() * 95 / 100], 0.05);
}

TEST(FileSizes, of_dynamic_mixes_are_as_published_or_near_the_mean) {
  for (const Measured& row : kDynamic) {
    SCOPED_TRACE(std::string(row.model) + " " + row.quant);
    const Result<PaperModel> paper = paper_model_of_name(row.model, row.quant);
    ASSERT_TRUE(paper) << describe(paper.error());
    EXPECT_NEAR(gib_of(paper) / row.gib, 1, 0.02);
    const auto known = find_known_model(row.model);
    ASSERT_TRUE(known);
    const Result<PaperModel> mean = paper_model_of_config((*known)->config, row.model, row.quant);
    ASSERT_TRUE(mean) << describe(mean.error());
    EXPECT_NEAR(gib_of(mean) / row.gib, 1, 0.16);
  }
}

// A file of which a table of speeds gives 35.6 GiB, computed back from a theoretical speed: 72.7 billion
// weights of 4.5 bits are 38.1.
TEST(FileSizes, numbers_that_were_computed_back_are_no_sizes) {
  EXPECT_NEAR(gib_of(paper_model_of_name("Kimi-Dev-72B (dense)", "Q4_0")), 38.5, 0.5);
  EXPECT_NEAR(gib_of(paper_model_of_name("Kimi-Dev-72B (dense)", "smol-IQ3_K")), 30.1, 1.5);
}

}  // namespace
}  // namespace cistern::spec::hub
