#include "engine/synthetic/model.h"

#include <gtest/gtest.h>

#include <set>

#include "engine/synthetic/vocabulary.h"
#include "spec/registry.h"
#include "spec/vocab.h"
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

TEST(SyntheticModel, EveryArchitectureIsAccepted) {
  for (const spec::Architecture& architecture : spec::architectures()) {
    const Bytes bytes = written({.shape = tiny(architecture.name), .dtype = DType::kQ4_0});
    const auto files = file::open_model(bytes, "m.gguf");
    ASSERT_TRUE(files) << describe(files.error());
    const auto spec = spec::read_model_spec(files->inventory);
    ASSERT_TRUE(spec) << describe(spec.error());
    EXPECT_EQ(spec->layers.size(), 2U);
    EXPECT_EQ(spec->tied_output, architecture.name.starts_with("gemma"));
    EXPECT_EQ(files->inventory.find("blk.0.attn_qkv.weight") != nullptr, architecture.name == "phi3");
    for (const file::TensorInfo& tensor : files->inventory.tensors()) {
      EXPECT_EQ(tensor.dtype, tensor.shape.rows() == 1 ? DType::kF32 : DType::kQ4_0) << tensor.name;
    }
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
    if (n_vocab >= 5000) EXPECT_LT(ids->size(), text.size());  // words are found
  }
}

}  // namespace
}  // namespace cistern::engine
