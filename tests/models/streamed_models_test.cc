// Weights that are streamed from disk, cached or resident give the same bits as those of the mapped file
// (contract 4), for every golden model: with all of its layers passing through the smallest window, with
// some, with one, with experts in the smallest and larger caches, in blocks of a few tokens, and on a slow
// disk.
#include <gtest/gtest.h>

#include <algorithm>

#include "models/model_runner.h"
#include "plan/placement.h"
#include "store/streaming_store.h"
#include "support/faulty_reader.h"
#include "support/fixtures.h"
#include "support/golden.h"

namespace cistern {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<std::uint32_t>;

constexpr std::uint64_t kPage = sys::kReadAlignment;

// How much of what can be left on disk stays in memory.
enum class Room { kLeast, kHalf, kNearlyAll };

struct Model {
  explicit Model(const fs::path& folder)
      : path((folder / "model.gguf").string()),
        files(*file::open_model(path)),
        spec(*spec::read_model_spec(files.inventory)) {}
  const file::Inventory& inventory() const { return files.inventory; }

  std::string path;
  file::ModelFiles files;
  spec::ModelSpec spec;
};

// The layers' tensors, norms and all, in their order in the spec.
std::vector<std::vector<std::size_t>> layers_of(const Model& model, const file::Placement& placement) {
  std::vector<std::vector<std::size_t>> layers(model.spec.layers.size());
  for (const spec::TensorSpec& tensor : model.spec.tensors) {
    const file::TensorInfo* info = model.inventory().find(tensor.name);
    if (info == nullptr || tensor.layer == spec::kNoLayer) continue;
    const auto index = static_cast<std::size_t>(info - model.inventory().tensors().data());
    if (std::ranges::find(placement.resident, index) != placement.resident.end())
      layers[static_cast<std::size_t>(tensor.layer)].push_back(index);
  }
  return layers;
}

// A plan streams nothing of models as small as these but experts: here everything of a layer may be.
file::Placement placement_of(const Model& model, Room room, std::uint32_t lookup_tokens) {
  const std::uint64_t least = plan::least_room(model.spec, model.inventory(), lookup_tokens);
  file::Placement p = *plan::place_weights(model.spec, model.inventory(), 1ULL << 40U, lookup_tokens);
  const std::uint64_t all_experts = p.cache_bytes;
  const std::uint64_t least_experts =
      plan::place_weights(model.spec, model.inventory(), least, lookup_tokens)->cache_bytes;
  if (room == Room::kLeast) p.cache_bytes = least_experts;
  if (room == Room::kHalf) p.cache_bytes = (least_experts + all_experts) / 2;
  if (room == Room::kNearlyAll) p.cache_bytes = std::max(least_experts, all_experts - all_experts / 8);

  std::size_t number = 0;
  for (const std::vector<std::size_t>& layer : layers_of(model, p)) {
    std::vector<std::size_t> streamed;
    for (const std::size_t tensor : layer) {
      const bool streams = room == Room::kLeast || (room == Room::kHalf ? number % 2 == 0 : number == 3);
      ++number;
      if (!streams) continue;
      streamed.push_back(tensor);
      std::erase(p.resident, tensor);
    }
    if (streamed.empty()) continue;
    p.window_bytes = std::max(p.window_bytes, file::lay_out(model.inventory(), streamed).bytes);
    p.streamed.push_back(std::move(streamed));
  }
  if (room == Room::kHalf) p.window_bytes += p.window_bytes / 2 / kPage * kPage;
  if (room == Room::kNearlyAll) p.window_bytes *= 4;
  return p;
}

std::unique_ptr<store::StreamingStore> store_of(const Model& model, const file::Placement& placement,
                                                bool slow) {
  std::vector<testing::ReadFault> delays;
  if (slow) {
    for (const std::uint64_t calls : {1U, 4U, 9U})
      delays.push_back(
          {.kind = testing::ReadFault::Kind::kDelay, .skip = 3 * calls, .count = 40, .calls = calls});
  }
  auto reader = sys::make_file_reader(std::vector{model.path});
  EXPECT_TRUE(reader) << describe(reader.error());
  auto store = store::StreamingStore::open(
      model.inventory(), placement, {model.path},
      std::make_unique<testing::FaultyReader>(std::move(*reader), std::move(delays)), {});
  EXPECT_TRUE(store) << describe(store.error());
  return std::move(*store);
}

struct Run {
  Room room = Room::kLeast;
  std::uint32_t chunk = 256;
  std::uint32_t block = 4;
  int threads = 1;
  bool slow = false;
};

const std::vector<Run> kRuns = {{.room = Room::kLeast},
                                {.room = Room::kLeast, .chunk = 1, .threads = 2},
                                {.room = Room::kLeast, .chunk = 7, .block = 3, .slow = true},
                                {.room = Room::kHalf, .block = 3, .threads = 2},
                                {.room = Room::kHalf, .chunk = 1, .slow = true},
                                {.room = Room::kNearlyAll, .chunk = 7, .block = 256},
                                {.room = Room::kNearlyAll, .block = 1, .threads = 3, .slow = true}};

void check_model(const fs::path& folder) {
  SCOPED_TRACE(folder.filename().string());
  const Model model(folder);
  const Ids ids = testing::read_tokens(folder, "tokens");
  const std::vector<float> expected =
      testing::ModelRunner(model.inventory(), model.spec, {}).logits(ids, 256);
  for (const std::uint32_t block : {1U, 3U, 4U}) {
    testing::ModelRunner mapped(model.inventory(), model.spec, {.threads = 2, .block_tokens = block});
    EXPECT_TRUE(testing::same_bits(mapped.logits(ids, 256), expected)) << "mapped, blocks of " << block;
  }
  for (const Run& run : kRuns) {
    auto store = store_of(model, placement_of(model, run.room, run.block), run.slow);
    const store::StreamingStore* streaming = store.get();
    testing::ModelRunner runner(model.inventory(), model.spec,
                                {.threads = run.threads, .block_tokens = run.block}, std::move(store));
    EXPECT_TRUE(testing::same_bits(runner.logits(ids, run.chunk), expected))
        << "room " << static_cast<int>(run.room) << ", chunks of " << run.chunk << ", blocks of "
        << run.block;
    EXPECT_GT(streaming->stats().bytes_read, 0U);
  }
}

class StreamedModels : public ::testing::TestWithParam<fs::path> {};

TEST_P(StreamedModels, give_the_same_bits) {
  check_model(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Models, StreamedModels, ::testing::ValuesIn(testing::golden_folders()),
                         testing::test_name_of);

TEST(StreamedModelsOfTheSharedSet, give_the_same_bits) {
  const auto fixtures = testing::require_shared_fixtures();
  if (!fixtures) GTEST_SKIP() << testing::kNoSharedFixtures;
  const auto folders = testing::folders_with("logits.f32", *fixtures / "models");
  for (const fs::path& folder : folders) check_model(folder);
  EXPECT_GE(folders.size(), 64U);
}

TEST(StreamedEncoders, give_the_same_bits) {
  const fs::path folder = testing::data_dir() / "models/bert-mean";
  const Model model(folder);
  const Ids ids = testing::read_tokens(folder, "tokens");
  const std::vector<float> expected = testing::ModelRunner(model.inventory(), model.spec, {}).hidden(ids);
  for (const Room room : {Room::kLeast, Room::kHalf, Room::kNearlyAll}) {
    const auto n_tokens = static_cast<std::uint32_t>(ids.size());
    testing::ModelRunner runner(model.inventory(), model.spec, {.threads = 2},
                                store_of(model, placement_of(model, room, n_tokens), true));
    for (int i = 0; i < 2; ++i) {
      EXPECT_TRUE(testing::same_bits(runner.hidden(ids), expected)) << "room " << static_cast<int>(room);
      runner.clear();
    }
  }
}

}  // namespace
}  // namespace cistern
