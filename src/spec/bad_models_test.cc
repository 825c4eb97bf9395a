// Files that lie about experts, latent attention, compression, recurrent layers or streams: each is refused
// with an error that names the key or the tensor. The golden models with one thing changed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "spec/model_spec.h"
#include "support/edited_model.h"

namespace cistern::spec {
namespace {

using testing::EditedModel;
using Numbers = std::vector<std::uint32_t>;
constexpr std::uint32_t kHuge = 0xFFFFFFFFU;

Result<ModelSpec> read(const EditedModel& model) {
  const std::vector<std::byte> bytes = model.build();
  const auto files = file::open_model(bytes, "edited.gguf");
  if (!files) return std::unexpected(files.error());
  return read_model_spec(files->inventory);
}

// The error must stand at the key or tensor of this name.
void expect_refused(const EditedModel& model, const std::string& place) {
  SCOPED_TRACE(place);
  const Result<ModelSpec> spec = read(model);
  ASSERT_FALSE(spec);
  EXPECT_NE(spec.error().where.find("'" + place + "'"), std::string::npos) << describe(spec.error());
  EXPECT_NE(spec.error().where.find("edited.gguf"), std::string::npos) << describe(spec.error());
}

// Values of one key of an architecture, each refused at that key.
template <class T>
void expect_refused(const std::string& name, const std::string& suffix, const std::vector<T>& values) {
  for (const T& value : values) {
    EditedModel model(name);
    expect_refused(model.set(suffix, value), model.arch() + "." + suffix);
  }
}

TEST(BadModels, edits_of_nothing_are_read) {
  for (const std::string& name : testing::golden_names()) {
    const Result<ModelSpec> spec = read(EditedModel(name));
    EXPECT_TRUE(spec) << name << ": " << describe(spec.error());
  }
}

TEST(BadModels, counts_of_experts) {
  for (const char* name : {"qwen3moe", "deepseek2-v3", "deepseek4", "llama4", "gpt-oss", "kimi-linear",
                           "nemotron-h-moe", "gemma4-moe"}) {
    SCOPED_TRACE(name);
    expect_refused(name, "expert_used_count", Numbers{0, 100, 257, kHuge});
    expect_refused(name, "expert_feed_forward_length", Numbers{0, kHuge});
    expect_refused(name, "expert_count", Numbers{kHuge});
    EditedModel none(name);
    expect_refused(none.unset("expert_used_count"), none.arch() + ".expert_used_count");
  }
  expect_refused("qwen3moe", "expert_count", Numbers{0, 1U << 15U});
  expect_refused(EditedModel("qwen3moe").set("expert_count", 7U), "blk.0.ffn_gate_inp.weight");
  expect_refused(EditedModel("qwen3moe").set("expert_feed_forward_length", 25U),
                 "blk.0.ffn_gate_exps.weight");
  expect_refused(EditedModel("nemotron-h-moe").set("expert_shared_feed_forward_length", 47U),
                 "blk.1.ffn_up_shexp.weight");
  expect_refused("deepseek2-v3", "expert_shared_count", Numbers{257, kHuge});
  expect_refused(EditedModel("deepseek2-v3").set("expert_shared_count", 2U), "blk.1.ffn_gate_shexp.weight");
  expect_refused("deepseek2-v3", "leading_dense_block_count", Numbers{4, kHuge});
}

TEST(BadModels, groups_of_experts) {
  expect_refused("deepseek2-v3", "expert_group_count", Numbers{0, 3, 9, kHuge});
  expect_refused("deepseek2-v3", "expert_group_used_count", Numbers{0, kHuge});
  EditedModel few("deepseek2-v3");
  expect_refused(few.set("expert_group_used_count", 1U), "deepseek2.expert_group_count");
  EditedModel many("deepseek2-v3");
  expect_refused(many.set("expert_group_used_count", 5U), "deepseek2.expert_group_count");
}

TEST(BadModels, gatings_and_weights_of_experts) {
  expect_refused("qwen3moe", "expert_gating_func", Numbers{5, kHuge});
  expect_refused("deepseek2-v3", "expert_weights_scale", std::vector<float>{0, -1, NAN, INFINITY});
  EXPECT_EQ(read(EditedModel("qwen3moe").set("expert_gating_func", 5U)).error().code,
            ErrorCode::kUnsupported);
}

TEST(BadModels, shapes_of_latent_attention) {
  for (const char* name : {"deepseek2-v3", "kimi-linear"}) {
    SCOPED_TRACE(name);
    expect_refused(name, "attention.kv_lora_rank", Numbers{0, 1U << 20U, kHuge});
    expect_refused(name, "rope.dimension_count", Numbers{0, 1, kHuge});
    expect_refused(name, "attention.key_length_mla", Numbers{0, 8, kHuge});
    expect_refused(name, "attention.value_length_mla", Numbers{0, kHuge});
    EditedModel old(name);
    expect_refused(old.unset("attention.key_length_mla"), old.arch() + ".attention.key_length_mla");
    EXPECT_EQ(read(old).error().code, ErrorCode::kUnsupported) << "of before the absorbed form";
  }
  expect_refused(EditedModel("deepseek2-v3").set("attention.q_lora_rank", 0U), "blk.0.attn_q.weight");
  expect_refused("deepseek2-v3", "rope.dimension_count", Numbers{7});
  expect_refused(EditedModel("deepseek2-v3").set("attention.kv_lora_rank", 23U),
                 "blk.0.attn_kv_a_mqa.weight");
}

TEST(BadModels, keys_of_the_indexer) {
  const auto with = [](const char* suffix, std::uint32_t value) {
    EditedModel model("deepseek4");
    return model.set(suffix, value);
  };
  for (const std::uint32_t value : {0U, 5000U, kHuge})
    expect_refused(with("attention.indexer.head_count", value), "deepseek4.attention.indexer.head_count");
  for (const std::uint32_t value : {0U, 7U, 5000U, kHuge})
    expect_refused(with("attention.indexer.key_length", value), "deepseek4.attention.indexer.key_length");
  for (const std::uint32_t value : {0U, kHuge})
    expect_refused(with("attention.indexer.top_k", value), "deepseek4.attention.indexer.top_k");
  for (const char* suffix : {"head_count", "key_length", "top_k"}) {
    EditedModel model("deepseek4");
    expect_refused(model.unset(std::string("attention.indexer.") + suffix),
                   std::string("deepseek4.attention.indexer.") + suffix);
  }
  expect_refused(with("attention.indexer.head_count", 3), "blk.2.indexer.proj.weight");
}

TEST(BadModels, ratios_of_compression) {
  const auto with = [](Numbers ratios) {
    EditedModel model("deepseek4");
    return model.set("attention.compress_ratios", std::move(ratios));
  };
  const std::string key = "deepseek4.attention.compress_ratios";
  expect_refused(with({0, 128, 4}), key);
  expect_refused(with({0, 128, 4, 4, 4}), key);
  expect_refused(with({}), key);
  expect_refused(with({0, 128, 4, kHuge}), key);
  expect_refused(with({0, 128, 4, 4097}), key);
  expect_refused(with({0, 128, 4, 0}), "blk.3.attn_compressor_ape.weight");
  expect_refused(with({4, 128, 4, 4}), "blk.0.attn_compressor_ape.weight");
  expect_refused(with({0, 127, 4, 4}), "blk.1.attn_compressor_ape.weight");
  EditedModel none("deepseek4");
  expect_refused(none.unset("attention.compress_ratios"), key);
}

TEST(BadModels, tables_of_experts_that_do_not_exist) {
  const std::string table = "blk.0.ffn_gate_tid2eid.weight";
  for (const std::int32_t value : {-1, 4, 0x7FFFFFFF, static_cast<std::int32_t>(0x80000000U)}) {
    for (const std::size_t i : {0U, 639U}) {  // 2 of each of 320 tokens
      EditedModel model("deepseek4");
      expect_refused(model.set_index(table, i, value), table);
    }
  }
  EXPECT_TRUE(read(EditedModel("deepseek4").set_index(table, 639, 3)));
  expect_refused(EditedModel("deepseek4").reshape(table, {2, 319}), table);
  expect_refused(EditedModel("deepseek4").without(table), table);
  expect_refused("deepseek4", "hash_layer_count", Numbers{5, kHuge});
}

TEST(BadModels, streams_and_their_connections) {
  expect_refused("deepseek4", "hyper_connection.count", Numbers{0, 17, kHuge});
  expect_refused("deepseek4", "hyper_connection.sinkhorn_iterations", Numbers{0, 1001, kHuge});
  expect_refused("deepseek4", "hyper_connection.epsilon", std::vector<float>{0, -1, NAN});
  expect_refused(EditedModel("deepseek4").set("hyper_connection.count", 3U), "output_hc_fn.weight");
  expect_refused("deepseek4", "attention.output_group_count", Numbers{0, 3, 5, kHuge});
  expect_refused("deepseek4", "attention.sliding_window", Numbers{0, kHuge});
  for (const char* suffix : {"swiglu_clamp_exp", "swiglu_clamp_shexp"}) {
    expect_refused("deepseek4", suffix,
                   std::vector<std::vector<float>>{{}, {2, 2, 2}, {2, 2, 2, NAN}, {2, 2, 2, -1}});
  }
  expect_refused("deepseek4", "swiglu_clamp_shexp", std::vector<std::vector<float>>{{2, 2, 2, 3}});
  expect_refused("gemma3n", "altup.num_inputs", Numbers{0, 1, 17, kHuge});
  expect_refused("gemma3n", "altup.active_idx", Numbers{4, kHuge});
  expect_refused(
      "gemma3n", "activation_sparsity_scale",
      std::vector<std::vector<float>>{{}, {1, 1}, {1, 1, 1, 1, 1, NAN}, {1, 1, 1, 1, 1, INFINITY}});
  expect_refused("gemma3n", "attention.shared_kv_layers", Numbers{6, kHuge, 5});
}

TEST(BadModels, counts_of_heads) {
  for (const char* name : {"qwen3moe", "deepseek2-v3", "deepseek4", "gemma3n", "gemma4-moe"}) {
    EditedModel none(name);
    none.set("attention.head_count", 0U);
    const Result<ModelSpec> spec = read(none);
    EXPECT_FALSE(spec) << name;
  }
  expect_refused("deepseek2-v3", "attention.head_count", Numbers{0, 5000, kHuge});
  expect_refused("deepseek4", "attention.head_count", Numbers{0, 5000, kHuge});
  expect_refused("gemma3n", "attention.head_count", Numbers{0, kHuge});
  expect_refused("lfm2", "attention.head_count", Numbers{kHuge});
  expect_refused(
      "lfm2", "attention.head_count_kv",
      std::vector<Numbers>{{}, {0, 0, 2, 0}, {0, 0, 3, 0, 2}, {0, 0, 2, 0, 2, 2}, {0, 0, kHuge, 0, 2}});
  expect_refused(EditedModel("lfm2").set("attention.head_count_kv", Numbers{0, 2, 2, 0, 2}),
                 "blk.1.attn_q.weight");
  expect_refused("nemotron-h-moe", "attention.head_count_kv", std::vector<Numbers>{{0, 2, 2, 0}});
}

TEST(BadModels, shapes_of_recurrent_layers) {
  for (const char* name : {"qwen35", "nemotron-h-moe", "kimi-linear"})
    expect_refused(name, "ssm.conv_kernel", Numbers{0, 1, 9, kHuge});
  for (const char* name : {"qwen35", "nemotron-h-moe"}) {
    for (const char* suffix : {"ssm.state_size", "ssm.group_count", "ssm.time_step_rank", "ssm.inner_size"}) {
      expect_refused(name, suffix, Numbers{0, kHuge});
      EditedModel none(name);
      expect_refused(none.unset(suffix), none.arch() + "." + suffix);
    }
    expect_refused(name, "ssm.inner_size", Numbers{63});
  }
  expect_refused("qwen35", "ssm.time_step_rank", Numbers{3});
  expect_refused("nemotron-h-moe", "ssm.group_count", Numbers{3});
  expect_refused("qwen35", "attention.recurrent_layers",
                 std::vector<std::vector<bool>>{{}, {true, true, true}});
  expect_refused(EditedModel("qwen35").set("attention.recurrent_layers", std::vector<bool>(4, true)),
                 "blk.3.attn_qkv.weight");
  expect_refused("lfm2", "shortconv.l_cache", Numbers{0, 1, 9, kHuge});
  expect_refused("kimi-linear", "kda.head_dim", Numbers{0, kHuge});
}

TEST(BadModels, what_is_not_supported_is_refused_by_name) {
  const auto code = [](const EditedModel& model) { return read(model).error().code; };
  EditedModel spiral("gpt-oss");
  expect_refused(spiral.set("rope.scaling.type", "spiral"), "gpt-oss.rope.scaling.type");
  EXPECT_EQ(code(spiral), ErrorCode::kUnsupported);
  EditedModel latent("nemotron-h-moe");
  expect_refused(latent.set("moe_latent_size", 8U), "nemotron_h_moe.moe_latent_size");
  EXPECT_EQ(code(latent), ErrorCode::kUnsupported);
  EditedModel both_sides("lfm2");
  expect_refused(both_sides.set("attention.causal", false), "lfm2.attention.causal");
  EXPECT_EQ(code(both_sides), ErrorCode::kUnsupported);
  EditedModel old("qwen35");
  expect_refused(old.add_tensor("blk.0.ssm_in.weight", {32, 4}), "blk.0.ssm_in.weight");
  EXPECT_EQ(code(old), ErrorCode::kUnsupported);
}

TEST(BadModels, numbers_of_tables_must_be_whole) {
  // A table of the right shape that holds floats.
  EditedModel floats("deepseek4");
  floats.without("blk.0.ffn_gate_tid2eid.weight").add_tensor("blk.0.ffn_gate_tid2eid.weight", {2, 320});
  expect_refused(floats, "blk.0.ffn_gate_tid2eid.weight");
  EXPECT_EQ(read(floats).error().code, ErrorCode::kUnsupported);
}

TEST(BadModels, each_tensor_that_is_missing_or_misshapen) {
  for (const std::string& name : testing::golden_names()) {
    const EditedModel good(name);
    const Result<ModelSpec> spec = read(good);
    ASSERT_TRUE(spec) << name;
    for (const TensorSpec& tensor : spec->tensors) {
      const file::TensorInfo* info = good.original().find(tensor.name);
      // Without a key the rows of the token types say how many there are.
      if (info == nullptr || tensor.role == Role::kTokenTypes) continue;
      std::vector<std::uint64_t> dims;
      for (int i = 0; i < info->n_dims; ++i) dims.push_back(info->shape.dim(i));
      ++dims.back();
      std::vector<EditedModel> bad = {good};
      bad[0].reshape(tensor.name, dims);
      if (!tensor.optional) bad.push_back(EditedModel(good).without(tensor.name));
      for (const EditedModel& model : bad) {
        const Result<ModelSpec> refused = read(model);
        ASSERT_FALSE(refused) << name << " " << tensor.name;
        EXPECT_NE(refused.error().where.find("tensor '"), std::string::npos)
            << tensor.name << ": " << describe(refused.error());
      }
    }
  }
}

// No value of any key leads to anything but a model or an error at a place.
TEST(BadModels, any_value_of_any_key_is_read_or_refused) {
  int n_refused = 0;
  for (const std::string& name : testing::golden_names()) {
    for (const testing::Mutant& mutant : testing::mutants_of(name)) {
      const Result<ModelSpec> spec = read(mutant.model);
      if (spec) continue;
      ++n_refused;
      EXPECT_FALSE(spec.error().where.empty()) << mutant.about;
      EXPECT_EQ(describe(spec.error()).find('\n'), std::string::npos) << mutant.about;
    }
  }
  EXPECT_GT(n_refused, 2000);
}

}  // namespace
}  // namespace cistern::spec
