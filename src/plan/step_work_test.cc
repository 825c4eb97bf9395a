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
      const spec::AttentionSpec& a = *layer.attention;
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
