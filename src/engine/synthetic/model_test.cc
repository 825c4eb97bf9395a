#include "engine/synthetic/model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/engine.h"
#include "engine/synthetic/vocabulary.h"
#include "spec/registry.h"
#include "spec/vocab.h"
#include "support/temp_dir.h"
#include "text/tokenizer.h"

namespace cistern::engine {
namespace {

using Bytes = std::vector<std::byte>;

Bytes written(const SyntheticModel& model) {
  Bytes out;
  auto writer = SyntheticModelWriter::create(model);
  EXPECT_TRUE(writer) << describe(writer.error());
  if (!writer) return out;
  const auto done = writer->write([&out](std::span<const std::byte> piece) -> Result<void> {
    out.insert(out.end(), piece.begin(), piece.end());
    return {};
  });
  EXPECT_TRUE(done);
  EXPECT_EQ(out.size(), writer->file_bytes());
  return out;
}

ModelShape tiny(std::string_view arch = "llama") {
  ModelShape shape = *find_shape("tiny");
  set_architecture(shape, arch);
  return shape;
}

// Small, with layers for every pattern of kinds, and few experts.
ModelShape small(std::string_view arch) {
  ModelShape shape = tiny(arch);
  shape.layers = 8;
  shape.dim = 64;
  shape.ffn = 128;
  shape.head_dim = 32;
  shape.context_tokens = 256;
  if (completed(shape).experts == 0) return shape;
  shape.experts = 16;
  shape.experts_used = 2;
  shape.expert_ffn = 32;
  return shape;
}

// What comes out after a few tokens: logits, or the vector of an encoder.
std::vector<float> outputs(const Bytes& bytes) {
  const testing::TempDir dir;
  auto open = open_model({.model = dir.write("m.gguf", bytes).string()});
  EXPECT_TRUE(open) << describe(open.error());
  auto engine = Engine::load(std::move(*open), {.threads = 1});
  EXPECT_TRUE(engine) << describe(engine.error());
  const std::vector<text::TokenId> ids = {1, 300, 7, 511, 42, 260, 400, 9};
  if (!(*engine)->spec().causal) {
    const auto vector = (*engine)->embed(ids);
    EXPECT_TRUE(vector) << describe(vector.error());
    return vector ? *vector : std::vector<float>();
  }
  std::vector<float> all;
  const auto done = (*engine)->logits(
      ids, 0, [&all](std::span<const float> row) { all.insert(all.end(), row.begin(), row.end()); });
  EXPECT_TRUE(done) << describe(done.error());
  return all;
}

TEST(SyntheticModel, EveryArchitectureRuns) {
  for (const spec::Architecture& architecture : spec::architectures()) {
    SCOPED_TRACE(architecture.name);
    const ModelShape shape = small(architecture.name);
    const Bytes bytes = written({.shape = shape, .dtype = DType::kQ4_0});
    ASSERT_FALSE(bytes.empty());
    const auto files = file::open_model(bytes, "m.gguf");
    ASSERT_TRUE(files) << describe(files.error());
    const auto spec = spec::read_model_spec(files->inventory);
    ASSERT_TRUE(spec) << describe(spec.error());
    EXPECT_EQ(spec->layers.size(), 8U);
    if (spec->causal) {
      EXPECT_EQ(spec->tied_output, shape.tied);
    }
    const auto is_moe = [](const spec::LayerSpec& layer) { return layer.ffn && layer.ffn->moe; };
    EXPECT_EQ(std::ranges::any_of(spec->layers, is_moe), shape.experts > 0);
    for (const spec::TensorSpec& tensor : spec->tensors) {
      const file::TensorInfo* info = files->inventory.find(tensor.name);
      if (info == nullptr || tensor.shape.rows() > 1) continue;
      EXPECT_EQ(info->dtype, DType::kF32) << tensor.name;
    }
    double squares = 0;
    const std::vector<float> values = outputs(bytes);
    for (const float x : values) squares += double{x} * x;  // not finite if one of them is not
    const double deviation = std::sqrt(squares / static_cast<double>(values.size()));
    EXPECT_GT(deviation, spec->causal ? 0.5 : 0.01);
    EXPECT_LT(deviation, 2);
  }
}

// Heads of 128 values: the keys' half of latent attention cannot have the type's blocks.
TEST(SyntheticModel, NarrowMatricesHaveAnotherType) {
  ModelShape shape = tiny("deepseek2");
  shape.head_dim = 128;
  shape.experts = 4;
  shape.experts_used = 2;
  const Bytes bytes = written({.shape = shape, .dtype = DType::kQ4_K});
  const auto files = file::open_model(bytes, "m.gguf");
  ASSERT_TRUE(files) << describe(files.error());
  EXPECT_EQ(files->inventory.find("blk.1.attn_k_b.weight")->dtype, DType::kQ8_0);
  EXPECT_EQ(files->inventory.find("blk.1.attn_v_b.weight")->dtype, DType::kQ4_K);
  EXPECT_EQ(files->inventory.find("blk.1.ffn_down_exps.weight")->dtype, DType::kQ4_K);
  EXPECT_EQ(files->inventory.find("blk.1.ffn_gate_inp.weight")->dtype, DType::kF32);
}

TEST(SyntheticModel, RefusesExpertsWhereThereAreNone) {
  ModelShape shape = tiny("qwen2");
  shape.experts = 4;
  shape.experts_used = 2;
  const auto refused = SyntheticModelWriter::create({.shape = shape, .dtype = DType::kF16});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
  EXPECT_TRUE(describe(refused.error()).starts_with("--experts"));
}

TEST(SyntheticModel, HasALayerThatPredictsATokenWhereOneIsKnown) {
  for (const spec::Architecture& architecture : spec::architectures()) {
    SCOPED_TRACE(architecture.name);
    ModelShape shape = small(architecture.name);
    shape.mtp = true;
    if (architecture.mtp == spec::Mtp::kUnknown) {
      const auto refused = SyntheticModelWriter::create({.shape = shape, .dtype = DType::kF16});
      ASSERT_FALSE(refused);
      EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
      EXPECT_TRUE(describe(refused.error()).starts_with("--mtp"));
      continue;
    }
    const Bytes bytes = written({.shape = shape, .dtype = DType::kQ8_0});
    const auto files = file::open_model(bytes, "m.gguf");
    const auto spec = spec::read_model_spec(files->inventory);
    ASSERT_TRUE(spec) << describe(spec.error());
    ASSERT_TRUE(spec->mtp);
    EXPECT_EQ(spec->layers.size(), 8U);
    EXPECT_EQ(files->inventory.find("blk.8.nextn.eh_proj.weight")->dtype, DType::kQ8_0);
    EXPECT_EQ(files->inventory.find("blk.8.nextn.embed_tokens.weight"), nullptr);
  }
}

TEST(SyntheticModel, EveryWeightTypeIsWritten) {
  int n_types = 0;
  for (const quant::Format& format : quant::all_formats()) {
    EXPECT_EQ(is_weight_type(format.dtype), format.dequantize != nullptr) << format.name;
    if (!is_weight_type(format.dtype)) continue;
    ++n_types;
    const Bytes bytes = written({.shape = tiny(), .dtype = format.dtype});
    const auto files = file::open_model(bytes, "m.gguf");
    ASSERT_TRUE(files) << format.name;
    EXPECT_TRUE(spec::read_model_spec(files->inventory)) << format.name;
    EXPECT_EQ(files->inventory.find("output.weight")->dtype, format.dtype);
  }
  EXPECT_EQ(n_types, 28);
}

TEST(SyntheticModel, TheSameModelGivesTheSameBytes) {
  const SyntheticModel model{.shape = tiny("qwen2"), .dtype = DType::kQ5_0, .seed = 4};
  EXPECT_EQ(written(model), written(model));
  SyntheticModel other = model;
  other.seed = 5;
  EXPECT_NE(written(model), written(other));
}

TEST(SyntheticModel, TypesEncodeTheSameFloats) {
  const Bytes exact = written({.shape = tiny(), .dtype = DType::kF32});
  const Bytes coded = written({.shape = tiny(), .dtype = DType::kQ8_0});
  const auto exact_files = file::open_model(exact, "f32.gguf");
  const auto coded_files = file::open_model(coded, "q8_0.gguf");
  for (const file::TensorInfo& tensor : exact_files->inventory.tensors()) {
    const file::TensorInfo& other = *coded_files->inventory.find(tensor.name);
    std::vector<float> a(tensor.shape.elements()), b(a.size());
    quant::format_of(tensor.dtype).dequantize(tensor.bytes.data(), a.data(), a.size());
    quant::format_of(other.dtype).dequantize(other.bytes.data(), b.data(), b.size());
    float largest = 0;
    for (const float value : a) largest = std::max(largest, std::abs(value));
    for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], largest / 127) << tensor.name;
  }
}

TEST(SyntheticModel, RefusesBrokenBlocksByName) {
  ModelShape shape = tiny();
  shape.ffn = 480;  // a multiple of 32
  EXPECT_TRUE(SyntheticModelWriter::create({.shape = shape, .dtype = DType::kQ8_0}));
  const auto refused = SyntheticModelWriter::create({.shape = shape, .dtype = DType::kQ4_K});
  ASSERT_FALSE(refused);
  const std::string message = describe(refused.error());
  for (const char* part : {"blk.0.ffn_down.weight", "480", "Q4_K", "256"}) {
    EXPECT_NE(message.find(part), std::string::npos) << message;
  }
}

TEST(SyntheticModel, RefusesWhatIsNoWeightType) {
  for (const DType dtype : {DType::kF64, DType::kI32}) {
    const auto refused = SyntheticModelWriter::create({.shape = tiny(), .dtype = dtype});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
  }
}

TEST(SyntheticModel, AnErrorOfTheSinkEndsTheWriting) {
  auto writer = SyntheticModelWriter::create({.shape = tiny(), .dtype = DType::kF16});
  ASSERT_TRUE(writer);
  int calls = 0;
  const auto done = writer->write([&calls](std::span<const std::byte>) -> Result<void> {
    if (++calls == 5) return fail(ErrorCode::kIo, "full");
    return {};
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "full");
  EXPECT_EQ(calls, 5);
}

TEST(SyntheticVocabulary, TokenizesAnyText) {
  for (const std::uint32_t n_vocab : {kMinVocabulary, 300U, 5000U, 262144U}) {
    ModelShape shape = tiny();
    shape.vocab = n_vocab;
    shape.dim = 2;
    shape.heads = shape.kv_heads = 1;
    const Bytes bytes = written({.shape = shape, .dtype = DType::kF16});
    const auto files = file::open_model(bytes, "m.gguf");
    ASSERT_TRUE(files);
    auto vocab = spec::read_vocab(files->inventory.metadata);
    ASSERT_TRUE(vocab) << describe(vocab.error());
    EXPECT_EQ(vocab->tokens.size(), n_vocab);
    EXPECT_EQ(std::set<std::string_view>(vocab->tokens.begin(), vocab->tokens.end()).size(), n_vocab);
    const auto tokenizer = text::Tokenizer::create(*std::move(vocab));
    ASSERT_TRUE(tokenizer) << describe(tokenizer.error());
    std::string text = "Hello  world, <|x|> \xC3\xA9\xE2\x82\xAC\xF0\x9F\x90\x88\n\tbanana";
    for (char c = 1; c > 0 && c < 127; ++c) text += c;
    const auto ids = (*tokenizer)->encode(text, false);
    ASSERT_TRUE(ids) << describe(ids.error());
    EXPECT_EQ((*tokenizer)->decode(*ids), text) << n_vocab;
    if (n_vocab < 5000) continue;
    EXPECT_LT(ids->size(), text.size());  // words are found
  }
}

}  // namespace
}  // namespace cistern::engine
