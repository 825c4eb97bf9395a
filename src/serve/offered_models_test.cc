#include "serve/offered_models.h"

#include <gtest/gtest.h>

#include "support/temp_dir.h"

namespace cistern::serve {
namespace {

class OfferedModelsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"qwen3-4b-q4_k_m.gguf", "qwen3-0.6b.gguf", "llama-00001-of-00002.gguf",
                             "llama-00002-of-00002.gguf", "notes.txt"}) {
      dir_.write(name, "x");
    }
  }

  std::string folder() const { return dir_.path().string(); }

  testing::TempDir dir_;
};

TEST(ModelIdTest, IsTheNameOfTheFileWithoutWhatSaysThatItIsAFile) {
  EXPECT_EQ(model_id("/models/qwen3-4b.gguf"), "qwen3-4b");
  EXPECT_EQ(model_id("a/b-00001-of-00003.gguf"), "b");
  EXPECT_EQ(model_id("b-00001-of-3.gguf"), "b-00001-of-3");
  EXPECT_EQ(model_id("guide"), "guide");
}

TEST_F(OfferedModelsTest, AFolderOffersItsModelsAndTheGuide) {
  const OfferedModels models("", folder());
  std::vector<std::string> ids;
  for (const Offer& offer : models.list()) ids.push_back(offer.id);
  EXPECT_EQ(ids, (std::vector<std::string>{"llama", "qwen3-0.6b", "qwen3-4b-q4_k_m", "guide"}));
  EXPECT_EQ(models.find("llama")->path, folder() + "/llama-00001-of-00002.gguf");
}

TEST_F(OfferedModelsTest, TheModelOfTheCommandLineIsTheDefaultOne) {
  const OfferedModels models(folder() + "/qwen3-4b-q4_k_m.gguf", folder());
  EXPECT_EQ(models.list().size(), 4U);
  EXPECT_EQ(models.find("")->id, "qwen3-4b-q4_k_m");
  EXPECT_EQ(OfferedModels("guide", "").list(), (std::vector<Offer>{{.id = "guide", .path = "guide"}}));
}

TEST_F(OfferedModelsTest, AreFoundByTheBeginningOfANameWhereOneFits) {
  const OfferedModels models("", folder());
  EXPECT_EQ(models.find("qwen3-4b")->id, "qwen3-4b-q4_k_m");
  EXPECT_EQ(models.find("qwen3-0.6b:latest")->id, "qwen3-0.6b");
  const auto two = models.find("qwen3");
  ASSERT_FALSE(two);
  EXPECT_EQ(two.error().code, ErrorCode::kNotFound);
  EXPECT_NE(two.error().message.find("qwen3-4b-q4_k_m"), std::string::npos);
}

TEST_F(OfferedModelsTest, AClientsNameIsNeverAPath) {
  const OfferedModels models("guide", "");
  for (const std::string& name : {folder() + "/qwen3-0.6b.gguf", std::string("../x"),
                                  std::string("/etc/passwd"), std::string("nope")}) {
    const auto found = models.find(name);
    ASSERT_FALSE(found) << name;
    EXPECT_EQ(found.error().code, ErrorCode::kNotFound);
    EXPECT_NE(found.error().message.find("guide"), std::string::npos);
  }
}

}  // namespace
}  // namespace cistern::serve
