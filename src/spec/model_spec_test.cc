#include "spec/model_spec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "spec/rope.h"
#include "support/fixtures.h"
#include "support/gguf_writer.h"
#include "support/hostile.h"

namespace cistern::spec {
namespace {

// A one-layer llama with every knob that a test wants to turn.
struct Knobs {
  std::string arch = "llama";
  std::uint32_t dim = 8, heads = 2, kv_heads = 1, hidden = 16, context = 64;
  float eps = 1e-5F;
  bool with_output = true;
};

testing::GgufWriter tiny(const Knobs& k) {
  testing::GgufWriter w;
  w.add("general.architecture", k.arch);
  w.add(k.arch + ".block_count", 1U)
      .add(k.arch + ".embedding_length", k.dim)
      .add(k.arch + ".context_length", k.context);
  w.add(k.arch + ".feed_forward_length", k.hidden).add(k.arch + ".attention.head_count", k.heads);
  w.add(k.arch + ".attention.head_count_kv", k.kv_heads)
      .add(k.arch + ".attention.layer_norm_rms_epsilon", k.eps);
  w.add("tokenizer.ggml.tokens", std::vector<std::string>{"a", "b", "c"});
  const std::uint64_t d = k.dim, kv = d / k.heads * k.kv_heads;
  const auto tensor = [&w](const std::string& name, std::vector<std::uint64_t> dims) {
    std::uint64_t n = 1;
    for (const std::uint64_t dim : dims) n *= dim;
    w.tensor(name, std::move(dims), std::vector<float>(n, 0.5F));
  };
  tensor("token_embd.weight", {d, 3});
  tensor("output_norm.weight", {d});
  if (k.with_output) tensor("output.weight", {d, 3});
  tensor("blk.0.attn_norm.weight", {d});
  tensor("blk.0.attn_q.weight", {d, d});
  tensor("blk.0.attn_k.weight", {d, kv});
  tensor("blk.0.attn_v.weight", {d, kv});
  tensor("blk.0.attn_output.weight", {d, d});
  tensor("blk.0.ffn_norm.weight", {d});
  tensor("blk.0.ffn_gate.weight", {d, k.hidden});
  tensor("blk.0.ffn_up.weight", {d, k.hidden});
  tensor("blk.0.ffn_down.weight", {k.hidden, d});
  return w;
}

struct Read {
  std::vector<std::byte> bytes;
  Result<ModelSpec> model;
};

Read read(const testing::GgufWriter& writer) {
  Read r{writer.build(), fail(ErrorCode::kFormat, "unread")};
  const auto files = file::open_model(r.bytes, "tiny.gguf");
  if (files) {
    r.model = read_model_spec(files->inventory);
  } else {
    r.model = std::unexpected(files.error());
  }
  return r;
}

std::string error_of(const testing::GgufWriter& writer) {
  const Read r = read(writer);
  return r.model ? "no error" : describe(r.model.error());
}

void expect_mentions(const std::string& text, std::string_view part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST(ModelSpec, reads_a_minimal_llama) {
  const Read r = read(tiny({}));
  ASSERT_TRUE(r.model) << describe(r.model.error());
  EXPECT_EQ(r.model->dim, 8U);
  EXPECT_EQ(r.model->n_vocab, 3U);
  ASSERT_EQ(r.model->layers.size(), 1U);
  const AttentionSpec& a = *r.model->layers[0].attention;
  EXPECT_EQ(a.head_dim, 4U);
  EXPECT_FLOAT_EQ(a.scale, 0.5F);
  EXPECT_EQ(r.model->ropes[0].dims, 4U);
  EXPECT_FALSE(r.model->tied_output);
  EXPECT_TRUE(read(tiny({.with_output = false})).model->tied_output);
}

TEST(ModelSpec, an_unknown_architecture_lists_the_known_ones) {
  const std::string error = error_of(tiny({.arch = "mamba"}));
  expect_mentions(error, "'mamba' is not known");
  expect_mentions(error, "gemma2");
  expect_mentions(error, "tiny.gguf");
}

TEST(ModelSpec, counts_of_experts_that_do_not_match_are_named) {
  const auto with = [](std::uint32_t n, std::uint32_t used, std::uint32_t groups) {
    return error_of(tiny({})
                        .add("llama.expert_count", n)
                        .add("llama.expert_used_count", used)
                        .add("llama.expert_group_count", groups));
  };
  expect_mentions(error_of(tiny({}).add("llama.expert_count", 8U)), "llama.expert_used_count");
  expect_mentions(with(8, 9, 1), "only 8 experts");
  expect_mentions(with(8, 2, 3), "llama.expert_group_count");
  expect_mentions(with(8, 2, 2), "'blk.0.ffn_gate_inp.weight'");
}

TEST(ModelSpec, an_unknown_gating_is_named) {
  testing::GgufWriter w = tiny({});
  w.add("llama.expert_count", 8U).add("llama.expert_used_count", 2U).add("llama.expert_gating_func", 77U);
  expect_mentions(error_of(w), "77 is not supported");
}

TEST(ModelSpec, a_tensor_nobody_uses_is_refused_by_name) {
  expect_mentions(error_of(tiny({}).tensor("blk.0.mystery.weight", {8}, std::vector<float>(8))),
                  "'blk.0.mystery.weight'");
}

TEST(ModelSpec, norms_and_biases_must_be_f32) {
  testing::GgufWriter w = tiny({});
  w.tensor({.name = "blk.0.attn_q.bias",
            .dims = {8},
            .ggml_type = testing::kGgmlF16,
            .data = std::vector<std::byte>(16)});
  expect_mentions(error_of(w), "must be F32");
}

TEST(ModelSpec, an_unknown_rope_scaling_is_named) {
  expect_mentions(error_of(tiny({}).add("llama.rope.scaling.type", "spiral")), "'spiral' is not supported");
}

TEST(ModelSpec, heads_must_divide_the_width) {
  expect_mentions(error_of(tiny({.heads = 3})), "embedding_length");
}

TEST(ModelSpec, the_mistral_name_is_llama_with_windows) {
  const Read r = read(tiny({.arch = "mistral"}).add("mistral.attention.sliding_window", 7U));
  ASSERT_TRUE(r.model) << describe(r.model.error());
  EXPECT_EQ(r.model->layers[0].attention->window, 7U);
}

TEST(Rope, plain_frequencies_fall_geometrically) {
  const RopeSpec rope = plain_rope(RopeStyle::kHalfSplit, 8, 10000.0F);
  ASSERT_EQ(rope.inv_freq.size(), 4U);
  EXPECT_FLOAT_EQ(rope.inv_freq[0], 1.0F);
  EXPECT_FLOAT_EQ(rope.inv_freq[1], 0.1F);
  EXPECT_FLOAT_EQ(rope.inv_freq[3], 0.001F);
}

TEST(Rope, linear_scaling_divides_by_old_and_new_keys) {
  for (const char* key : {"llama.rope.scale_linear", "llama.rope.scaling.factor"}) {
    testing::GgufWriter w = tiny({});
    w.add(key, 4.0F);
    if (std::string(key).ends_with("factor")) w.add("llama.rope.scaling.type", "linear");
    const Read r = read(w);
    ASSERT_TRUE(r.model) << describe(r.model.error());
    EXPECT_FLOAT_EQ(r.model->ropes[0].inv_freq[0], 0.25F);
  }
}

TEST(Rope, yarn_keeps_fast_pairs_and_slows_slow_ones) {
  testing::GgufWriter w = tiny({.dim = 128, .heads = 1, .context = 8192});
  w.add("llama.rope.scaling.type", "yarn").add("llama.rope.scaling.factor", 4.0F);
  w.add("llama.rope.scaling.original_context_length", 2048U);
  const Read r = read(w);
  ASSERT_TRUE(r.model) << describe(r.model.error());
  const RopeSpec& rope = r.model->ropes[0];
  EXPECT_FLOAT_EQ(rope.inv_freq.front(), 1.0F);
  EXPECT_FLOAT_EQ(rope.inv_freq.back(),
                  plain_rope(RopeStyle::kInterleaved, 128, 10000.0F).inv_freq.back() / 4);
  EXPECT_FLOAT_EQ(rope.attention_factor, 0.1F * std::log(4.0F) + 1);
}

TEST(Encoders, a_decoder_turned_encoder_sees_both_sides) {
  testing::GgufWriter w = tiny({});
  w.add("llama.attention.causal", false).add("llama.pooling_type", 1U);
  const Read r = read(w);
  ASSERT_TRUE(r.model) << describe(r.model.error());
  EXPECT_FALSE(r.model->causal);
  EXPECT_EQ(r.model->pooling, Pooling::kMean);
  EXPECT_EQ(r.model->layers[0].attention->mask, Mask::kSymmetric);
}

TEST(Encoders, what_is_not_known_is_refused) {
  testing::GgufWriter windows = tiny({.arch = "mistral"});
  windows.add("mistral.attention.causal", false).add("mistral.attention.sliding_window", 8U);
  testing::GgufWriter pooling = tiny({});
  pooling.add("llama.pooling_type", 5U);
  testing::GgufWriter causal = tiny({.arch = "bert"});
  causal.add("bert.attention.causal", true);
  for (const testing::GgufWriter* w : {&windows, &pooling, &causal}) {
    const Read r = read(*w);
    ASSERT_FALSE(r.model);
    EXPECT_EQ(r.model.error().code, ErrorCode::kUnsupported) << describe(r.model.error());
  }
}

// The golden models' own tensors, predicted from their metadata.
TEST(PlanModelSpec, names_the_tensors_that_files_of_the_architecture_have) {
  int checked = 0;
  for (const auto& folder : std::filesystem::directory_iterator(testing::data_dir() / "models")) {
    if (!folder.is_directory()) continue;
    const auto files = file::open_model((folder.path() / "model.gguf").string());
    ASSERT_TRUE(files) << describe(files.error());
    const auto planned = plan_model_spec(files->inventory);
    ASSERT_TRUE(planned) << describe(planned.error());
    for (const TensorSpec& tensor : planned->tensors) {
      const file::TensorInfo* info = files->inventory.find(tensor.name);
      if (info == nullptr) {
        EXPECT_TRUE(tensor.optional) << folder.path() << tensor.name;
      } else {
        EXPECT_EQ(info->shape, tensor.shape) << folder.path() << tensor.name;
      }
    }
    for (const file::TensorInfo& info : files->inventory.tensors()) {
      const bool known = std::ranges::any_of(
          planned->tensors, [&info](const TensorSpec& tensor) { return tensor.name == info.name; });
      EXPECT_TRUE(known) << folder.path() << info.name;
    }
    ++checked;
  }
  EXPECT_GE(checked, 26);
}

TEST(PlanModelSpec, needs_no_tensors) {
  testing::GgufWriter w;
  w.add("general.architecture", "phi3").add("phi3.block_count", 2U).add("phi3.embedding_length", 8U);
  w.add("phi3.context_length", 64U).add("phi3.feed_forward_length", 16U).add("phi3.attention.head_count", 2U);
  w.add("phi3.attention.layer_norm_rms_epsilon", 1e-5F);
  w.add("tokenizer.ggml.tokens", std::vector<std::string>{"a", "b", "c"});
  const std::vector<std::byte> bytes = w.build();
  const auto files = file::open_model(bytes, "empty.gguf");
  ASSERT_TRUE(files) << describe(files.error());
  EXPECT_FALSE(read_model_spec(files->inventory));
  const auto planned = plan_model_spec(files->inventory);
  ASSERT_TRUE(planned) << describe(planned.error());
  const auto qkv = std::ranges::find(planned->tensors, "blk.1.attn_qkv.weight", &TensorSpec::name);
  ASSERT_NE(qkv, planned->tensors.end());
  EXPECT_EQ(qkv->shape, Shape(8, 24));
}

// Of the hostile set: every lie about hyperparameters and shapes must be caught here at the latest.
TEST(Hostile, lies_about_hyperparameters_and_shapes_are_errors_that_name_the_place) {
  int checked = 0;
  for (const testing::HostileCase& c : testing::load_hostile_cases()) {
    const bool ours = c.name.starts_with("hparam-") || c.name.starts_with("missing-llama") ||
                      c.name.starts_with("arch-") || c.name.starts_with("tensor-") ||
                      c.name == "missing-general.architecture";
    if (!ours || c.expect != "error") continue;
    ++checked;
    const auto files = file::open_model(c.bytes, c.name);
    if (!files) continue;
    const auto model = read_model_spec(files->inventory);
    ASSERT_FALSE(model) << c.name << ": " << c.about;
    EXPECT_FALSE(model.error().where.empty()) << c.name;
    EXPECT_EQ(describe(model.error()).find('\n'), std::string::npos);
  }
  EXPECT_GT(checked, 40);
}

TEST(PeerVulnerability, Llamacpp25821_block_count_is_bounded_by_what_the_file_has) {
  for (const std::uint32_t count : {0U, 513U, 4097U, 0xFFFFFFFFU}) {
    testing::GgufWriter bad;
    bad.add("general.architecture", "llama")
        .add("llama.block_count", count)
        .add("llama.embedding_length", 8U);
    bad.add("llama.context_length", 8U).add("llama.attention.layer_norm_rms_epsilon", 1e-5F);
    bad.add("tokenizer.ggml.tokens", std::vector<std::string>{"a"});
    expect_mentions(error_of(bad), "block_count");
  }
}

}  // namespace
}  // namespace cistern::spec
