#include "plan/memory_plan.h"

#include <gtest/gtest.h>

#include "support/fixtures.h"

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

TEST(MemoryPlan, refuses_a_context_beyond_the_models_limit) {
  const Opened o = open("llama");
  const auto plan = make_plan(kRoomy, o.model, o.files.inventory, {.context_tokens = 257});
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::kUsage);
}

TEST(ComputeLayout, buffers_do_not_overlap_and_end_at_the_total) {
  const Opened o = open("phi3");
  const ComputeLayout l = make_compute_layout(o.model, {.chunk_tokens = 7, .threads = 3});
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
