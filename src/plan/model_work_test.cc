// The work of a token against what the tensors and the other counts of the same models say.
#include "plan/model_work.h"

#include <gtest/gtest.h>

#include "plan/memory_plan.h"
#include "plan/step_work.h"
#include "support/fixtures.h"

namespace cistern::plan {
namespace {

struct Opened {
  explicit Opened(const std::string& name) {
    files = *file::open_model((testing::data_dir() / "models" / name / "model.gguf").string());
    model = *spec::read_model_spec(files.inventory);
    cache =
        make_plan({.budget_bytes = 1ULL << 40U, .budget_source = "test"}, model, files.inventory, {})->cache;
  }
  Work work(const WorkQuestion& question = {}) const {
    return model_work(model, files.inventory, cache, "F32", question);
  }

  file::ModelFiles files;
  spec::ModelSpec model;
  kv::CacheShape cache;
};

constexpr const char* kModels[] = {"llama",      "gemma3",  "qwen3moe",    "deepseek2-v3",   "gpt-oss",
                                   "deepseek4",  "qwen35",  "kimi-linear", "nemotron-h-moe", "lfm2",
                                   "gemma4-moe", "gemma3n", "llama4"};

TEST(ModelWork, BytesAndProductsAreThoseOfAStep) {
  for (const char* name : kModels) {
    SCOPED_TRACE(name);
    const Opened o(name);
    const Work work = o.work({.decode_depth = 20});
    const StepWork step =
        work_of(o.model, o.files.inventory, o.cache, kernels::resolve(sys::Isa::kScalar), {.depth = 20});
    std::uint64_t macs = 0;
    for (const std::uint64_t some : step.macs) macs += some;
    const auto tensors = static_cast<double>(o.model.tensors.size());
    // Integers lose a fraction of a byte per tensor.
    EXPECT_NEAR(work.dense_read_bytes + work.routed_read_bytes, static_cast<double>(step.weight_bytes),
                tensors);
    EXPECT_NEAR(work.dense_macs + work.routed_macs + work.attention_macs, static_cast<double>(macs), tensors);
    EXPECT_EQ(work.kv_bytes, static_cast<double>(step.kv_bytes));
    EXPECT_LE(work.file_bytes, static_cast<double>(o.files.inventory.tensor_bytes()));
    EXPECT_GT(work.file_bytes, 0.9 * static_cast<double>(o.files.inventory.tensor_bytes()));
  }
}

// 3 of 6 experts are used: half of their bytes are read.
TEST(ModelWork, OfExpertsThoseThatAreUsed) {
  const Opened o("qwen3moe");
  double experts = 0;
  for (const file::TensorInfo& tensor : o.files.inventory.tensors())
    if (tensor.name.find("_exps.") != std::string::npos) experts += static_cast<double>(tensor.size_bytes);
  ASSERT_GT(experts, 0);
  const Work work = o.work();
  EXPECT_EQ(work.routed_file_bytes, experts);
  EXPECT_EQ(work.routed_read_bytes, experts / 2);
  EXPECT_EQ(work.routed_macs, experts / 4 / 2) << "of 4 bytes each";
  EXPECT_EQ(Opened("llama").work().routed_file_bytes, 0);
  EXPECT_EQ(Opened("llama").work().routed_read_bytes, 0);
}

TEST(ModelWork, LayersOfEveryKind) {
  for (const char* name : kModels) {
    SCOPED_TRACE(name);
    const Opened o(name);
    const Work work = o.work();
    double latent = 0, recurrent = 0, blocks = 0;
    for (const spec::LayerSpec& layer : o.model.layers) {
      latent += layer.mla ? 1 : 0;
      const bool keeps_state = layer.delta_net || layer.mamba2 || layer.short_conv;
      const bool attends = layer.attention || layer.mla || layer.compressed;
      recurrent += keeps_state && !attends ? 1 : 0;
      blocks += (keeps_state || attends ? 1 : 0) + (layer.ffn ? 1 : 0);
    }
    EXPECT_EQ(work.latent_attention, latent > 0);
    EXPECT_EQ(work.recurrent_layers, recurrent);
    EXPECT_EQ(work.layers, blocks / 2);
  }
  EXPECT_TRUE(Opened("deepseek2-v3").work().latent_attention);
  EXPECT_FALSE(Opened("llama").work().latent_attention);
  EXPECT_GT(Opened("qwen35").work().recurrent_layers, 0);
  EXPECT_GT(Opened("lfm2").work().recurrent_layers, 0);
  EXPECT_EQ(Opened("llama").work().recurrent_layers, 0);
  EXPECT_EQ(Opened("llama").work().layers, 2);
  EXPECT_LT(Opened("nemotron-h-moe").work().layers,
            static_cast<double>(Opened("nemotron-h-moe").model.layers.size()))
      << "some layers have a mixer or a feed-forward block alone";
}

TEST(ModelWork, DepthCostsKeysAndValues) {
  const Opened o("llama");
  const spec::AttentionSpec& a = *o.model.layers[0].attention;
  const double per_token = static_cast<double>(o.model.layers.size()) * a.n_kv_heads *
                           (a.head_dim + a.value_dim) * sizeof(std::uint16_t);
  EXPECT_EQ(o.work({.decode_depth = 100}).kv_bytes - o.work({.decode_depth = 10}).kv_bytes, 90 * per_token);
  // The tokens of a prompt see half of it each, on average.
  const Work prompt = o.work({.prompt_tokens = 101});
  const double pair = static_cast<double>(o.model.layers.size()) * a.n_heads * (a.head_dim + a.value_dim);
  EXPECT_EQ(prompt.prompt_attention_macs, 51 * pair);
  EXPECT_GT(o.work({.prompt_depth = 100, .prompt_tokens = 101}).prompt_attention_macs,
            prompt.prompt_attention_macs + 99 * pair);
  EXPECT_GT(o.work({.prompt_tokens = 0}).prompt_attention_macs, 0) << "no prompt counts as one token";
  EXPECT_EQ(prompt.prompt_tokens, 101);
  EXPECT_FALSE(o.work({.flash_attention = false}).flash_attention);
  EXPECT_EQ(o.work().weights, WeightClass::kFloat16);
}

}  // namespace
}  // namespace cistern::plan
