// Low-rank adapters against the truth: a model with adapters must give what a model file gives whose weights
// were merged with them, W + scale * B A; the same bits in chunks and on any number of threads; and bad
// adapters are refused by name.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "base/rng.h"
#include "engine/engine.h"
#include "quant/format.h"
#include "spec/adapter.h"
#include "support/fixtures.h"
#include "support/gguf_writer.h"
#include "support/golden.h"
#include "support/temp_dir.h"

namespace cistern {
namespace {

namespace fs = std::filesystem;
using engine::AdapterOptions;
using testing::GgufWriter;

constexpr float kTolerance = 1e-4F;

struct Model {
  explicit Model(const fs::path& path)
      : files(*file::open_model(path.string())), spec(*spec::read_model_spec(files.inventory)) {}
  const file::Inventory& inventory() const { return files.inventory; }
  std::string_view arch() const { return *inventory().metadata.string("general.architecture"); }

  file::ModelFiles files;
  spec::ModelSpec spec;
};

void copy_metadata(const file::Metadata& from, GgufWriter& to) {
  for (const std::string_view key : from.keys()) {
    const file::Value& value = *from.find(key);
    if (value.element == file::ValueType::kString) {
      const std::vector<std::string> strings(value.strings.begin(), value.strings.end());
      value.type == file::ValueType::kArray ? to.add(key, strings) : to.add(key, strings.front());
    } else if (value.type == file::ValueType::kArray) {
      testing::ByteWriter out;
      out.number(static_cast<std::uint32_t>(value.element)).number(value.count).bytes(value.data);
      to.add_raw(key, static_cast<std::uint32_t>(value.type), out.get());
    } else {
      to.add_raw(key, static_cast<std::uint32_t>(value.type), value.data);
    }
  }
}

std::vector<std::uint64_t> dims_of(const Shape& shape) {
  std::vector<std::uint64_t> dims = {shape.cols(), shape.dim(1), shape.dim(2)};
  while (dims.size() > 1 && dims.back() == 1) dims.pop_back();
  return dims;
}

// A matrix or a stack of them, in rows of `cols` values.
struct Values {
  Shape shape;
  std::vector<float> values;

  const float* row(std::uint64_t matrix, std::uint64_t row) const {
    const std::uint64_t m = shape.dim(2) == 1 ? 0 : matrix;
    return values.data() + (m * shape.dim(1) + row) * shape.cols();
  }
};

Values random_values(Rng& rng, const Shape& shape, double size) {
  Values result{shape, std::vector<float>(shape.elements())};
  for (float& value : result.values) {
    const double uniform = static_cast<double>(rng.next() >> 11U) * 0x1p-53;
    value = static_cast<float>((2 * uniform - 1) * size);
  }
  return result;
}

Values values_of(const file::TensorInfo& info) {
  Values result{info.shape, std::vector<float>(info.shape.elements())};
  quant::format_of(info.dtype).dequantize(info.bytes.data(), result.values.data(), result.values.size());
  return result;
}

struct Pair {
  Values a, b;
  bool lookup = false;
};

// An adapter made of random pairs.
struct TestAdapter {
  std::map<std::string, Pair> pairs;
  float alpha = 0;
  float scale = 1;

  float scale_of(const Pair& pair) const {
    return alpha == 0 ? scale : scale * alpha / static_cast<float>(pair.b.shape.cols());
  }
  // W += scale * B A.
  void merge_into(const std::string& name, Values& w) const {
    const auto found = pairs.find(name);
    if (found == pairs.end()) return;
    const auto& [a, b, lookup] = found->second;
    const std::uint64_t rank = b.shape.cols();
    for (std::uint64_t m = 0; m < w.shape.dim(2); ++m) {
      for (std::uint64_t r = 0; r < w.shape.dim(1); ++r) {
        for (std::uint64_t c = 0; c < w.shape.cols(); ++c) {
          double sum = 0;
          for (std::uint64_t k = 0; k < rank; ++k) {
            sum += lookup ? double{a.row(0, r)[k]} * b.row(0, c)[k] : double{b.row(m, r)[k]} * a.row(m, k)[c];
          }
          float& value = w.values[(m * w.shape.dim(1) + r) * w.shape.cols() + c];
          value = static_cast<float>(value + double{scale_of(found->second)} * sum);
        }
      }
    }
  }
};

bool is_head_stack(const spec::TensorSpec& tensor) {
  return spec::adapter_use(tensor.role) == spec::AdapterUse::kHeads && tensor.shape.dim(2) > 1;
}

// Of every tensor that can have one, about as strong as the weight itself.
TestAdapter random_adapter(const Model& model, std::uint64_t seed, std::uint64_t rank, float alpha) {
  TestAdapter adapter{.alpha = alpha};
  Rng rng(seed);
  for (const spec::TensorSpec& tensor : model.spec.tensors) {
    const spec::AdapterUse use = spec::adapter_use(tensor.role);
    if (use == spec::AdapterUse::kNone || model.inventory().find(tensor.name) == nullptr) continue;
    // Its merged file would have another head too.
    const bool is_head = model.spec.tied_output && model.spec.causal;
    if (tensor.role == spec::Role::kTokenEmbedding && is_head) continue;
    const Shape& base = tensor.shape;
    const bool lookup = use == spec::AdapterUse::kLookup;
    Shape a(base.cols(), rank, base.dim(2)), b(rank, base.dim(1), base.dim(2));
    if (lookup) a = Shape(rank, base.dim(1)), b = Shape(rank, base.cols());
    // One side of a stack of heads is shared where the converter splits a matrix into heads.
    if (is_head_stack(tensor) && tensor.role == spec::Role::kWkB) b = Shape(rank, base.dim(1));
    if (is_head_stack(tensor) && tensor.role == spec::Role::kWvB) a = Shape(base.cols(), rank);
    adapter.pairs[tensor.name] = {.a = random_values(rng, a, 1 / std::sqrt(static_cast<double>(base.cols()))),
                                  .b = random_values(rng, b, 0.15),
                                  .lookup = lookup};
  }
  return adapter;
}

GgufWriter adapter_head(const Model& model) {
  GgufWriter writer;
  writer.add("general.architecture", model.arch()).add("general.type", "adapter").add("adapter.type", "lora");
  return writer;
}

std::vector<std::byte> adapter_file(const Model& model, const TestAdapter& adapter) {
  GgufWriter writer = adapter_head(model);
  if (adapter.alpha != 0) writer.add("adapter.lora.alpha", adapter.alpha);
  for (const auto& [name, pair] : adapter.pairs) {
    writer.tensor(name + ".lora_a", dims_of(pair.a.shape), pair.a.values);
    writer.tensor(name + ".lora_b", dims_of(pair.b.shape), pair.b.values);
  }
  return writer.build();
}

// The model in floats, merged with some adapters.
std::vector<std::byte> merged_file(const Model& model, const std::vector<TestAdapter>& adapters) {
  GgufWriter writer;
  copy_metadata(model.inventory().metadata, writer);
  for (const file::TensorInfo& info : model.inventory().tensors()) {
    const std::string name(info.name);
    if (quant::format_of(info.dtype).dequantize == nullptr) {
      const std::vector<std::byte> data(info.bytes.begin(), info.bytes.end());
      writer.tensor({.name = name,
                     .dims = dims_of(info.shape),
                     .ggml_type = quant::format_of(info.dtype).ggml_type,
                     .data = data});
      continue;
    }
    Values values = values_of(info);
    for (const TestAdapter& adapter : adapters) adapter.merge_into(name, values);
    writer.tensor(name, dims_of(info.shape), values.values);
  }
  return writer.build();
}

struct Setting {
  int threads = 1;
  std::uint32_t chunk = 0;
  std::vector<AdapterOptions> adapters = {};
};

Result<std::unique_ptr<engine::Engine>> load(const fs::path& path, const Setting& setting) {
  CISTERN_TRY(engine::OpenModel open, engine::open_model({.model = path.string()}));
  return engine::Engine::load(
      std::move(open), {.kv_type = DType::kF32, .threads = setting.threads, .adapters = setting.adapters});
}

std::vector<text::TokenId> some_ids(const engine::Engine& engine) {
  const std::uint32_t n = std::min<std::uint32_t>(24, engine.context_tokens());
  std::vector<text::TokenId> ids;
  for (std::uint32_t i = 0; i < n; ++i) ids.push_back((31 + i * 37) % engine.spec().n_vocab);
  return ids;
}

std::vector<float> logits(const fs::path& path, const Setting& setting) {
  auto engine = load(path, setting);
  EXPECT_TRUE(engine) << describe(engine.error());
  if (!engine) return {};
  std::vector<float> all;
  const auto ran = (*engine)->logits(some_ids(**engine), setting.chunk, [&](std::span<const float> row) {
    all.insert(all.end(), row.begin(), row.end());
  });
  EXPECT_TRUE(ran) << describe(ran.error());
  return all;
}

// Two adapters of every tensor, of different ranks and scales.
void check_model(const fs::path& path) {
  const testing::TempDir dir;
  const Model model(path);
  TestAdapter first = random_adapter(model, 1, 4, 8.0F);
  TestAdapter second = random_adapter(model, 2, 3, 0.0F);
  first.scale = 0.5F;
  second.scale = -0.75F;
  const fs::path base = dir.write("base.gguf", merged_file(model, {}));
  const fs::path merged = dir.write("merged.gguf", merged_file(model, {first, second}));
  const std::vector<AdapterOptions> both = {
      {dir.write("first.gguf", adapter_file(model, first)).string(), first.scale},
      {dir.write("second.gguf", adapter_file(model, second)).string(), second.scale}};

  const std::vector<float> adapted = logits(base, {.adapters = both});
  const std::vector<float> plain = logits(base, {});
  const std::vector<float> expected = logits(merged, {});
  const float difference = testing::largest_difference(adapted, expected);
  std::cout << "adapter " << path.parent_path().filename().string() << ": " << first.pairs.size()
            << " tensors change logits by " << testing::largest_difference(plain, expected) << ", off by "
            << difference << "\n";
  EXPECT_LE(difference, kTolerance);
  EXPECT_GE(testing::largest_difference(plain, expected), 100 * kTolerance);

  for (const int threads : {1, 3}) {
    for (const std::uint32_t chunk : {1U, 7U, 0U}) {
      EXPECT_TRUE(
          testing::same_bits(adapted, logits(base, {.threads = threads, .chunk = chunk, .adapters = both})))
          << threads << " threads, chunks of " << chunk;
    }
  }
  std::vector<AdapterOptions> silent = both;
  for (AdapterOptions& adapter : silent) adapter.scale = 0;
  EXPECT_TRUE(testing::same_bits(plain, logits(base, {.adapters = silent})));
}

class Adapters : public ::testing::Test {
 protected:
  static fs::path model_path() { return testing::data_dir() / "models/llama/model.gguf"; }

  fs::path write(GgufWriter& writer) const { return dir_.write("adapter.gguf", writer.build()); }
  // What loading with this adapter says.
  std::string refusal(const fs::path& adapter, ErrorCode code) const {
    const auto engine = load(model_path(), {.adapters = {{adapter.string(), 1.0F}}});
    EXPECT_FALSE(engine);
    if (engine) return {};
    EXPECT_EQ(engine.error().code, code) << describe(engine.error());
    EXPECT_NE(describe(engine.error()).find("adapter.gguf"), std::string::npos);
    return describe(engine.error());
  }
  void expect_refusal(GgufWriter writer, ErrorCode code, const std::vector<std::string>& parts) const {
    const std::string message = refusal(write(writer), code);
    for (const std::string& part : parts) EXPECT_NE(message.find(part), std::string::npos) << message;
  }

  testing::TempDir dir_;
  Model model_{model_path()};
};

TEST_F(Adapters, give_what_merged_weights_give) {
  check_model(model_path());
}

TEST_F(Adapters, of_other_models_give_what_merged_weights_give) {
  const auto fixtures = testing::require_shared_fixtures();
  if (!fixtures) GTEST_SKIP() << testing::kNoSharedFixtures;
  for (const fs::path& folder : testing::folders_with("logits.f32", *fixtures / "models")) {
    SCOPED_TRACE(folder.filename().string());
    check_model(folder / "model.gguf");
  }
}

TEST_F(Adapters, change_what_a_table_says_of_a_token) {
  // The model with a head of its own, for a tied one has it in the table.
  Model& model = model_;
  GgufWriter untied;
  copy_metadata(model.inventory().metadata, untied);
  const auto add = [](GgufWriter& writer, const std::string& name, const Values& values) {
    writer.tensor(name, dims_of(values.shape), values.values);
  };
  Rng rng(3);
  const Values table = values_of(*model.inventory().find("token_embd.weight"));
  TestAdapter adapter{.alpha = 6};
  adapter.pairs["token_embd.weight"] = {.a = random_values(rng, Shape(3, table.shape.dim(1)), 0.5),
                                        .b = random_values(rng, Shape(3, table.shape.cols()), 0.5),
                                        .lookup = true};
  Values merged_table = table;
  adapter.merge_into("token_embd.weight", merged_table);
  GgufWriter merged = untied;
  for (const file::TensorInfo& info : model.inventory().tensors()) {
    const std::string name(info.name);
    if (name == "output.weight") continue;
    add(untied, name, values_of(info));
    add(merged, name, name == "token_embd.weight" ? merged_table : values_of(info));
  }
  add(untied, "output.weight", table);
  add(merged, "output.weight", table);
  const fs::path base = dir_.write("base.gguf", untied.build());
  const AdapterOptions option{dir_.write("adapter.gguf", adapter_file(model, adapter)).string()};
  const std::vector<float> expected = logits(dir_.write("merged.gguf", merged.build()), {});
  EXPECT_LE(testing::largest_difference(logits(base, {.adapters = {option}}), expected), kTolerance);
  EXPECT_GE(testing::largest_difference(logits(base, {}), expected), 100 * kTolerance);
}

TEST_F(Adapters, are_part_of_the_plan) {
  const TestAdapter adapter = random_adapter(model_, 1, 8, 8.0F);
  const fs::path path = dir_.write("adapter.gguf", adapter_file(model_, adapter));
  const auto plain = load(model_path(), {});
  const auto adapted = load(model_path(), {.adapters = {{path.string(), 1.0F}}});
  ASSERT_TRUE(plain && adapted);
  std::uint64_t bytes = 0;
  for (const auto& [name, pair] : adapter.pairs)
    bytes += (pair.a.values.size() + pair.b.values.size()) * sizeof(float);
  EXPECT_EQ((*adapted)->plan().adapter_bytes, bytes);
  EXPECT_EQ((*adapted)->plan().weights_bytes, (*plain)->plan().weights_bytes + bytes);
  EXPECT_GT((*adapted)->plan().buffer_bytes, (*plain)->plan().buffer_bytes);
  EXPECT_NE(plan::describe((*adapted)->plan()).find("adapters"), std::string::npos);
}

TEST_F(Adapters, of_smaller_types_are_read) {
  // Ones and halves, which all of these types have exactly.
  const std::uint64_t dim = model_.spec.dim;
  constexpr std::uint64_t kRank = 32;
  ASSERT_EQ(dim % 32, 0U);
  struct Type {
    std::uint32_t ggml_type;
    std::vector<std::byte> one, half;  // of a block
  };
  const auto block = [](auto scale, int code) {
    testing::ByteWriter out;
    out.number(scale);
    for (int i = 0; code != 0 && i < 32; ++i) out.number(static_cast<std::int8_t>(code));
    return out.get();
  };
  constexpr std::uint32_t kGgmlBf16 = 30;
  constexpr std::uint16_t kOne = 0x3C00, kHalf = 0x3800, kSixtyFourth = 0x2400;  // F16
  const std::vector<Type> types = {
      {testing::kGgmlF32, block(1.0F, 0), block(0.5F, 0)},
      {testing::kGgmlF16, block(kOne, 0), block(kHalf, 0)},
      {kGgmlBf16, block(std::uint16_t{0x3F80}, 0), block(std::uint16_t{0x3F00}, 0)},
      {testing::kGgmlQ8_0, block(kSixtyFourth, 64), block(kSixtyFourth, 32)}};
  std::vector<std::vector<float>> results;
  for (const Type& type : types) {
    const auto fill = [&](const std::vector<std::byte>& unit) {
      const std::uint64_t values = type.ggml_type == testing::kGgmlQ8_0 ? 32 : 1;
      testing::ByteWriter out;
      for (std::uint64_t i = 0; i < dim * kRank / values; ++i) out.bytes(unit);
      return out.get();
    };
    GgufWriter writer = adapter_head(model_);
    writer.tensor({.name = "blk.0.attn_v.weight.lora_a",
                   .dims = {dim, kRank},
                   .ggml_type = type.ggml_type,
                   .data = fill(type.one)});
    writer.tensor({.name = "blk.0.attn_v.weight.lora_b",
                   .dims = {kRank, dim},
                   .ggml_type = type.ggml_type,
                   .data = fill(type.half)});
    results.push_back(logits(model_path(), {.adapters = {{write(writer).string(), 0.001F}}}));
  }
  // Activations are rounded as for weights of the type, so only nearly the same.
  const float effect = testing::largest_difference(results.front(), logits(model_path(), {}));
  EXPECT_GT(effect, 0.01F);
  for (const std::vector<float>& result : results)
    EXPECT_LE(testing::largest_difference(result, results.front()), effect / 50);
}

TEST_F(Adapters, of_an_encoder_change_its_vectors) {
  const Model model(testing::data_dir() / "models/bert-mean/model.gguf");
  TestAdapter adapter = random_adapter(model, 5, 4, 4.0F);
  EXPECT_TRUE(adapter.pairs.contains("token_embd.weight"));
  const fs::path base = dir_.write("base.gguf", merged_file(model, {}));
  const fs::path merged = dir_.write("merged.gguf", merged_file(model, {adapter}));
  const AdapterOptions option{dir_.write("adapter.gguf", adapter_file(model, adapter)).string()};
  const auto vector = [](const fs::path& path, std::vector<AdapterOptions> adapters) {
    auto engine = load(path, {.adapters = std::move(adapters)});
    EXPECT_TRUE(engine) << describe(engine.error());
    const auto result = (*engine)->embed(some_ids(**engine));
    EXPECT_TRUE(result) << describe(result.error());
    return *result;
  };
  EXPECT_LE(testing::largest_difference(vector(base, {option}), vector(merged, {})), kTolerance);
  EXPECT_GE(testing::largest_difference(vector(base, {option}), vector(base, {})), 100 * kTolerance);
}

TEST_F(Adapters, of_other_kinds_are_refused) {
  expect_refusal(std::move(GgufWriter().add("general.architecture", "llama")), ErrorCode::kFormat,
                 {"is no adapter", "general.type"});
  expect_refusal(std::move(GgufWriter()
                               .add("general.architecture", "llama")
                               .add("general.type", "adapter")
                               .add("adapter.type", "control_vector")),
                 ErrorCode::kUnsupported, {"adapter.type", "control_vector"});
  expect_refusal(std::move(GgufWriter()
                               .add("general.architecture", "qwen3")
                               .add("general.type", "adapter")
                               .add("adapter.type", "lora")),
                 ErrorCode::kFormat, {"'qwen3'", "'llama'"});
  expect_refusal(
      std::move(adapter_head(model_).add("adapter.alora.invocation_tokens", std::vector<std::uint32_t>{1})),
      ErrorCode::kUnsupported, {"adapter.alora.invocation_tokens"});
  expect_refusal(std::move(adapter_head(model_).add("adapter.lora.prompt_prefix", "query: ")),
                 ErrorCode::kUnsupported, {"adapter.lora.prompt_prefix"});
  expect_refusal(std::move(adapter_head(model_).add("adapter.lora.alpha", NAN)), ErrorCode::kFormat,
                 {"adapter.lora.alpha", "finite"});
  expect_refusal(adapter_head(model_), ErrorCode::kFormat, {"no tensors"});
}

TEST_F(Adapters, with_wrong_tensors_are_refused) {
  const std::uint64_t dim = model_.spec.dim;
  const std::string q = "blk.0.attn_q.weight";
  const auto floats = [](std::uint64_t n) { return std::vector<float>(n, 0.1F); };
  const auto pair = [&](const std::string& name, std::vector<std::uint64_t> a, std::vector<std::uint64_t> b) {
    GgufWriter writer = adapter_head(model_);
    writer.tensor(name + ".lora_a", a, floats(a[0] * a[1]));
    writer.tensor(name + ".lora_b", b, floats(b[0] * b[1]));
    return writer;
  };
  expect_refusal(std::move(adapter_head(model_).tensor(q + ".lora_a", {dim, 2}, floats(2 * dim))),
                 ErrorCode::kFormat, {q, "no lora_b"});
  expect_refusal(std::move(adapter_head(model_).tensor(q + ".lora_b", {2, dim}, floats(2 * dim))),
                 ErrorCode::kFormat, {q, "no lora_a"});
  expect_refusal(pair(q, {dim + 1, 2}, {2, dim}), ErrorCode::kFormat, {q + ".lora_a", "shape"});
  expect_refusal(pair(q, {dim, 2}, {2, dim + 1}), ErrorCode::kFormat, {q + ".lora_b", "shape"});
  expect_refusal(pair(q, {dim, 2}, {3, dim}), ErrorCode::kFormat, {q + ".lora_a", "rank 3"});
  expect_refusal(pair(q, {dim, 20000}, {20000, dim}), ErrorCode::kFormat, {q, "rank 20000"});
  expect_refusal(pair("blk.77.attn_q.weight", {dim, 2}, {2, dim}), ErrorCode::kUnsupported,
                 {"blk.77.attn_q.weight", "no such tensor"});
  expect_refusal(pair("output_norm.weight", {dim, 2}, {2, 1}), ErrorCode::kUnsupported,
                 {"output_norm.weight", "no matrix"});
  expect_refusal(std::move(adapter_head(model_).tensor("output_norm.weight", {dim}, floats(dim))),
                 ErrorCode::kUnsupported, {"output_norm.weight", "whole tensors"});
}

TEST_F(Adapters, that_are_missing_or_no_numbers_are_refused) {
  const auto missing = load(model_path(), {.adapters = {{(dir_.path() / "none.gguf").string(), 1.0F}}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  const auto nan = load(model_path(), {.adapters = {{model_path().string(), NAN}}});
  ASSERT_FALSE(nan);
  EXPECT_EQ(nan.error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace cistern
