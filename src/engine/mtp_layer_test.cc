// The layer that predicts a further token against its formula in doubles (DeepSeek-AI 2024, section 2.2), for
// a layer of Qwen 3.5: gated attention with QK norm and partial rope, a dense block.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/mtp_drafter.h"
#include "support/mtp_models.h"

namespace cistern::engine {
namespace {

using Row = std::vector<double>;
using Rows = std::vector<Row>;

constexpr std::uint32_t kTokens = 24;

// Weights of the file and the steps of a forward pass.
class Reference {
 public:
  explicit Reference(const file::Inventory& inventory) : inventory_(inventory) {}

  std::span<const float> values(const std::string& name) const {
    const file::TensorInfo* info = inventory_.find(name);
    EXPECT_NE(info, nullptr) << name;
    return {reinterpret_cast<const float*>(info->bytes.data()), info->shape.elements()};
  }
  Row times(const std::string& name, const Row& x) const {
    const std::span<const float> w = values(name);
    Row out(w.size() / x.size());
    for (std::size_t r = 0; r < out.size(); ++r) {
      for (std::size_t c = 0; c < x.size(); ++c) out[r] += double{w[r * x.size() + c]} * x[c];
    }
    return out;
  }
  Row norm(const std::string& name, Row x) const {
    const std::span<const float> w = values(name);
    double squares = 0;
    for (const double v : x) squares += v * v;
    const double scale = 1 / std::sqrt(squares / static_cast<double>(x.size()) + 1e-5);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] *= scale * w[i];
    return x;
  }

 private:
  const file::Inventory& inventory_;
};

Row part(const Row& row, std::size_t first, std::size_t count) {
  return {row.begin() + static_cast<std::ptrdiff_t>(first),
          row.begin() + static_cast<std::ptrdiff_t>(first + count)};
}

void add(Row& x, const Row& y) {
  for (std::size_t i = 0; i < x.size(); ++i) x[i] += y[i];
}

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

void rotate(Row& head, std::size_t dims, double position) {
  for (std::size_t i = 0; i < dims / 2; ++i) {
    const double angle =
        position * std::pow(10000.0, -2.0 * static_cast<double>(i) / static_cast<double>(dims));
    const double a = head[i], b = head[i + dims / 2];
    head[i] = a * std::cos(angle) - b * std::sin(angle);
    head[i + dims / 2] = b * std::cos(angle) + a * std::sin(angle);
  }
}

// Logits after each pair of a token and the hidden state before it.
Rows reference_logits(const Reference& file, const spec::ModelSpec& model,
                      std::span<const std::uint32_t> next, const Rows& hidden) {
  const spec::AttentionSpec& a = *model.mtp->layers[0].attention;
  const std::string blk = "blk." + std::to_string(testing::kMtpLayers) + ".";
  const std::size_t rope_dims = model.ropes[0].dims;
  Rows logits;
  std::vector<Rows> keys, values;  // by position and head
  for (std::size_t t = 0; t < next.size(); ++t) {
    const std::span<const float> table = file.values("token_embd.weight");
    const auto row = table.subspan(next[t] * std::size_t{model.dim}, model.dim);
    Row pair = file.norm(blk + "nextn.enorm.weight", Row(row.begin(), row.end()));
    const Row before = file.norm(blk + "nextn.hnorm.weight", hidden[t]);
    pair.insert(pair.end(), before.begin(), before.end());
    Row x = file.times(blk + "nextn.eh_proj.weight", pair);

    const Row in = file.norm(blk + "attn_norm.weight", x);
    const Row q = file.times(blk + "attn_q.weight", in);
    const Row k = file.times(blk + "attn_k.weight", in), v = file.times(blk + "attn_v.weight", in);
    keys.emplace_back();
    values.emplace_back();
    for (std::size_t h = 0; h < a.n_kv_heads; ++h) {
      keys[t].push_back(file.norm(blk + "attn_k_norm.weight", part(k, h * a.head_dim, a.head_dim)));
      rotate(keys[t].back(), rope_dims, static_cast<double>(t));
      values[t].push_back(part(v, h * a.head_dim, a.head_dim));
    }
    Row attended;
    for (std::size_t h = 0; h < a.n_heads; ++h) {
      Row query = file.norm(blk + "attn_q_norm.weight", part(q, 2 * h * a.head_dim, a.head_dim));
      rotate(query, rope_dims, static_cast<double>(t));
      const std::size_t kv = h / (a.n_heads / a.n_kv_heads);
      Row sum(a.head_dim);
      double total = 0;
      for (std::size_t s = 0; s <= t; ++s) {
        double score = 0;
        for (std::size_t i = 0; i < a.head_dim; ++i) score += query[i] * keys[s][kv][i];
        const double weight = std::exp(score / std::sqrt(static_cast<double>(a.head_dim)));
        total += weight;
        for (std::size_t i = 0; i < a.head_dim; ++i) sum[i] += weight * values[s][kv][i];
      }
      for (std::size_t i = 0; i < a.head_dim; ++i)
        attended.push_back(sum[i] / total * sigmoid(q[(2 * h + 1) * a.head_dim + i]));
    }
    add(x, file.times(blk + "attn_output.weight", attended));

    const Row mid = file.norm(blk + "post_attention_norm.weight", x);
    Row gate = file.times(blk + "ffn_gate.weight", mid);
    const Row up = file.times(blk + "ffn_up.weight", mid);
    for (std::size_t i = 0; i < gate.size(); ++i) gate[i] *= sigmoid(gate[i]) * up[i];
    add(x, file.times(blk + "ffn_down.weight", gate));
    logits.push_back(file.times("output.weight", file.norm("output_norm.weight", x)));
  }
  return logits;
}

// The layer alone, in an arena of its own.
struct Layer {
  explicit Layer(Runtime& runtime)
      : arena(*sys::Buffer::allocate(runtime.plan.mtp->compute.total_bytes)),
        cache(*kv::Cache::create(runtime.plan.mtp->cache)),
        decoder({.model = *runtime.model.mtp,
                 .inventory = runtime.open.inventory(),
                 .store = *runtime.store,
                 .layout = runtime.plan.mtp->compute,
                 .arena = arena.bytes(),
                 .exec = exec_of(runtime)}) {}

  ops::Exec exec_of(Runtime& runtime) {
    const plan::ComputeLayout& layout = runtime.plan.mtp->compute;
    ops::Exec exec = runtime.decoder->exec();
    exec.packed = arena.bytes().subspan(layout.packed, layout.packed_bytes);
    exec.scratch = {reinterpret_cast<float*>(arena.bytes().data() + layout.scratch),
                    layout.scratch_floats_per_thread * static_cast<std::size_t>(layout.threads)};
    exec.scratch_floats_per_thread = layout.scratch_floats_per_thread;
    return exec;
  }

  sys::Buffer arena;
  kv::Cache cache;
  model::Decoder decoder;
};

TEST(MtpLayer, gives_the_logits_of_its_formula) {
  const testing::MtpModel file("qwen35");
  const auto runtime = file.load({.context_tokens = 64, .kv_type = DType::kF32, .threads = 2, .mtp = true});
  ASSERT_TRUE(runtime->mtp);
  std::vector<std::uint32_t> ids;
  for (std::uint32_t i = 0; i <= kTokens; ++i) ids.push_back(i * 37 % 500 + 3);
  ASSERT_TRUE(runtime->sequence->feed(std::span(ids).first(kTokens), {}));
  auto hidden = runtime->decoder->hidden(0, kTokens);
  ASSERT_TRUE(hidden);
  Rows states;
  for (std::uint32_t t = 0; t < kTokens; ++t)
    states.emplace_back(hidden->row(t), hidden->row(t) + runtime->model.dim);
  const auto next = std::span(ids).subspan(1);
  const Rows expected = reference_logits(Reference(runtime->open.inventory()), runtime->model, next, states);

  Layer layer(*runtime);
  std::vector<float> copied(hidden->f32(), hidden->f32() + hidden->shape.elements());
  TensorView before = *hidden;
  before.data = reinterpret_cast<std::byte*>(copied.data());
  const model::SequenceTokens tokens{.ids = next, .cache = &layer.cache, .hidden = before};
  ASSERT_TRUE(layer.decoder.forward({&tokens, 1}));
  double largest = 0;
  for (std::uint32_t t = 0; t < kTokens; ++t) {
    const auto logits = layer.decoder.logits(t, 1);
    ASSERT_TRUE(logits);
    for (std::size_t i = 0; i < logits->size(); ++i)
      largest = std::max(largest, std::abs(double{(*logits)[i]} - expected[t][i]));
  }
  EXPECT_LT(largest, 1e-4);

  // The drafter's first guess is its likeliest token.
  TokenHistory history;
  history.start(ids);
  const auto guesses = runtime->mtp->propose(history, 1);
  ASSERT_TRUE(guesses);
  const Row& last = expected.back();
  EXPECT_EQ((*guesses)[0], std::ranges::max_element(last) - last.begin());
}

Result<spec::ModelSpec> read_spec(const testing::MtpModel& file) {
  const auto files = file::open_model(file.bytes(), "m.gguf");
  EXPECT_TRUE(files) << describe(files.error());
  return spec::read_model_spec(files->inventory);
}

// Guesses are no part of what a model says.
TEST(MtpLayer, is_read_past_where_a_tensor_is_missing) {
  for (const char* tensor :
       {"blk.4.nextn.eh_proj.weight", "blk.4.nextn.hnorm.weight", "blk.4.attn_k.weight"}) {
    testing::MtpModel file("qwen35");
    ASSERT_TRUE(read_spec(file)->mtp);
    *(file.after_name(tensor) - 1) = std::byte{'x'};  // one of no known name
    const auto model = read_spec(file);
    ASSERT_TRUE(model) << tensor << ": " << describe(model.error());
    EXPECT_FALSE(model->mtp) << tensor;
    EXPECT_EQ(model->layers.size(), testing::kMtpLayers);
  }
}

TEST(MtpLayer, is_damaged_where_a_tensor_has_another_shape) {
  for (const char* tensor : {"blk.4.nextn.hnorm.weight", "blk.4.attn_norm.weight"}) {
    testing::MtpModel file("deepseek2");
    *(file.after_name(tensor) + sizeof(std::uint32_t)) = std::byte{32};  // columns, 64
    const auto model = read_spec(file);
    ASSERT_FALSE(model) << tensor;
    EXPECT_EQ(model.error().code, ErrorCode::kFormat);
    EXPECT_NE(model.error().where.find(tensor), std::string::npos) << describe(model.error());
  }
}

// The layer is no part of the plain forward pass, whatever the pattern of the others.
TEST(MtpLayer, has_attention_and_what_the_last_layers_have) {
  for (const char* arch : {"qwen3next", "qwen35moe", "deepseek32", "glm4moe"}) {
    const auto model = read_spec(testing::MtpModel(arch));
    ASSERT_TRUE(model && model->mtp) << arch;
    EXPECT_EQ(model->layers.size(), testing::kMtpLayers);
    const spec::LayerSpec& layer = model->mtp->layers[0];
    EXPECT_TRUE(layer.attention || layer.mla) << arch;
    EXPECT_FALSE(layer.delta_net) << arch;
    EXPECT_TRUE(layer.ffn->moe) << arch;
    if (layer.mla) {
      EXPECT_FALSE(layer.mla->indexer->shared);
    }
    for (const spec::TensorSpec& tensor : model->tensors)
      EXPECT_FALSE(tensor.name.starts_with("blk.4.")) << tensor.name;
  }
}

}  // namespace
}  // namespace cistern::engine
