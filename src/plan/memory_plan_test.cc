#include "plan/memory_plan.h"

#include <gtest/gtest.h>

#include "support/fixtures.h"
#include "support/refusal.h"

namespace cistern::plan {
namespace {

struct Opened {
  file::ModelFiles files;
  spec::ModelSpec model;
};

Opened open(const char* name) {
  auto files = file::open_model((testing::data_dir() / "models" / name / "model.gguf").string());
  EXPECT_TRUE(files);
  auto model = spec::read_model_spec(files->inventory);
  EXPECT_TRUE(model);
  return {std::move(*files), std::move(*model)};
}

constexpr Machine kRoomy{.budget_bytes = 1ULL << 40U, .budget_source = "test", .process_bytes = 1000};

TEST(MemoryPlan, counts_each_tensor_and_layer_once) {
  const Opened o = open("gemma3");
  const auto plan = make_plan(kRoomy, o.model, o.files.inventory, {.context_tokens = 100});
  ASSERT_TRUE(plan) << describe(plan.error());
  EXPECT_EQ(plan->weights_bytes, o.files.inventory.tensor_bytes());
  std::uint64_t layer_weights = 0;
  std::uint64_t layer_kv = 0;
  for (const LayerBytes& layer : plan->layers) {
    layer_weights += layer.weights;
    layer_kv += layer.kv;
  }
  EXPECT_EQ(layer_kv, plan->kv_bytes);
  EXPECT_EQ(plan->kv_bytes, kv::total_bytes(plan->cache));
  const auto* embedding = o.files.inventory.find("token_embd.weight");
  const auto* norm = o.files.inventory.find("output_norm.weight");
  EXPECT_EQ(layer_weights + embedding->bytes.size() + norm->bytes.size(), plan->weights_bytes);
}

TEST(MemoryPlan, windowed_layers_cost_less_than_full_ones) {
  const Opened o = open("gemma3");  // 8 tokens of window, chunk of 100: 107 slots, so ask for more context
  const auto plan = make_plan(kRoomy, o.model, o.files.inventory, {.context_tokens = 256});
  ASSERT_TRUE(plan);
  // 1 KV head of 32: 64 bytes of keys and 64 of values per token in f16.
  EXPECT_EQ(plan->layers[5].kv, 256U * 128);
  EXPECT_EQ(plan->layers[0].kv, std::min(256U, 8U - 1 + plan->cache.chunk_tokens) * 128U);
}

TEST(MemoryPlan, encoders_read_a_text_in_one_step) {
  const Opened o = open("bert-mean");
  const auto plan = make_plan(kRoomy, o.model, o.files.inventory, {.wanted_tokens = 33});
  ASSERT_TRUE(plan) << describe(plan.error());
  EXPECT_EQ(plan->compute.chunk_tokens, 33U);
  EXPECT_EQ(plan->kv_bytes, 33U * 2 * 64) << "one layer's: 32 values of 2 bytes each";
}

// Bytes that each layer keeps for a sequence, of f16 where it keeps keys. Rows are whole cache lines.
std::vector<std::uint64_t> kv_of(const char* name, std::uint32_t context, std::uint32_t sequences = 1) {
  const Opened o = open(name);
  const auto plan =
      make_plan(kRoomy, o.model, o.files.inventory, {.context_tokens = context, .sequences = sequences});
  EXPECT_TRUE(plan) << describe(plan.error());
  std::vector<std::uint64_t> bytes;
  std::uint64_t sum = 0;
  for (const LayerBytes& layer : plan->layers) sum += bytes.emplace_back(layer.kv);
  EXPECT_EQ(plan->kv_bytes, sum);
  EXPECT_EQ(kv::total_bytes(plan->cache) * sequences, sum);
  return bytes;
}

using Bytes = std::vector<std::uint64_t>;

TEST(MemoryPlan, latent_attention_keeps_a_latent_and_a_rotated_key_per_token) {
  // 24 values of the latent and 8 rotated ones, whatever the number of heads.
  constexpr std::uint64_t kLayer = 100 * (24 + 8) * 2;
  EXPECT_EQ(kv_of("deepseek2-v3", 100), (Bytes{kLayer, kLayer, kLayer}));
  EXPECT_EQ(kv_of("deepseek2-v3", 100, 3), (Bytes{3 * kLayer, 3 * kLayer, 3 * kLayer}));
}

TEST(MemoryPlan, compressed_attention_keeps_a_window_and_a_row_per_group_of_tokens) {
  // Windows of 16 tokens behind chunks of 256, of 32 values each.
  constexpr std::uint64_t kWindow = (16 - 1 + 256) * 64;
  // 128 to one: 2 rows; the values and gates of 128 tokens.
  constexpr std::uint64_t kSparse = 300 / 128 * 64 + 2 * 128 * 32 * 4;
  // 4 to one: 75 rows and keys of the indexer of 64 values; twice 8 tokens of both, each in two series.
  constexpr std::uint64_t kDense = 75 * (64 + 128) + 2 * 8 * 2 * (32 + 64) * 4;
  EXPECT_EQ(kv_of("deepseek4", 300), (Bytes{kWindow, kWindow + kSparse, kWindow + kDense, kWindow + kDense}));
}

TEST(MemoryPlan, the_delta_rule_keeps_a_state_of_fixed_size) {
  // 3 tokens of 2 x 2 x 16 + 4 x 16 channels; 4 heads of 16 keys by one tile of 32 columns.
  constexpr std::uint64_t kState = (3 * 128 + 4 * 16 * 32) * 4;
  EXPECT_EQ(kv_of("qwen35", 100), (Bytes{kState, kState, kState, 100 * 2 * (2 * 32) * 2}));
  EXPECT_EQ(kv_of("qwen35", 1), (Bytes{kState, kState, kState, 2 * (2 * 32) * 2}));
  // Kimi: 3 tokens of 3 x 2 x 16 channels; 2 heads.
  constexpr std::uint64_t kKimiState = (3 * 96 + 2 * 16 * 32) * 4;
  EXPECT_EQ(kv_of("kimi-linear", 50), (Bytes{kKimiState, kKimiState, kKimiState, 50 * (24 + 8) * 2}));
}

TEST(MemoryPlan, short_convolutions_keep_the_tokens_before) {
  constexpr std::uint64_t kConv = 2 * 32 * 4;
  constexpr std::uint64_t kAttention = 100 * (64 + 64);  // 2 heads of 8 values: half a cache line
  EXPECT_EQ(kv_of("lfm2", 100), (Bytes{kConv, kConv, kAttention, kConv, kAttention}));
}

TEST(MemoryPlan, mamba_2_keeps_a_state_and_feed_forward_layers_nothing) {
  // 3 tokens of 64 + 2 x 16 channels; 64 rows of 16.
  constexpr std::uint64_t kState = (3 * 96 + 64 * 16) * 4;
  EXPECT_EQ(kv_of("nemotron-h-moe", 100), (Bytes{kState, 0, 100 * 2 * (2 * 16) * 2, 0}));
}

TEST(MemoryPlan, layers_that_read_anothers_keys_keep_none) {
  // Every other layer sees 8 tokens only; a head of 16 values is half a cache line.
  constexpr std::uint64_t kFull = 256 * (64 + 64);
  EXPECT_EQ(kv_of("gemma3n", 256), (Bytes{kFull, kFull, kFull, kFull, 0, 0})) << "a chunk is as long";
}

TEST(MemoryPlan, automatic_context_is_what_is_wanted_up_to_the_models_limit) {
  const Opened o = open("llama");
  EXPECT_EQ(make_plan(kRoomy, o.model, o.files.inventory, {})->cache.context_tokens, 256U);
  EXPECT_EQ(make_plan(kRoomy, o.model, o.files.inventory, {.wanted_tokens = 17})->cache.context_tokens, 17U);
  EXPECT_EQ(make_plan(kRoomy, o.model, o.files.inventory, {.wanted_tokens = 999})->cache.context_tokens,
            256U);
}

TEST(MemoryPlan, refuses_with_numbers_and_the_largest_context_that_fits) {
  const Opened o = open("llama");
  const auto with = [&](std::uint32_t context) {
    return make_plan(kRoomy, o.model, o.files.inventory, {.context_tokens = context})->total_bytes();
  };
  const Machine tight{.budget_bytes = with(100), .budget_source = "test", .process_bytes = 1000};
  EXPECT_TRUE(make_plan(tight, o.model, o.files.inventory, {.context_tokens = 100}));
  const auto refused = make_plan(tight, o.model, o.files.inventory, {.context_tokens = 101});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kMemory);
  EXPECT_NE(refused.error().message.find("--ctx 100"), std::string::npos) << refused.error().message;
  EXPECT_EQ(make_plan(tight, o.model, o.files.inventory, {.wanted_tokens = 100})->cache.context_tokens, 100U);

  const Machine tiny{.budget_bytes = 1000, .budget_source = "test"};
  const auto nothing = make_plan(tiny, o.model, o.files.inventory, {});
  ASSERT_FALSE(nothing);
  EXPECT_NE(nothing.error().message.find("no context fits"), std::string::npos);
}

// What is named is tried: with that it runs, and with much less it does not.
TEST(MemoryPlan, names_the_smallest_budget_that_would_do) {
  for (const char* name : {"llama", "qwen3moe", "deepseek2-v3", "gemma3n", "deepseek4", "gpt-oss", "qwen35",
                           "lfm2", "bert-mean", "nemotron-h-moe"}) {
    SCOPED_TRACE(name);
    const Opened o = open(name);
    for (const std::uint32_t context : {0U, 40U}) {
      const Workload workload{.context_tokens = context, .threads = 2, .may_stream = true};
      Machine machine{.budget_bytes = 1000, .budget_source = "test", .process_bytes = 1000};
      const auto refused = make_plan(machine, o.model, o.files.inventory, workload);
      ASSERT_FALSE(refused);
      EXPECT_EQ(refused.error().code, ErrorCode::kMemory);
      const std::uint64_t least = testing::least_bytes_in(refused.error().message);
      machine.budget_bytes = least;
      const auto plan = make_plan(machine, o.model, o.files.inventory, workload);
      ASSERT_TRUE(plan) << describe(plan.error());
      EXPECT_LE(plan->total_bytes(), least);
      machine.budget_bytes = least - (3U << 20U);
      EXPECT_FALSE(make_plan(machine, o.model, o.files.inventory, workload));
    }
  }
}

TEST(MemoryPlan, refuses_a_context_beyond_the_models_limit) {
  const Opened o = open("llama");
  const auto plan = make_plan(kRoomy, o.model, o.files.inventory, {.context_tokens = 257});
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::kUsage);
}

TEST(ComputeLayout, buffers_do_not_overlap_and_end_at_the_total) {
  const Opened o = open("phi3");
  const ComputeLayout l = make_compute_layout(o.model, {.chunk_tokens = 7, .block_tokens = 7, .threads = 3});
  const std::uint64_t starts[] = {l.residual, l.normed, l.block_out, l.workspace,
                                  l.logits,   l.packed, l.scratch,   l.total_bytes};
  const std::uint64_t dim = 32, hidden = 96;
  const std::uint64_t floats[] = {dim * 7,
                                  dim * 7,
                                  dim * 7,
                                  3 * hidden * 7,
                                  320 * 8,
                                  l.packed_bytes / 4,
                                  l.scratch_floats_per_thread * 3};
  EXPECT_GE(l.packed_bytes, 512U * 7);  // one chunk of 512 bytes for up to 256 columns
  for (int i = 0; i < 7; ++i) {
    EXPECT_GE(starts[i + 1] - starts[i], floats[i] * 4) << i;
    EXPECT_LT(starts[i + 1] - starts[i], floats[i] * 4 + 3 * 64) << i;
  }
}

TEST(DescribeBytes, picks_a_unit) {
  EXPECT_EQ(describe_bytes(999), "999 B");
  EXPECT_EQ(describe_bytes(1536), "1.5 KiB");
  EXPECT_EQ(describe_bytes(3ULL << 30U), "3.0 GiB");
}

}  // namespace
}  // namespace cistern::plan
