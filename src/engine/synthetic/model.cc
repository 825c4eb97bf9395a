#include "engine/synthetic/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "engine/synthetic/random_codes.h"
#include "engine/synthetic/vocabulary.h"
#include "file/inventory.h"

namespace cistern::engine {
namespace {

using spec::Role;

// Of norms around 1 and of biases around 0: enough that leaving one out is seen.
constexpr float kVectorDeviation = 0.1F;

constexpr std::size_t kBufferBytes = std::size_t{4} << 20U;

// FNV-1a: tensors draw from sequences of their own, whatever else is in the file.
std::uint64_t seed_of(std::uint64_t seed, std::string_view name) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  return seed ^ hash;
}

void add_metadata(file::GgufWriter& gguf, const SyntheticModel& model) {
  const ModelShape& shape = model.shape;
  const auto key = [&](std::string_view suffix) { return fmt::format("{}.{}", shape.arch, suffix); };
  gguf.add("general.architecture", shape.arch);
  gguf.add("general.name", fmt::format("random {} {}", shape.name, quant::format_of(model.dtype).name));
  gguf.add("general.description", fmt::format("random weights of seed {}", model.seed));
  gguf.add("general.quantization_version", std::uint32_t{2});
  gguf.add(key("block_count"), shape.layers);
  gguf.add(key("context_length"), shape.context_tokens);
  gguf.add(key("embedding_length"), shape.dim);
  gguf.add(key("feed_forward_length"), shape.ffn);
  gguf.add(key("attention.head_count"), shape.heads);
  gguf.add(key("attention.head_count_kv"), shape.kv_heads);
  gguf.add(key("attention.key_length"), shape.head_dim);
  gguf.add(key("attention.value_length"), shape.head_dim);
  gguf.add(key("attention.layer_norm_rms_epsilon"), 1e-5F);
  if (shape.window > 0) gguf.add(key("attention.sliding_window"), shape.window);
  gguf.add(key("rope.dimension_count"), shape.head_dim);
  gguf.add(key("rope.freq_base"), shape.rope_base);
  gguf.add(key("vocab_size"), shape.vocab);
  add_vocabulary(gguf, shape.vocab);
}

// What the architecture has in a file of this metadata.
Result<spec::ModelSpec> spec_of(const file::GgufWriter& gguf) {
  const std::vector<std::byte> header = gguf.header();
  CISTERN_TRY(const file::ModelFiles files, file::open_model(header, "the new model"));
  return spec::plan_model_spec(files.inventory);
}

bool is_vector(const spec::TensorSpec& tensor) {
  return tensor.shape.rows() == 1;
}

// Of the optional tensors only an output head is made.
bool is_wanted(const spec::TensorSpec& tensor, const ModelShape& shape) {
  return tensor.role == Role::kOutput ? !shape.tied : !tensor.optional;
}

// Where a tensor stands in the file: the order in which a step reads them, in a layer that of the roles.
int place_of(const spec::TensorSpec& tensor, const ModelShape& shape) {
  if (tensor.layer != spec::kNoLayer) return tensor.layer;
  const bool is_last = tensor.role == Role::kOutput || tensor.role == Role::kOutputNorm;
  return is_last ? static_cast<int>(shape.layers) : -1;
}

// A product with 1/sqrt(columns) keeps the size of its input. What is added to the residual stream is divided
// by the number of additions, as GPT-2 began (Radford et al. 2019), so that no layer drowns the ones before
// it. Embeddings have the size of a normed vector, unless they are the output head too, which wants
// 1/sqrt(columns).
float deviation_of(const spec::TensorSpec& tensor, const ModelShape& shape) {
  const double narrow = 1.0 / std::sqrt(static_cast<double>(tensor.shape.cols()));
  switch (tensor.role) {
    case Role::kTokenEmbedding:
      return static_cast<float>(shape.tied ? narrow : 1.0);
    case Role::kWo:
    case Role::kWDown:
      return static_cast<float>(narrow / std::sqrt(2.0 * shape.layers));
    default:
      return static_cast<float>(narrow);
  }
}

}  // namespace

bool is_weight_type(DType dtype) noexcept {
  return quant::format_of(dtype).quantize != nullptr || has_random_codes(dtype);
}

Result<SyntheticModelWriter> SyntheticModelWriter::create(const SyntheticModel& model) {
  CISTERN_TRY_VOID(check_shape(model.shape));
  if (!is_weight_type(model.dtype)) {
    return fail(ErrorCode::kUsage,
                fmt::format("{} is no type of weights", quant::format_of(model.dtype).name), "--type");
  }
  SyntheticModelWriter writer;
  writer.model_ = model;
  CISTERN_TRY_VOID(writer.lay_out());
  return writer;
}

Result<void> SyntheticModelWriter::lay_out() {
  const ModelShape& shape = model_.shape;
  add_metadata(gguf_, model_);
  CISTERN_TRY(const spec::ModelSpec spec, spec_of(gguf_));
  for (const spec::TensorSpec& tensor : spec.tensors) {
    if (!is_wanted(tensor, shape)) continue;
    const bool is_norm = spec::is_norm(tensor.role);
    tensors_.push_back({.spec = tensor,
                        .mean = is_norm ? 1.0F : 0.0F,
                        .deviation = is_vector(tensor) ? kVectorDeviation : deviation_of(tensor, shape)});
  }
  std::ranges::sort(tensors_, {}, [&shape](const Tensor& tensor) {
    return std::pair(place_of(tensor.spec, shape), tensor.spec.role);
  });
  const quant::Format& format = quant::format_of(model_.dtype);
  for (const Tensor& tensor : tensors_) {
    const Shape& size = tensor.spec.shape;
    if (!is_vector(tensor.spec) && size.cols() % format.block_values != 0) {
      return fail(
          ErrorCode::kUsage,
          fmt::format("rows of {} values are no whole number of {} blocks of {} values; choose a type with "
                      "smaller blocks, such as Q8_0 (32) or F16 (1), or another shape",
                      size.cols(), format.name, format.block_values),
          fmt::format("tensor '{}'", tensor.spec.name));
    }
    CISTERN_TRY_VOID(
        gguf_.add_tensor(tensor.spec.name, size, is_vector(tensor.spec) ? DType::kF32 : model_.dtype));
  }
  return {};
}

std::uint64_t SyntheticModelWriter::n_parameters() const {
  std::uint64_t sum = 0;
  for (const Tensor& tensor : tensors_) sum += tensor.spec.shape.elements();
  return sum;
}

Result<void> SyntheticModelWriter::write_vector(const Tensor& tensor, const file::ByteSink& sink) {
  Rng rng(seed_of(model_.seed, tensor.spec.name));
  std::vector<float> values(tensor.spec.shape.cols());
  for (float& value : values) value = tensor.mean + gaussian(rng) * tensor.deviation;
  return gguf_.write(std::as_bytes(std::span(values)), sink);
}

Result<void> SyntheticModelWriter::write_matrix(const Tensor& tensor, BankCache& banks,
                                                const file::ByteSink& sink) {
  const Shape& shape = tensor.spec.shape;
  WeightStream rows(banks, seed_of(model_.seed, tensor.spec.name), shape.cols(), tensor.deviation);
  const std::uint64_t rows_a_piece =
      std::min<std::uint64_t>(std::max<std::size_t>(kBufferBytes / rows.row_bytes(), 1), shape.rows());
  std::vector<std::byte> piece(rows_a_piece * rows.row_bytes());
  for (std::uint64_t row = 0; row < shape.rows(); row += rows_a_piece) {
    const std::uint64_t count = std::min(rows_a_piece, shape.rows() - row);
    for (std::uint64_t i = 0; i < count; ++i) rows.next_row(piece.data() + i * rows.row_bytes());
    CISTERN_TRY_VOID(gguf_.write(std::span(piece).first(count * rows.row_bytes()), sink));
  }
  return {};
}

Result<void> SyntheticModelWriter::write(const file::ByteSink& sink) {
  CISTERN_CHECK(!gguf_.complete());
  CISTERN_TRY_VOID(gguf_.write_header(sink));
  BankCache banks(quant::format_of(model_.dtype), model_.seed);
  for (const Tensor& tensor : tensors_) {
    CISTERN_TRY_VOID(is_vector(tensor.spec) ? write_vector(tensor, sink) : write_matrix(tensor, banks, sink));
  }
  CISTERN_CHECK(gguf_.complete());
  return {};
}

}  // namespace cistern::engine
