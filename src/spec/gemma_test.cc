// Gemma 3n and Gemma 4 from metadata alone: heads, caches, sparsity and the layers' own inputs.
#include <gtest/gtest.h>

#include <limits>

#include "spec/model_spec.h"
#include "support/gguf_writer.h"

namespace cistern::spec {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

testing::GgufWriter common(const std::string& arch, std::uint32_t n_layers) {
  testing::GgufWriter w;
  w.add("general.architecture", arch);
  w.add(arch + ".block_count", n_layers).add(arch + ".embedding_length", 8U);
  w.add(arch + ".context_length", 64U).add(arch + ".feed_forward_length", 16U);
  w.add(arch + ".attention.head_count", 2U).add(arch + ".attention.layer_norm_rms_epsilon", 1e-6F);
  w.add(arch + ".attention.key_length", 8U).add(arch + ".attention.value_length", 8U);
  w.add("tokenizer.ggml.tokens", std::vector<std::string>{"a", "b", "c"});
  return w;
}

// Of four layers the second and the fourth see everything.
testing::GgufWriter gemma4(std::uint32_t n_shared) {
  testing::GgufWriter w = common("gemma4", 4);
  w.add("gemma4.attention.sliding_window", 16U);
  w.add("gemma4.attention.sliding_window_pattern", std::vector<bool>{true, false, true, false});
  w.add("gemma4.attention.key_length_swa", 4U).add("gemma4.attention.value_length_swa", 4U);
  w.add("gemma4.attention.shared_kv_layers", n_shared);
  return w;
}

testing::GgufWriter gemma3n(const std::vector<float>& sparsity) {
  testing::GgufWriter w = common("gemma3n", 2);
  w.add("gemma3n.attention.head_count_kv", 1U).add("gemma3n.attention.sliding_window", 16U);
  w.add("gemma3n.attention.shared_kv_layers", 0U).add("gemma3n.embedding_length_per_layer_input", 3U);
  w.add("gemma3n.altup.num_inputs", 4U).add("gemma3n.altup.active_idx", 1U);
  w.add("gemma3n.activation_sparsity_scale", sparsity);
  return w;
}

Result<ModelSpec> plan(const testing::GgufWriter& writer) {
  const std::vector<std::byte> bytes = writer.build();
  CISTERN_TRY(const file::ModelFiles files, file::open_model(bytes, "tiny.gguf"));
  return plan_model_spec(files.inventory);
}

void expect_error(const testing::GgufWriter& writer, std::string_view part) {
  const auto model = plan(writer);
  ASSERT_FALSE(model);
  EXPECT_NE(describe(model.error()).find(part), std::string::npos) << describe(model.error());
}

const TensorSpec* find(const ModelSpec& model, std::string_view name) {
  for (const TensorSpec& tensor : model.tensors) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

TEST(Gemma4, windowed_layers_have_heads_and_a_rope_of_their_own) {
  const auto model = plan(gemma4(0));
  ASSERT_TRUE(model) << describe(model.error());
  const AttentionSpec& windowed = *model->layers[0].attention;
  const AttentionSpec& full = *model->layers[1].attention;
  EXPECT_EQ(windowed.head_dim, 4U);
  EXPECT_EQ(full.head_dim, 8U);
  EXPECT_EQ(model->ropes[windowed.rope].dims, 4U);
  EXPECT_EQ(model->ropes[full.rope].dims, 8U);
  EXPECT_EQ(full.scale, 1.0F);
  EXPECT_EQ(find(*model, "blk.0.attn_q.weight")->shape, Shape(8, 8));
  EXPECT_EQ(find(*model, "blk.1.attn_q.weight")->shape, Shape(8, 16));
  EXPECT_EQ(find(*model, "inp_gate.weight"), nullptr);
}

TEST(Gemma4, the_last_layers_read_the_last_caches_of_their_kind) {
  const auto model = plan(gemma4(2));
  ASSERT_TRUE(model) << describe(model.error());
  const std::vector<std::uint32_t> owners = {0, 1, 0, 1};
  for (std::size_t li = 0; li < owners.size(); ++li)
    EXPECT_EQ(model->layers[li].attention->kv_layer, owners[li]);
}

TEST(Gemma4, a_layer_without_a_cache_to_read_is_refused) {
  expect_error(gemma4(3), "no earlier layer sees what layer 1 sees");
  expect_error(gemma4(4), "gemma4.attention.shared_kv_layers");
  expect_error(gemma4(2).add("gemma4.attention.head_count_kv", std::vector<std::uint32_t>{1, 1, 2, 1}),
               "layers 0 and 2 have different keys");
}

TEST(Gemma4, sizes_beyond_any_model_are_refused) {
  expect_error(gemma4(0).add("gemma4.embedding_length_per_layer_input", 1U << 19U),
               "gemma4.embedding_length_per_layer_input");
  expect_error(gemma4(0).add("gemma4.rope.dimension_count_swa", 6U), "gemma4.rope.dimension_count_swa");
  expect_error(gemma4(0).add("gemma4.rope.dimension_count_swa", 3U), "must be even");
  testing::GgufWriter wide = common("gemma4", 1);
  wide.add("gemma4.attention.sliding_window", 16U).add("gemma4.attention.key_length_swa", 1U << 20U);
  expect_error(wide, "gemma4.attention.key_length_swa");
}

TEST(Gemma3n, layers_at_minus_infinity_keep_all_gates) {
  const auto model = plan(gemma3n({1.5F, -kInf}));
  ASSERT_TRUE(model) << describe(model.error());
  EXPECT_EQ(model->layers[0].ffn->sparsity, 1.5F);
  EXPECT_FALSE(model->layers[1].ffn->sparsity);
  EXPECT_EQ(model->n_streams, 4U);
  EXPECT_EQ(model->altup.active_stream, 1U);
  EXPECT_EQ(find(*model, "per_layer_token_embd.weight")->shape, Shape(6, 3));
  EXPECT_EQ(find(*model, "blk.1.altup_predict_coef.weight")->shape, Shape(4, 16));
  expect_error(gemma3n({1.5F, kInf}), "layer 1");
  expect_error(gemma3n({1.5F, std::numeric_limits<float>::quiet_NaN()}), "layer 1");
  expect_error(gemma3n({1.5F}), "1 values for 2 layers");
}

}  // namespace
}  // namespace cistern::spec
