#include "plan/placement.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>

#include "plan/memory_plan.h"
#include "support/fixtures.h"
#include "support/golden.h"
#include "support/refusal.h"

namespace cistern::plan {
namespace {

namespace fs = std::filesystem;
using spec::Role;

constexpr std::uint64_t kMiB = 1ULL << 20U;
constexpr std::uint64_t kRoomForAll = 1ULL << 40U;
constexpr std::uint32_t kLookupTokens = 32;

// A model of any size: tensors of the sizes given, of bytes that nobody reads.
class BigModel {
 public:
  // Sizes in MiB of the matrices of each layer; experts: of gate, up and down together.
  struct Layer {
    std::vector<std::uint64_t> matrices;
    std::uint64_t experts = 0;
  };
  explicit BigModel(const std::vector<Layer>& layers) {
    add("token_embd", Role::kTokenEmbedding, spec::kNoLayer, Shape(1024, 8192), 16 * kMiB);
    add("output", Role::kOutput, spec::kNoLayer, Shape(1024, 8192), 16 * kMiB);
    for (std::size_t li = 0; li < layers.size(); ++li) {
      spec.layers.emplace_back();
      const auto layer = static_cast<int>(li);
      const auto name = [&](const std::string& what) { return std::to_string(li) + "." + what; };
      add(name("norm"), Role::kAttnNorm, layer, Shape(1024), 4096);
      for (std::size_t i = 0; i < layers[li].matrices.size(); ++i) {
        const Shape shape(1024, 1024 * layers[li].matrices[i]);
        add(name(std::to_string(i)), Role::kWq, layer, shape, layers[li].matrices[i] * kMiB);
      }
      if (layers[li].experts == 0) continue;
      spec.layers.back().ffn = spec::FfnSpec{};
      spec.layers.back().ffn->moe = spec::MoeSpec{.n_experts = kExperts, .n_used = 4};
      for (const auto& [what, role] :
           {std::pair{"gate", Role::kExpertsGate}, {"up", Role::kExpertsUp}, {"down", Role::kExpertsDown}}) {
        add(name(what), role, layer, Shape(1024, 64, kExperts),
            layers[li].experts * kMiB / 3 / kExperts * kExperts);
      }
    }
    for (const file::TensorInfo& info : infos_) EXPECT_TRUE(inventory.insert(info));
  }
  BigModel(const BigModel&) = delete;
  BigModel& operator=(const BigModel&) = delete;

  static constexpr std::uint32_t kExperts = 32;
  spec::ModelSpec spec;
  file::Inventory inventory;

 private:
  void add(const std::string& name, Role role, int layer, const Shape& shape, std::uint64_t bytes) {
    names_.push_back(std::make_unique<std::string>(name));
    spec.tensors.push_back({.name = name, .shape = shape, .role = role, .layer = layer});
    infos_.push_back({.name = *names_.back(), .shape = shape, .offset = next_offset_, .size_bytes = bytes});
    next_offset_ += bytes + 32;
  }

  std::vector<std::unique_ptr<std::string>> names_;
  std::vector<file::TensorInfo> infos_;
  std::uint64_t next_offset_ = 1000;
};

using Layers = std::vector<BigModel::Layer>;

// Dense layers alike, layers of all sizes with one that outweighs the others, experts with little beside
// them, and both kinds of layers.
const std::vector<Layers>& big_models() {
  static const std::vector<Layers> kModels = {
      Layers(12, {.matrices = {4, 1, 1, 4, 11, 11, 11}}),
      {{.matrices = {2, 1}}, {.matrices = {90, 3}}, {.matrices = {1}}, {.matrices = {7, 7, 7, 1}}, {}},
      Layers(6, {.matrices = {1, 1}, .experts = 96}),
      {{.matrices = {8, 30}},
       {.matrices = {8}, .experts = 64},
       {.matrices = {20, 2}},
       {.matrices = {8}, .experts = 96}}};
  return kModels;
}

std::uint64_t tensor_bytes(const file::Inventory& inventory, const std::vector<std::size_t>& tensors) {
  std::uint64_t sum = 0;
  for (const std::size_t i : tensors) sum += inventory.tensors()[i].size_bytes;
  return sum;
}

// Every tensor that the model uses is in one place and no more.
void expect_each_placed_once(const spec::ModelSpec& model, const file::Inventory& inventory,
                             const file::Placement& placement) {
  std::multiset<std::size_t> placed(placement.resident.begin(), placement.resident.end());
  for (const auto& layer : placement.streamed) {
    EXPECT_FALSE(layer.empty());
    placed.insert(layer.begin(), layer.end());
  }
  for (const file::CachedStack& stack : placement.cached) placed.insert(stack.tensor);
  placed.insert(placement.looked_up.begin(), placement.looked_up.end());
  std::multiset<std::size_t> expected;
  for (const spec::TensorSpec& tensor : model.tensors) {
    if (const file::TensorInfo* info = inventory.find(tensor.name))
      expected.insert(static_cast<std::size_t>(info - inventory.tensors().data()));
  }
  EXPECT_EQ(placed, expected);
}

struct Golden {
  explicit Golden(const fs::path& folder)
      : files(*file::open_model((folder / "model.gguf").string())),
        spec(*spec::read_model_spec(files.inventory)) {}
  const file::Inventory& inventory() const { return files.inventory; }
  bool is_in(const std::vector<std::size_t>& tensors, const char* name) const {
    const file::TensorInfo* info = inventory().find(name);
    return info != nullptr &&
           std::ranges::find(tensors, static_cast<std::size_t>(info - inventory().tensors().data())) !=
               tensors.end();
  }
  file::ModelFiles files;
  spec::ModelSpec spec;
};

TEST(Placement, of_golden_models_has_each_tensor_once_and_all_in_memory_when_it_fits) {
  for (const fs::path& folder : testing::golden_folders()) {
    SCOPED_TRACE(folder.filename());
    const Golden m(folder);
    const std::uint64_t least = least_room(m.spec, m.inventory(), kLookupTokens);
    for (const std::uint64_t room : {least, kRoomForAll}) {
      const auto placement = place_weights(m.spec, m.inventory(), room, kLookupTokens);
      ASSERT_TRUE(placement);
      expect_each_placed_once(m.spec, m.inventory(), *placement);
      EXPECT_LE(placed_bytes(m.inventory(), *placement), room);
      if (room < kRoomForAll) continue;
      EXPECT_TRUE(placement->streamed.empty());
      EXPECT_EQ(bytes_per_token(m.inventory(), *placement), 0U);
    }
    EXPECT_FALSE(place_weights(m.spec, m.inventory(), least - 1, kLookupTokens));
  }
}

TEST(Placement, looks_up_tables_that_nothing_else_reads) {
  for (const fs::path& folder : testing::golden_folders()) {
    SCOPED_TRACE(folder.filename());
    const Golden m(folder);
    const file::Placement placement = *place_weights(m.spec, m.inventory(), kRoomForAll, kLookupTokens);
    const bool tied = m.inventory().find("output.weight") == nullptr;
    EXPECT_EQ(m.is_in(placement.resident, "token_embd.weight"), tied);
    EXPECT_EQ(m.is_in(placement.looked_up, "token_embd.weight"), !tied);
    EXPECT_FALSE(m.is_in(placement.resident, "per_layer_token_embd.weight"));
  }
  EXPECT_TRUE(Golden(testing::data_dir() / "models/gemma3n").inventory().find("per_layer_token_embd.weight"));
}

TEST(Placement, uses_whatever_room_there_is) {
  for (const Layers& layers : big_models()) {
    const BigModel m(layers);
    const std::uint64_t least = least_room(m.spec, m.inventory, kLookupTokens);
    const std::uint64_t all =
        placed_bytes(m.inventory, *place_weights(m.spec, m.inventory, kRoomForAll, kLookupTokens));
    ASSERT_LT(least, all);
    std::uint64_t largest = 0;  // that may be streamed
    for (const spec::TensorSpec& tensor : m.spec.tensors) {
      if (tensor.role == Role::kWq)
        largest = std::max<std::uint64_t>(largest, m.inventory.find(tensor.name)->size_bytes);
    }
    std::uint64_t last_bytes = ~0ULL, last_held = 0;
    constexpr std::uint64_t kSteps = 150;
    for (std::uint64_t i = 0; i <= kSteps; ++i) {
      const std::uint64_t room = least + (all - least) * i / kSteps;
      SCOPED_TRACE("room for " + std::to_string(room));
      const auto placement = place_weights(m.spec, m.inventory, room, kLookupTokens);
      ASSERT_TRUE(placement);
      expect_each_placed_once(m.spec, m.inventory, *placement);
      EXPECT_LE(placed_bytes(m.inventory, *placement), room);
      // No worse than with less room, but for tensors being whole.
      const std::uint64_t held = tensor_bytes(m.inventory, placement->resident) + placement->cache_bytes;
      const std::uint64_t bytes = bytes_per_token(m.inventory, *placement);
      EXPECT_GE(held + largest, last_held);
      EXPECT_LE(bytes, last_bytes == ~0ULL ? bytes : last_bytes + largest);
      last_bytes = bytes, last_held = held;
    }
    EXPECT_EQ(last_bytes, 0U) << "with room for all";
  }
}

TEST(Placement, needs_no_less_than_the_least_room) {
  for (const Layers& layers : big_models()) {
    const BigModel m(layers);
    const std::uint64_t least = least_room(m.spec, m.inventory, kLookupTokens);
    EXPECT_TRUE(place_weights(m.spec, m.inventory, least, kLookupTokens));
    EXPECT_FALSE(place_weights(m.spec, m.inventory, least - 1, kLookupTokens));
  }
}

TEST(Placement, streams_the_same_share_of_like_layers) {
  const BigModel m(big_models()[0]);
  const std::uint64_t least = least_room(m.spec, m.inventory, kLookupTokens);
  const std::uint64_t layer = 43 * kMiB;
  const file::Placement placement = *place_weights(m.spec, m.inventory, least + 6 * layer, kLookupTokens);
  ASSERT_EQ(placement.streamed.size(), 12U) << "all layers take part, so that the disk is never idle";
  for (const auto& tensors : placement.streamed) {
    EXPECT_GE(tensor_bytes(m.inventory, tensors) + 11 * kMiB, layer / 2);
    EXPECT_LE(tensor_bytes(m.inventory, tensors), layer / 2 + 11 * kMiB);
    EXPECT_LE(file::lay_out(m.inventory, tensors).bytes, placement.window_bytes);
  }
}

TEST(Placement, keeps_what_every_token_reads_before_it_keeps_experts) {
  const BigModel m(big_models()[2]);
  const std::uint64_t least = least_room(m.spec, m.inventory, kLookupTokens);
  const file::Placement placement = *place_weights(m.spec, m.inventory, least + 100 * kMiB, kLookupTokens);
  EXPECT_TRUE(placement.streamed.empty());
  EXPECT_GE(placement.cache_bytes, 100 * kMiB);
  // Six layers of 4 of 32 experts, in 96 MiB, as far as they are not there.
  const double missed = 1 - static_cast<double>(placement.cache_bytes) / (6 * 96 * kMiB);
  EXPECT_NEAR(static_cast<double>(bytes_per_token(m.inventory, placement)), missed * 6 * 12 * kMiB,
              1.5 * kMiB);
}

TEST(Placement, streaming_all_of_a_dense_model_reads_all_of_its_layers) {
  const BigModel m(big_models()[0]);
  const file::Placement placement =
      *place_weights(m.spec, m.inventory, least_room(m.spec, m.inventory, kLookupTokens), kLookupTokens);
  // The output head, 12 norms; of rows of 2 KiB that may lie across two pages 32; a layer and what is read
  // ahead of it.
  EXPECT_EQ(tensor_bytes(m.inventory, placement.resident), 16 * kMiB + 12 * 4096);
  EXPECT_EQ(file::lookup_bytes(m.inventory, placement), 32U * 8192);
  EXPECT_NEAR(static_cast<double>(placement.window_bytes), (43 + 16) * kMiB, 64 * 1024);
  EXPECT_NEAR(static_cast<double>(bytes_per_token(m.inventory, placement)), 12 * 43 * kMiB, 12 * 64 * 1024);
}

}  // namespace
}  // namespace cistern::plan
