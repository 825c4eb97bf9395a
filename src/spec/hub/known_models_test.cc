// Every known model makes a spec, with as many parameters as were published of it, and is found under the
// names that people use.
#include "spec/hub/known_models.h"

#include <gtest/gtest.h>

#include <cmath>

#include "spec/hub/paper_model.h"

namespace cistern::spec::hub {
namespace {

TEST(KnownModels, all_make_a_spec_with_the_published_number_of_parameters) {
  constexpr double kMaxError = 0.02;
  constexpr double kBillion = 1e9;
  ASSERT_GT(known_models().size(), 100U);
  for (const KnownModel& known : known_models()) {
    SCOPED_TRACE(known.name);
    const Result<PaperModel> paper = paper_model_of_name(known.name);
    ASSERT_TRUE(paper) << describe(paper.error());
    const double params_b = static_cast<double>(paper->n_parameters()) / kBillion;
    EXPECT_LT(std::abs(params_b - known.params_b) / known.params_b, kMaxError)
        << params_b << " B, published are " << known.params_b;
    EXPECT_FALSE(known.source.empty());
    EXPECT_EQ(paper->spec.tied_output, paper->inventory.find("output.weight") == nullptr);
  }
}

TEST(KnownModels, no_name_stands_for_two) {
  for (const KnownModel& known : known_models()) {
    std::vector<std::string> names = known.aliases;
    names.push_back(known.name);
    for (const std::string& name : names) {
      const auto found = find_known_model(name);
      ASSERT_TRUE(found) << name;
      EXPECT_EQ((*found)->name, known.name) << name;
    }
  }
}

struct Spelling {
  const char* typed;
  const char* name;
};

// Names as benchmarks of other people have them.
TEST(KnownModels, are_found_by_other_spellings) {
  constexpr Spelling kSpellings[] = {
      {"Llama-3-8B", "llama-3-8b"},
      {"meta-llama/Meta-Llama-3-8B-Instruct", "llama-3-8b"},
      {"Llama 3.1 8B Instruct", "llama-3.1-8b"},
      {"LLAMA_3.3_70B", "llama-3.3-70b"},
      {"Llama-2-7B", "llama-2-7b"},
      {"gpt-oss-20B", "gpt-oss-20b"},
      {"Qwen3-30B-A3B", "qwen3-30b-a3b"},
      {"Qwen/Qwen3-235B-A22B-Instruct-2507", "qwen3-235b-a22b"},
      {"Qwen2.5-Coder-7B", "qwen2.5-7b"},
      {"gemma-3-4B-qat", "gemma-3-4b"},
      {"gemma-3-27b-it", "gemma-3-27b"},
      {"gemma-4-26B-A4B", "gemma-4-26b-a4b"},
      {"gemma-4-31B-it", "gemma-4-31b"},
      {"GLM-4.5-Air", "glm-4.5-air"},
      {"GLM-4.7-Flash", "glm-4.7-flash"},
      {"Llama-4-Scout", "llama-4-scout"},
      {"Llama-4-Scout-17B-16E-Instruct", "llama-4-scout"},
      {"Llama-4-Maverick", "llama-4-maverick"},
      {"Qwen3-Next-80B-A3B", "qwen3-next-80b-a3b"},
      {"MiniMax-M2.7", "minimax-m2.7"},
      {"Ministral-3-14B-Instruct-2512", "ministral-3-14b"},
      {"Nemotron-3-Super-120B-A12B", "nemotron-3-super-120b-a12b"},
      {"nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-BF16", "nemotron-3-super-120b-a12b"},
      {"Qwen3.5-122B-A10B", "qwen3.5-122b-a10b"},
      {"Qwen3.6-27B", "qwen3.6-27b"},
      {"Qwen3.6-35B-A3B", "qwen3.6-35b-a3b"},
      {"DeepSeek-R1/V3-671B", "deepseek-r1"},
      {"deepseek-ai/DeepSeek-R1-0528", "deepseek-r1"},
      {"Kimi-Dev-72B (dense)", "kimi-dev-72b"},
      {"DeepSeek-R1-Distill-14B", "deepseek-r1-distill-qwen-14b"},
      {"Llama-3.2-3B", "llama-3.2-3b"},
      {"Qwen2.5-14B", "qwen2.5-14b"},
      {"Phi-4-mini-3.8B", "phi-4-mini"},
      {"Qwen3-0.6B", "qwen3-0.6b"},
      {"Qwen2.5-72B", "qwen2.5-72b"},
      {"Mistral-7B-Instruct-v0.3", "mistral-7b"},
  };
  for (const Spelling& spelling : kSpellings) {
    const auto found = find_known_model(spelling.typed);
    ASSERT_TRUE(found) << spelling.typed << ": " << describe(found.error());
    EXPECT_EQ((*found)->name, spelling.name) << spelling.typed;
  }
}

TEST(KnownModels, unknown_names_bring_the_nearest) {
  for (const char* typed :
       {"", ":", "///", "()", "qwen", "8b", "instruct", "llama-9-8b-super", "phi-4-mini-70b"}) {
    const auto found = find_known_model(typed);
    ASSERT_FALSE(found) << typed;
    EXPECT_EQ(found.error().code, ErrorCode::kNotFound);
  }
  const auto misspelt = find_known_model("lama-3.3-70b");
  ASSERT_FALSE(misspelt);
  EXPECT_NE(misspelt.error().message.find("llama-3.3-70b"), std::string::npos) << misspelt.error().message;
  EXPECT_FALSE(find_known_model(std::string(100000, 'x')));
}

}  // namespace
}  // namespace cistern::spec::hub
