// Models on paper go through the planner like files: every known model has a plan, and caches and the
// parameters that a token is multiplied with are as published.
#include <gtest/gtest.h>

#include "plan/memory_plan.h"
#include "plan/step_work.h"
#include "spec/hub/known_models.h"
#include "spec/hub/paper_model.h"

namespace cistern::plan {
namespace {

Machine roomy() {
  return {.budget_bytes = 1ULL << 50U, .budget_source = "test", .process_bytes = 1000};
}

Result<MemoryPlan> plan_of(const spec::hub::PaperModel& paper, std::uint32_t context) {
  return make_plan(roomy(), paper.spec, paper.inventory, {.context_tokens = context, .threads = 8});
}

TEST(PaperPlan, every_known_model_has_a_plan) {
  constexpr std::uint32_t kContext = 2048;
  for (const spec::hub::KnownModel& known : spec::hub::known_models()) {
    SCOPED_TRACE(known.name);
    const auto paper = spec::hub::paper_model_of_name(known.name, "Q4_K_M");
    ASSERT_TRUE(paper) << describe(paper.error());
    const auto plan = plan_of(*paper, kContext);
    ASSERT_TRUE(plan) << describe(plan.error());
    // What predicts further tokens is in the file, but may not be used.
    EXPECT_LE(plan->weights_bytes, paper->inventory.tensor_bytes());
    EXPECT_GT(plan->weights_bytes, paper->inventory.tensor_bytes() * 9 / 10);
    EXPECT_GT(plan->kv_bytes, 0U);
  }
}

struct Cache {
  const char* name;
  std::uint64_t bytes_per_token;  // in 16 bits, of layers that see everything
};

TEST(PaperPlan, caches_are_of_the_size_that_follows_from_the_heads) {
  constexpr Cache kCaches[] = {
      {"llama-3.1-8b", 32 * 2 * 8 * 128 * 2},
      {"llama-3.3-70b", 80 * 2 * 8 * 128 * 2},
      {"qwen3-30b-a3b", 48 * 2 * 4 * 128 * 2},
      {"deepseek-v3", 61 * (512 + 64) * 2},  // one latent and one rotated key
      {"kimi-k2", 61 * (512 + 64) * 2},
  };
  for (const Cache& row : kCaches) {
    SCOPED_TRACE(row.name);
    const auto paper = spec::hub::paper_model_of_name(row.name);
    ASSERT_TRUE(paper);
    const auto small = plan_of(*paper, 4096);
    const auto large = plan_of(*paper, 8192);
    ASSERT_TRUE(small && large);
    EXPECT_EQ(large->kv_bytes - small->kv_bytes, 4096 * row.bytes_per_token);
  }
}

struct Active {
  const char* name;
  double params_b;
};

// The vendors' numbers; embeddings are looked up and do not count.
TEST(PaperPlan, a_token_is_multiplied_with_the_published_number_of_parameters) {
  constexpr Active kActive[] = {
      {"gpt-oss-20b", 3.61},    {"gpt-oss-120b", 5.13},
      {"qwen3-30b-a3b", 3.35},  {"qwen3-235b-a22b", 22.14},
      {"llama-4-scout", 17.17}, {"llama-4-maverick", 17.2},
      {"deepseek-v3", 37.55},   {"nemotron-3-super-120b-a12b", 12.0},
      {"llama-3.1-8b", 8.03},
  };
  for (const Active& row : kActive) {
    const auto paper = spec::hub::paper_model_of_name(row.name);
    ASSERT_TRUE(paper) << row.name;
    double active = 0;
    for (const WeightWork& work : weight_work_of(paper->spec, paper->inventory, {})) active += work.macs;
    EXPECT_NEAR(active / 1e9 / row.params_b, 1, 0.1) << row.name << ": " << active / 1e9;
  }
}

}  // namespace
}  // namespace cistern::plan
