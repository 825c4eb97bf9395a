// Embeddings and rerankers against transformers' vectors and scores, on 1, 2 and 3 threads and every ISA of
// this machine, bit for bit the same on one ISA; and what is asked of the wrong kind of model is refused.
#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>

#include "engine/engine.h"
#include "support/fixtures.h"
#include "support/golden.h"

namespace cistern::engine {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<text::TokenId>;

// Unit vectors of 32 values and scores near 1: float32 alone costs a few 1e-7.
constexpr float kTolerance = 1e-5F;

std::unique_ptr<Engine> load(const fs::path& folder, LoadOptions options) {
  auto open = open_model({.model = (folder / "model.gguf").string()});
  EXPECT_TRUE(open) << describe(open.error());
  options.kv_type = DType::kF32;
  auto engine = Engine::load(std::move(*open), options);
  EXPECT_TRUE(engine) << describe(engine.error());
  return std::move(*engine);
}

std::vector<float> vector_of(Engine& engine, const Ids& ids) {
  if (engine.spec().pooling == spec::Pooling::kRank) {
    const auto score = engine.score(ids);
    EXPECT_TRUE(score) << describe(score.error());
    return score ? std::vector<float>{*score} : std::vector<float>();
  }
  auto vector = engine.embed(ids);
  EXPECT_TRUE(vector) << describe(vector.error());
  return vector.value_or(std::vector<float>());
}

void check_folder(const fs::path& folder) {
  SCOPED_TRACE(folder.filename());
  for (const auto& [tokens, file] :
       {std::pair{"tokens", "embedding.f32"}, std::pair{"tokens_short", "embedding-short.f32"}}) {
    const Ids ids = testing::read_tokens(folder, tokens);
    const std::vector<float> expected = testing::read_floats(folder / file);
    const std::vector<float> one_thread = vector_of(*load(folder, {.threads = 1}), ids);
    const float difference = testing::largest_difference(one_thread, expected);
    std::cout << "golden " << folder.filename().string() << " " << tokens << ": largest difference "
              << difference << "\n";
    EXPECT_LE(difference, kTolerance);
    for (const int threads : {2, 3}) {
      const auto engine = load(folder, {.threads = threads});
      EXPECT_EQ(vector_of(*engine, ids), one_thread) << threads << " threads";
      EXPECT_EQ(vector_of(*engine, ids), one_thread) << "again, after another text";
    }
    for (const sys::Isa isa : sys::kAllIsas) {
      if (!sys::host_has(isa)) continue;
      EXPECT_LE(
          testing::largest_difference(vector_of(*load(folder, {.threads = 1, .isa = isa}), ids), expected),
          kTolerance)
          << sys::name_of(isa);
    }
  }
}

TEST(GoldenEmbeddings, of_bert) {
  check_folder(testing::data_dir() / "models" / "bert-mean");
}
TEST(GoldenEmbeddings, of_the_last_token) {
  check_folder(testing::data_dir() / "models" / "qwen3-embedding");
}

TEST(GoldenEmbeddings, of_the_shared_set) {
  const auto fixtures = testing::require_shared_fixtures();
  if (!fixtures) GTEST_SKIP() << testing::kNoSharedFixtures;
  const auto folders = testing::folders_with("embedding.f32", *fixtures / "models");
  for (const fs::path& folder : folders) check_folder(folder);
  EXPECT_EQ(folders.size(), 7U);
}

// A decoder says nothing of pooling, but any can be asked for; the mean is that of the other two for 2
// tokens.
TEST(Embeddings, of_any_decoder_where_the_pooling_is_given) {
  const auto engine = load(testing::data_dir() / "models" / "qwen3", {.threads = 2});
  const Ids ids = {5, 6};
  ASSERT_FALSE(engine->embed(ids));
  EXPECT_EQ(engine->embed(ids).error().code, ErrorCode::kUsage);
  const auto mean = engine->embed(ids, spec::Pooling::kMean);
  const auto first = engine->embed(ids, spec::Pooling::kCls);
  const auto last = engine->embed(ids, spec::Pooling::kLast);
  ASSERT_TRUE(mean && first && last);
  EXPECT_EQ(*first, *engine->embed(std::span(ids).first(1), spec::Pooling::kLast));
  double dot = 0;
  for (std::size_t i = 0; i < mean->size(); ++i) dot += double{(*mean)[i]} * (*mean)[i];
  EXPECT_NEAR(dot, 1, 1e-6);
  EXPECT_NE(*mean, *last);
}

TEST(Encoders, generate_nothing) {
  const auto engine = load(testing::data_dir() / "models" / "bert-mean", {.threads = 1});
  const Ids ids = {5, 6};
  EXPECT_EQ(require_generator(engine->model()).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(engine->submit({.prompt = ids}).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(engine->logits(ids, 0, [](std::span<const float>) {}).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(engine->score(ids).error().code, ErrorCode::kUnsupported);
}

TEST(Encoders, check_what_they_are_given) {
  const auto engine = load(testing::data_dir() / "models" / "bert-mean", {.threads = 1});
  EXPECT_EQ(engine->embed({}).error().code, ErrorCode::kUsage);
  EXPECT_EQ(engine->embed(Ids{1, 1000}).error().code, ErrorCode::kUsage);
  EXPECT_EQ(engine->embed(Ids(81, 5)).error().code, ErrorCode::kTooLong);
  EXPECT_TRUE(engine->embed(Ids(80, 5)));
}

}  // namespace
}  // namespace cistern::engine
