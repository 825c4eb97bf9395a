// The forward pass against transformers' logits, and against itself: whole, in chunks and token by token, on
// 1, 2 and 3 threads and every ISA of this machine, all bit for bit the same on one ISA (contract 4).
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include "file/inventory.h"
#include "models/model_runner.h"
#include "support/fixtures.h"
#include "support/golden.h"

namespace cistern {
namespace {

namespace fs = std::filesystem;

struct Setting {
  int threads = 1;
  std::uint32_t chunk = 256;
  sys::Isa isa = sys::best_isa();
  bool float_products = false;
};

// Each must give the same bits as the whole sequence on one thread.
const std::vector<Setting> kSettings = {{.threads = 1, .chunk = 1},
                                        {.threads = 1, .chunk = 7},
                                        {.threads = 2, .chunk = 1},
                                        {.threads = 2, .chunk = 7},
                                        {.threads = 2},
                                        {.threads = 3, .chunk = 1},
                                        {.threads = 3, .chunk = 7},
                                        {.threads = 3}};

std::vector<float> run(const file::Inventory& inventory, const spec::ModelSpec& model,
                       const std::vector<std::uint32_t>& ids, const Setting& setting) {
  testing::ModelRunner runner(inventory, model,
                              {.threads = setting.threads,
                               .isa = setting.isa,
                               .kv_type = DType::kF32,
                               .float_products = setting.float_products});
  return runner.logits(ids, setting.chunk);
}

// Whether all weights of products are floats, so that activations stay what they are.
bool is_float_model(const file::Inventory& inventory) {
  return std::ranges::all_of(inventory.tensors(), [](const file::TensorInfo& tensor) {
    return tensor.dtype == DType::kF32 || tensor.dtype == DType::kI32;
  });
}

void check_arithmetic(const file::Inventory& inventory, const spec::ModelSpec& model,
                      const std::vector<std::uint32_t>& ids, const std::vector<float>& expected,
                      bool float_products) {
  // Activations of 8 bits beside weights of few bits: the fixture's README measures 0.3.
  const float tolerance = is_float_model(inventory) || float_products ? 1e-3F : 0.5F;
  const std::vector<float> whole = run(inventory, model, ids, {.float_products = float_products});
  const float difference = testing::largest_difference(whole, expected);
  std::cout << "golden " << fs::path(inventory.metadata.where()).parent_path().filename().string() << ", "
            << ids.size() << " tokens: largest difference " << difference << "\n";
  EXPECT_LE(difference, tolerance);
  for (Setting setting : kSettings) {
    setting.float_products = float_products;
    EXPECT_TRUE(testing::same_bits(whole, run(inventory, model, ids, setting)))
        << setting.threads << " threads, chunks of " << setting.chunk;
  }
  for (const sys::Isa isa : sys::kAllIsas) {
    if (!sys::host_has(isa)) continue;
    EXPECT_LE(testing::largest_difference(
                  run(inventory, model, ids, {.isa = isa, .float_products = float_products}), expected),
              tolerance)
        << sys::name_of(isa);
  }
}

void check_sequence(const fs::path& folder, const char* tokens, const char* logits) {
  SCOPED_TRACE(folder.filename().string() + " " + tokens);
  const auto files = file::open_model((folder / "model.gguf").string());
  ASSERT_TRUE(files) << describe(files.error());
  const auto model = spec::read_model_spec(files->inventory);
  ASSERT_TRUE(model) << describe(model.error());
  const std::vector<std::uint32_t> ids = testing::read_tokens(folder, tokens);
  const std::vector<float> expected = testing::read_floats(folder / logits);
  check_arithmetic(files->inventory, *model, ids, expected, false);
  if (!is_float_model(files->inventory)) check_arithmetic(files->inventory, *model, ids, expected, true);
}

class GoldenLogits : public ::testing::TestWithParam<fs::path> {};

TEST_P(GoldenLogits, long_sequence) {
  check_sequence(GetParam(), "tokens", "logits.f32");
}
TEST_P(GoldenLogits, short_sequence) {
  check_sequence(GetParam(), "tokens_short", "logits-short.f32");
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenLogits, ::testing::ValuesIn(testing::golden_folders()),
                         testing::test_name_of);

// All models of the shared set. Those of embeddings are read here and run by golden_embeddings_test.cc.
TEST(GoldenLogitsOfTheSharedSet, every_model_runs_right) {
  const auto fixtures = testing::require_shared_fixtures();
  if (!fixtures) GTEST_SKIP() << testing::kNoSharedFixtures;
  int n_models = 0;
  for (const auto& entry : fs::directory_iterator(*fixtures / "models")) {
    if (!entry.is_directory()) continue;
    const auto files = file::open_model((entry.path() / "model.gguf").string());
    ASSERT_TRUE(files) << describe(files.error());
    const auto model = spec::read_model_spec(files->inventory);
    EXPECT_TRUE(model) << entry.path().filename() << ": " << describe(model.error());
    if (!model || !fs::exists(entry.path() / "logits.f32")) continue;
    check_sequence(entry.path(), "tokens", "logits.f32");
    check_sequence(entry.path(), "tokens_short", "logits-short.f32");
    ++n_models;
  }
  EXPECT_GE(n_models, 64);
}

}  // namespace
}  // namespace cistern
