#include "engine/model_path.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace cistern::engine {
namespace {

namespace fs = std::filesystem;

class ModelPath : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "cistern-models-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { fs::remove_all(directory_); }

  void add(const std::string& name) { std::ofstream(fs::path(directory_) / name) << "x"; }
  std::string resolved(const std::string& name) {
    const auto result = resolve_model_in(name, directory_);
    return result ? *result : "error: " + describe(result.error());
  }

  std::string directory_;
};

TEST_F(ModelPath, GuideAndNothingAreTheEmbeddedModel) {
  EXPECT_EQ(resolved(""), "guide");
  EXPECT_EQ(resolved("guide"), "guide");
}

TEST_F(ModelPath, PathsStayAsTheyAre) {
  EXPECT_EQ(resolved("./guide"), "./guide");
  EXPECT_EQ(resolved("no/such.gguf"), "no/such.gguf");
  add("here.gguf");
  const fs::path before = fs::current_path();
  fs::current_path(directory_);
  EXPECT_EQ(resolved("here.gguf"), "here.gguf");  // exists where we stand
  fs::current_path(before);
}

TEST_F(ModelPath, UniquePrefix) {
  add("qwen3-4b-q4_k_m.gguf");
  add("gemma-3-1b-q8_0.gguf");
  add("notes.txt");
  EXPECT_EQ(resolved("qwen"), directory_ + "/qwen3-4b-q4_k_m.gguf");
  EXPECT_EQ(resolved("gemma-3-1b-q8_0"), directory_ + "/gemma-3-1b-q8_0.gguf");
}

TEST_F(ModelPath, ExactNameBeatsLongerOnes) {
  add("llama.gguf");
  add("llama-2.gguf");
  EXPECT_EQ(resolved("llama"), directory_ + "/llama.gguf");
  EXPECT_EQ(resolved("llama.gguf"), directory_ + "/llama.gguf");
}

TEST_F(ModelPath, AmbiguousPrefixListsTheCandidates) {
  add("qwen3-4b.gguf");
  add("qwen3-8b.gguf");
  add("other.gguf");
  const auto result = resolve_model_in("qwen3", directory_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kUsage);
  EXPECT_NE(result.error().message.find("qwen3-4b.gguf, qwen3-8b.gguf;"), std::string::npos)
      << result.error().message;
}

TEST_F(ModelPath, NothingFoundSuggestsAndLists) {
  add("gemma-3-1b.gguf");
  const std::string message = resolved("gema-3-1b.gguf");
  EXPECT_NE(message.find("did you mean gemma-3-1b?"), std::string::npos) << message;
  EXPECT_NE(message.find(directory_), std::string::npos) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos);
  const auto nothing = resolve_model_in("x", directory_ + "/none");
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(resolve_model_in("x", ""));
}

TEST_F(ModelPath, LongListsAreCut) {
  for (int i = 0; i < 20; ++i) add("model-" + std::to_string(i) + ".gguf");
  EXPECT_NE(resolved("model").find("and 12 more"), std::string::npos) << resolved("model");
}

TEST_F(ModelPath, SplitModelsCountOnce) {
  add("big-00001-of-00003.gguf");
  add("big-00002-of-00003.gguf");
  add("big-00003-of-00003.gguf");
  add("of-2.gguf");
  add("-of-2.gguf");
  EXPECT_EQ(resolved("big"), directory_ + "/big-00001-of-00003.gguf");
  EXPECT_EQ(list_models(directory_),
            (std::vector<std::string>{"-of-2.gguf", "big-00001-of-00003.gguf", "of-2.gguf"}));
}

TEST(ModelsDirectory, FollowsTheEnvironment) {
  const auto set = [](const char* name, const char* value) { ASSERT_EQ(setenv(name, value, 1), 0); };
  set("HOME", "/home/me");
  set("XDG_DATA_HOME", "");
  set("CISTERN_MODELS", "");
  EXPECT_EQ(models_directory(), "/home/me/.local/share/cistern/models");
  set("XDG_DATA_HOME", "/data");
  EXPECT_EQ(models_directory(), "/data/cistern/models");
  set("CISTERN_MODELS", "/models");
  EXPECT_EQ(models_directory(), "/models");
  set("HOME", "");
  set("XDG_DATA_HOME", "");
  set("CISTERN_MODELS", "");
  EXPECT_EQ(models_directory(), "");
}

}  // namespace
}  // namespace cistern::engine
