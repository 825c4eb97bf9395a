#include "fetch/model_choice.h"

#include <gtest/gtest.h>

namespace cistern::fetch {
namespace {

std::vector<RepositoryFile> files_of(const std::vector<std::string>& paths) {
  std::vector<RepositoryFile> files;
  for (const std::string& path : paths)
    files.push_back({.path = path, .size_bytes = 100 + files.size(), .sha256 = {}});
  return files;
}

std::string chosen(const std::vector<std::string>& paths, std::string_view wanted) {
  const auto variants = variants_of(files_of(paths));
  if (!variants) return "no variants: " + describe(variants.error());
  const auto variant = choose_variant(*variants, wanted);
  return variant ? variant->files.front().path : std::string(name_of(variant.error().code));
}

// Names of files in public repositories.
TEST(ModelChoice, TheQuantizationIsInTheName) {
  const std::pair<const char*, const char*> cases[] = {
      {"Qwen3-4B-Q4_K_M.gguf", "Q4_K_M"},
      {"qwen2.5-0.5b-instruct-q8_0.gguf", "Q8_0"},
      {"tinyllama-1.1b-chat-v1.0.Q5_K_S.gguf", "Q5_K_S"},
      {"Meta-Llama-3.1-8B-Instruct-IQ4_XS.gguf", "IQ4_XS"},
      {"Qwen3-30B-A3B-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"},
      {"gpt-oss-20b-MXFP4.gguf", "MXFP4"},
      {"gpt-oss-20b-mxfp4_moe.gguf", "MXFP4_MOE"},
      {"Llama-3.2-1B-Instruct-f16.gguf", "F16"},
      {"gemma-3-1b-it-BF16.gguf", "BF16"},
      {"Q4_K_M/DeepSeek-R1-Q4_K_M.gguf", "Q4_K_M"},
      {"model_Q6_K.gguf", "Q6_K"},
      {"bitnet-TQ2_0.gguf", "TQ2_0"},
      {"Phi-3-mini-4k-instruct-q4.gguf", "Q4"},
      {"Q-model.gguf", ""},
      {"model.gguf", ""},
      {"F1-racing-7B.gguf", "F1"},
      {"Falcon3-7B-Instruct.gguf", ""},
      {"seq2048x.gguf", ""},
      {"", ""},
  };
  for (const auto& [path, quant] : cases) EXPECT_EQ(quant_of(path), quant) << path;
}

TEST(ModelChoice, TheDefaultIsQ4KM) {
  EXPECT_EQ(chosen({"m-Q8_0.gguf", "m-Q4_K_M.gguf", "m-Q4_0.gguf"}, ""), "m-Q4_K_M.gguf");
  EXPECT_EQ(chosen({"m-Q8_0.gguf"}, ""), "m-Q8_0.gguf");
  EXPECT_EQ(chosen({"m-Q8_0.gguf", "mmproj-m-f16.gguf", "m.imatrix.gguf", "README.md"}, ""), "m-Q8_0.gguf");
  EXPECT_EQ(chosen({"m-Q8_0.gguf", "m-Q4_0.gguf"}, ""), "usage");
}

TEST(ModelChoice, AQuantizationOrAFileCanBeAskedFor) {
  const std::vector<std::string> files = {"m-Q8_0.gguf", "m-Q4_K_M.gguf", "sub/x-UD-Q4_K_M.gguf"};
  EXPECT_EQ(chosen(files, "q8_0"), "m-Q8_0.gguf");
  EXPECT_EQ(chosen(files, "UD-Q4_K_M"), "sub/x-UD-Q4_K_M.gguf");
  EXPECT_EQ(chosen(files, "m-Q4_K_M.gguf"), "m-Q4_K_M.gguf");
  EXPECT_EQ(chosen(files, "sub/x-UD-Q4_K_M.gguf"), "sub/x-UD-Q4_K_M.gguf");
  EXPECT_EQ(chosen(files, "x-UD-Q4_K_M.gguf"), "sub/x-UD-Q4_K_M.gguf");
  EXPECT_EQ(chosen(files, "Q2_K"), "not_found");
  EXPECT_EQ(chosen({"a-Q8_0.gguf", "b-Q8_0.gguf"}, "Q8_0"), "usage");
}

TEST(ModelChoice, WhatThereIsIsSaid) {
  const auto variants = variants_of(files_of({"m-Q8_0.gguf", "m-Q4_K_M.gguf"}));
  ASSERT_TRUE(variants);
  const auto variant = choose_variant(*variants, "Q4_KM");
  ASSERT_FALSE(variant);
  EXPECT_NE(variant.error().message.find("did you mean Q4_K_M?"), std::string::npos)
      << variant.error().message;
  EXPECT_NE(variant.error().message.find("Q8_0 ("), std::string::npos) << variant.error().message;
}

TEST(ModelChoice, TheTypesMayBeWithinAFolder) {
  const auto variants =
      variants_of(files_of({"Q8_0/m-00002-of-00002.gguf", "Q4_0/m.gguf", "Q8_0/m-00001-of-00002.gguf"}));
  ASSERT_TRUE(variants) << describe(variants.error());
  ASSERT_EQ(variants->size(), 2U);
  const auto variant = choose_variant(*variants, "Q8_0");
  ASSERT_TRUE(variant);
  ASSERT_EQ(variant->files.size(), 2U);
  EXPECT_EQ(variant->file_name(0), "m-00001-of-00002.gguf");
  EXPECT_EQ(variant->file_name(1), "m-00002-of-00002.gguf");
  EXPECT_EQ(variant->size_bytes, 202U);
}

TEST(ModelChoice, SplitModelsMustBeComplete) {
  EXPECT_TRUE(chosen({"m-00001-of-00003.gguf", "m-00003-of-00003.gguf"}, "").find("part 2 of 3 is missing") !=
              std::string::npos);
  EXPECT_TRUE(chosen({"m-00001-of-99999.gguf"}, "").find("too many") != std::string::npos);
}

TEST(ModelChoice, RepositoriesWithoutGgufAreExplained) {
  const auto safetensors = variants_of(files_of({"config.json", "model-00001-of-00002.safetensors"}));
  ASSERT_FALSE(safetensors);
  EXPECT_EQ(safetensors.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(safetensors.error().message.find("safetensors"), std::string::npos);
  EXPECT_EQ(variants_of(files_of({"README.md"})).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(variants_of({}).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace cistern::fetch
