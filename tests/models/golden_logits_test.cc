// The forward pass against transformers' logits, and against itself: whole, in chunks and token by token, on
// 1, 2 and 3 threads and every ISA of this machine, all bit for bit the same on one ISA (contract 4).
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iostream>
#include <set>

#include "file/inventory.h"
#include "models/model_runner.h"
#include "support/fixtures.h"

namespace cistern {
namespace {

namespace fs = std::filesystem;

struct Setting {
  int threads = 1;
  std::uint32_t chunk = 256;
  sys::Isa isa = sys::best_isa();
  DType kv_type = DType::kF32;
};

std::vector<std::uint32_t> read_tokens(const fs::path& folder, const char* key) {
  const boost::json::value json = boost::json::parse(testing::read_text(folder / "tokens.json"));
  std::vector<std::uint32_t> ids;
  for (const boost::json::value& id : json.at(key).as_array()) ids.push_back(id.to_number<std::uint32_t>());
  return ids;
}

std::vector<float> run(const file::Inventory& inventory, const spec::ModelSpec& model,
                       const std::vector<std::uint32_t>& ids, const Setting& setting) {
  testing::ModelRunner runner(inventory, model,
                              {.threads = setting.threads, .isa = setting.isa, .kv_type = setting.kv_type});
  return runner.logits(ids, setting.chunk);
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

float largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  float largest = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const float difference = std::fabs(a[i] - b[i]);
    if (!(difference <= largest)) largest = difference;  // NaN counts
  }
  return largest;
}

void check_sequence(const fs::path& folder, const char* tokens, const char* logits) {
  const auto files = file::open_model((folder / "model.gguf").string());
  ASSERT_TRUE(files) << describe(files.error());
  const auto model = spec::read_model_spec(files->inventory);
  ASSERT_TRUE(model) << describe(model.error());
  const std::vector<std::uint32_t> ids = read_tokens(folder, tokens);
  const std::vector<float> expected = testing::read_floats(folder / logits);

  const std::vector<float> whole = run(files->inventory, *model, ids, {});
  const float difference = largest_difference(whole, expected);
  std::cout << "golden " << folder.filename().string() << " " << tokens << ": largest difference "
            << difference << "\n";
  EXPECT_LE(difference, 1e-3F);

  for (const int threads : {1, 2, 3}) {
    for (const std::uint32_t chunk : {1U, 7U, 256U}) {
      EXPECT_TRUE(same_bits(whole, run(files->inventory, *model, ids, {.threads = threads, .chunk = chunk})))
          << threads << " threads, chunks of " << chunk;
    }
  }
  for (const sys::Isa isa : sys::kAllIsas) {
    if (!sys::host_has(isa)) continue;
    EXPECT_LE(largest_difference(run(files->inventory, *model, ids, {.isa = isa}), expected), 1e-3F)
        << sys::name_of(isa);
  }
}

class GoldenLogits : public ::testing::TestWithParam<fs::path> {};

TEST_P(GoldenLogits, long_sequence) {
  check_sequence(GetParam(), "tokens", "logits.f32");
}
TEST_P(GoldenLogits, short_sequence) {
  check_sequence(GetParam(), "tokens_short", "logits-short.f32");
}

std::vector<fs::path> golden_folders() {
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(testing::data_dir() / "models")) {
    if (fs::exists(entry.path() / "logits.f32")) folders.push_back(entry.path());
  }
  std::ranges::sort(folders);
  return folders;
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenLogits, ::testing::ValuesIn(golden_folders()),
                         [](const auto& instance) {
                           std::string name = instance.param.filename().string();
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

// All models of the shared set: those of known architectures give their logits, the others are refused by
// name.
TEST(GoldenLogitsOfTheSharedSet, every_model_runs_right_or_is_refused) {
  const auto fixtures = testing::require_shared_fixtures();
  if (!fixtures) GTEST_SKIP() << testing::kNoSharedFixtures;
  int right = 0;
  int refused = 0;
  for (const auto& entry : fs::directory_iterator(*fixtures / "models")) {
    if (!entry.is_directory()) continue;
    const auto files = file::open_model((entry.path() / "model.gguf").string());
    ASSERT_TRUE(files) << describe(files.error());
    const auto model = spec::read_model_spec(files->inventory);
    if (!model) {
      EXPECT_EQ(model.error().code, ErrorCode::kUnsupported) << describe(model.error());
      ++refused;
    } else if (fs::exists(entry.path() / "logits.f32")) {
      check_sequence(entry.path(), "tokens", "logits.f32");
      check_sequence(entry.path(), "tokens_short", "logits-short.f32");
      ++right;
    }
  }
  std::cout << right << " models run, " << refused << " are refused\n";
  EXPECT_GE(right, 13);
}

}  // namespace
}  // namespace cistern
