#include "plan/step_work.h"

#include <gtest/gtest.h>

#include "support/fixtures.h"

namespace cistern::plan {
namespace {

struct Opened {
  explicit Opened(const char* name) {
    files = *file::open_model((testing::data_dir() / "models" / name / "model.gguf").string());
    model = *spec::read_model_spec(files.inventory);
    cache.type = DType::kF16;
    cache.context_tokens = 256;
    for (const spec::LayerSpec& layer : model.layers) {
      const spec::AttentionSpec a = layer.attention.value_or(spec::AttentionSpec());
      cache.layers.push_back(
          {.n_kv_heads = a.n_kv_heads, .key_dim = a.head_dim, .value_dim = a.value_dim, .window = a.window});
    }
  }
  StepWork work(const StepShape& step) const {
    return work_of(model, files.inventory, cache, kernels::resolve(sys::Isa::kScalar), step);
  }
  std::uint64_t matrix_macs() const {
    std::uint64_t sum = 0;
    for (const file::TensorInfo& tensor : files.inventory.tensors()) {
      if (tensor.shape.rows() > 1 && tensor.name != "token_embd.weight") sum += tensor.shape.elements();
    }
    return sum;
  }

  file::ModelFiles files;
  spec::ModelSpec model;
  kv::CacheShape cache;
};

std::uint64_t total_macs(const StepWork& work) {
  std::uint64_t sum = 0;
  for (const std::uint64_t macs : work.macs) sum += macs;
  return sum;
}

TEST(StepWork, one_token_reads_every_weight_but_the_embedding) {
  const Opened o("llama");
  const auto* embedding = o.files.inventory.find("token_embd.weight");
  const StepWork work = o.work({.depth = 99});
  EXPECT_EQ(work.weight_bytes, o.files.inventory.tensor_bytes() - embedding->bytes.size());
  const spec::AttentionSpec& a = *o.model.layers[0].attention;
  const std::uint64_t layers = o.model.layers.size();
  EXPECT_EQ(work.kv_bytes, 100 * layers * a.n_kv_heads * (a.head_dim + a.value_dim) * 2);
  EXPECT_EQ(total_macs(work), o.matrix_macs() + 100 * layers * a.n_heads * (a.head_dim + a.value_dim));
}

TEST(StepWork, sequences_share_weights_and_have_caches_of_their_own) {
  const Opened o("llama");
  const StepWork one = o.work({.depth = 10});
  const StepWork four = o.work({.depth = 10, .sequences = 4});
  EXPECT_EQ(four.weight_bytes, one.weight_bytes);
  EXPECT_EQ(four.kv_bytes, 4 * one.kv_bytes);
  EXPECT_EQ(total_macs(four), 4 * total_macs(one));
}

TEST(StepWork, a_prompt_needs_the_output_head_once_and_half_a_square_of_attention) {
  const Opened o("llama");
  const std::uint64_t head = o.files.inventory.find("output.weight")->shape.elements();
  const spec::AttentionSpec& a = *o.model.layers[0].attention;
  const std::uint64_t pairs = 50 * 51 / 2;
  EXPECT_EQ(total_macs(o.work({.tokens = 50})),
            50 * (o.matrix_macs() - head) + head +
                pairs * o.model.layers.size() * a.n_heads * (a.head_dim + a.value_dim));
}

// 3 of 6 experts are chosen: a token reads half of them, two tokens three quarters, as if chosen at random.
TEST(StepWork, experts_are_read_by_the_share_that_is_likely_chosen) {
  const Opened o("qwen3moe");
  std::uint64_t experts = 0;
  std::uint64_t expert_macs = 0;
  for (const file::TensorInfo& tensor : o.files.inventory.tensors()) {
    if (tensor.name.find("_exps.") == std::string::npos) continue;
    experts += tensor.size_bytes;
    expert_macs += tensor.shape.elements();
  }
  ASSERT_EQ(experts, 2U * 3 * 6 * 32 * 24 * 4) << "2 layers of 3 matrices of 6 experts";
  const std::uint64_t others =
      o.files.inventory.tensor_bytes() - experts - o.files.inventory.find("token_embd.weight")->bytes.size();
  EXPECT_EQ(o.work({}).weight_bytes, others + experts / 2);
  EXPECT_EQ(o.work({.tokens = 2}).weight_bytes, others + experts / 4 * 3);
  EXPECT_EQ(o.work({.sequences = 2}).weight_bytes, others + experts / 4 * 3)
      << "those of all sequences count";
  const std::uint64_t hundred = o.work({.tokens = 100}).weight_bytes;
  EXPECT_LE(hundred, others + experts);
  EXPECT_GE(hundred + 6, others + experts) << "all are read, but for rounding";

  // Each token meets its own experts only, however many tokens there are.
  const spec::AttentionSpec& a = *o.model.layers[0].attention;
  const std::uint64_t attention = o.model.layers.size() * a.n_heads * (a.head_dim + a.value_dim);
  EXPECT_EQ(total_macs(o.work({})), o.matrix_macs() - expert_macs / 2 + attention);
  EXPECT_EQ(total_macs(o.work({.sequences = 4})), 4 * total_macs(o.work({})));
}

// gpt-oss has a row of biases for each expert: those of the chosen ones are read.
TEST(StepWork, biases_of_experts_are_read_like_their_matrices) {
  const Opened o("gpt-oss");
  std::uint64_t experts = 0;
  for (const file::TensorInfo& tensor : o.files.inventory.tensors())
    if (tensor.name.find("_exps.") != std::string::npos) experts += tensor.size_bytes;
  const spec::MoeSpec& moe = *o.model.layers[0].ffn->moe;
  const double used = static_cast<double>(moe.n_used) / moe.n_experts;
  const std::uint64_t others =
      o.files.inventory.tensor_bytes() - experts - o.files.inventory.find("token_embd.weight")->bytes.size();
  EXPECT_NEAR(static_cast<double>(o.work({}).weight_bytes), others + static_cast<double>(experts) * used,
              static_cast<double>(o.files.inventory.tensors().size()))
      << "but for rounding";
}

TEST(StepWork, tables_are_looked_up) {
  const Opened o("deepseek4");
  const auto* table = o.files.inventory.find("blk.0.ffn_gate_tid2eid.weight");
  ASSERT_NE(table, nullptr);
  const StepWork many = o.work({.tokens = 4096});  // every expert is read
  const std::uint64_t embedding = o.files.inventory.find("token_embd.weight")->bytes.size();
  EXPECT_LE(many.weight_bytes, o.files.inventory.tensor_bytes() - embedding - table->bytes.size());
}

TEST(StepWork, a_window_bounds_what_is_seen) {
  const Opened o("gemma3");  // layers of a window of 8, and some that see all
  const StepWork near = o.work({.depth = 100});
  const StepWork far = o.work({.depth = 200});
  std::uint64_t per_token = 0;
  for (const kv::LayerShape& layer : o.cache.layers) {
    if (layer.window == 0)
      per_token += kv::key_row_bytes(layer, DType::kF16) + kv::value_row_bytes(layer, DType::kF16);
  }
  EXPECT_EQ(far.kv_bytes - near.kv_bytes, 100 * per_token);
}

}  // namespace
}  // namespace cistern::plan
