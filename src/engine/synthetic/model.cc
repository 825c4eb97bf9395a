#include "engine/synthetic/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/fnv.h"
#include "engine/synthetic/habits.h"
#include "engine/synthetic/metadata.h"
#include "engine/synthetic/random_codes.h"
#include "file/inventory.h"

namespace cistern::engine {
namespace {

using spec::Role;

constexpr DType kNarrowType = DType::kQ8_0;

constexpr std::size_t kBufferBytes = std::size_t{4} << 20U;

// Tensors draw from sequences of their own, whatever else is in the file.
std::uint64_t seed_of(std::uint64_t seed, std::string_view name) {
  return seed ^ fnv1a(name);
}

// What the architecture has in a file of this metadata.
Result<spec::ModelSpec> spec_of(const file::GgufWriter& gguf) {
  const std::vector<std::byte> header = gguf.header();
  CISTERN_TRY(const file::ModelFiles files, file::open_model(header, "the new model"));
  return spec::plan_model_spec(files.inventory);
}

// Of the optional tensors an output head is made, and what the architecture has all the same.
bool is_wanted(const spec::TensorSpec& tensor, const ModelShape& shape) {
  if (tensor.role == Role::kOutput) return !shape.tied;
  if (tensor.role == Role::kRouterBias && shape.router_skew > 0) return true;
  const std::span<const Role> also = habits_of(shape.arch).also;
  return !tensor.optional || std::ranges::find(also, tensor.role) != also.end();
}

// Where a tensor stands in the file: the order in which a step reads them, in a layer that of the roles.
int place_of(const spec::TensorSpec& tensor, const ModelShape& shape) {
  if (tensor.layer != spec::kNoLayer) return tensor.layer;
  const bool is_last = tensor.role == Role::kOutput || tensor.role == Role::kOutputNorm;
  return is_last ? static_cast<int>(shape.layers) + 1 : -1;
}

// Experts were asked for, and the architecture has none. One that has some may have too few layers for them.
Result<void> check_experts(const spec::ModelSpec& spec, const ModelShape& shape) {
  const auto has_experts = [](const spec::LayerSpec& layer) { return layer.ffn && layer.ffn->moe; };
  const char* option = shape.experts > 0 ? "--experts" : shape.router_skew > 0 ? "--router-skew" : nullptr;
  if (option == nullptr || habits_of(shape.arch).experts.count.times > 0) return {};
  if (std::ranges::any_of(spec.layers, has_experts)) return {};
  return fail(ErrorCode::kUsage, fmt::format("the architecture {} has no experts", shape.arch), option);
}

// The layer that predicts a further token was asked for, and the architecture has none that is known.
Result<void> check_mtp(const spec::ModelSpec& spec, const ModelShape& shape) {
  if (!shape.mtp || spec.mtp) return {};
  return fail(ErrorCode::kUsage,
              fmt::format("the architecture {} has no layer that predicts further tokens", shape.arch),
              "--mtp");
}

// The tensors of a model and of its layer that predicts a further token; what they share, once.
std::vector<spec::TensorSpec> tensors_of(const spec::ModelSpec& spec) {
  std::vector<spec::TensorSpec> tensors = spec.tensors;
  if (!spec.mtp) return tensors;
  for (spec::TensorSpec tensor : spec.mtp->tensors) {
    if (std::ranges::find(spec.tensors, tensor.name, &spec::TensorSpec::name) != spec.tensors.end()) continue;
    tensor.layer = static_cast<int>(spec.layers.size());
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

}  // namespace

bool is_weight_type(DType dtype) noexcept {
  return quant::format_of(dtype).quantize != nullptr || has_random_codes(dtype);
}

Result<SyntheticModelWriter> SyntheticModelWriter::create(const SyntheticModel& model) {
  const ModelShape shape = completed(model.shape);
  CISTERN_TRY_VOID(check_shape(shape));
  if (!is_weight_type(model.dtype)) {
    return fail(ErrorCode::kUsage,
                fmt::format("{} is no type of weights", quant::format_of(model.dtype).name), "--type");
  }
  SyntheticModelWriter writer;
  writer.model_ = model;
  writer.model_.shape = shape;
  CISTERN_TRY_VOID(writer.lay_out());
  return writer;
}

Result<void> SyntheticModelWriter::lay_out() {
  const ModelShape& shape = model_.shape;
  add_metadata(gguf_, shape, model_.dtype, model_.seed);
  CISTERN_TRY(const spec::ModelSpec spec, spec_of(gguf_));
  CISTERN_TRY_VOID(check_experts(spec, shape));
  CISTERN_TRY_VOID(check_mtp(spec, shape));
  for (const spec::TensorSpec& tensor : tensors_of(spec)) {
    if (is_wanted(tensor, shape)) tensors_.push_back({.spec = tensor, .draw = weight_draw(tensor, shape)});
  }
  std::ranges::sort(tensors_, {}, [&shape](const Tensor& tensor) {
    return std::pair(place_of(tensor.spec, shape), tensor.spec.role);
  });
  for (Tensor& tensor : tensors_) {
    CISTERN_TRY(tensor.dtype, type_of(tensor));
    CISTERN_TRY_VOID(gguf_.add_tensor(tensor.spec.name, tensor.spec.shape, tensor.dtype));
  }
  return {};
}

Result<DType> SyntheticModelWriter::type_of(const Tensor& tensor) const {
  if (tensor.draw.kind == WeightKind::kFloats || tensor.draw.kind == WeightKind::kRanks) return DType::kF32;
  if (tensor.draw.kind == WeightKind::kIndices) return DType::kI32;
  const std::uint64_t cols = tensor.spec.shape.cols();
  const auto divides = [cols](const quant::Format& format) { return cols % format.block_values == 0; };
  const quant::Format& format = quant::format_of(model_.dtype);
  if (divides(format)) return model_.dtype;
  if (tensor.draw.kind == WeightKind::kNarrow && divides(quant::format_of(kNarrowType))) return kNarrowType;
  return fail(
      ErrorCode::kUsage,
      fmt::format("rows of {} values are no whole number of {} blocks of {} values; choose a type with "
                  "smaller blocks, such as Q8_0 (32) or F16 (1), or another shape",
                  cols, format.name, format.block_values),
      fmt::format("tensor '{}'", tensor.spec.name));
}

std::uint64_t SyntheticModelWriter::n_parameters() const {
  std::uint64_t sum = 0;
  for (const Tensor& tensor : tensors_) sum += tensor.spec.shape.elements();
  return sum;
}

Result<void> SyntheticModelWriter::write_floats(const Tensor& tensor, const file::ByteSink& sink) {
  Rng rng(seed_of(model_.seed, tensor.spec.name));
  std::vector<float> piece(
      std::min<std::uint64_t>(tensor.spec.shape.elements(), kBufferBytes / sizeof(float)));
  for (std::uint64_t left = tensor.spec.shape.elements(); left > 0;) {
    const std::span<float> values = std::span(piece).first(std::min<std::uint64_t>(left, piece.size()));
    for (float& value : values) value = tensor.draw.mean + gaussian(rng) * tensor.draw.deviation;
    CISTERN_TRY_VOID(gguf_.write(std::as_bytes(values), sink));
    left -= values.size();
  }
  return {};
}

// The numbers of a row follow each other from a random one on.
Result<void> SyntheticModelWriter::write_indices(const Tensor& tensor, const file::ByteSink& sink) {
  Rng rng(seed_of(model_.seed, tensor.spec.name));
  std::vector<std::uint32_t> row(tensor.spec.shape.cols());
  for (std::uint64_t i = 0; i < tensor.spec.shape.rows(); ++i) {
    const std::uint64_t first = rng.next() % tensor.draw.bound;
    for (std::size_t c = 0; c < row.size(); ++c)
      row[c] = static_cast<std::uint32_t>((first + c) % tensor.draw.bound);
    CISTERN_TRY_VOID(gguf_.write(std::as_bytes(std::span(row)), sink));
  }
  return {};
}

Result<void> SyntheticModelWriter::write_ranks(const Tensor& tensor, const file::ByteSink& sink) {
  Rng rng(seed_of(model_.seed, tensor.spec.name));
  std::vector<float> values(tensor.spec.shape.elements());
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = -tensor.draw.deviation * std::log(static_cast<float>(i + 1));
    std::swap(values[i], values[rng.next() % (i + 1)]);  // Fisher and Yates, inside out
  }
  return gguf_.write(std::as_bytes(std::span(values)), sink);
}

Result<void> SyntheticModelWriter::write_matrix(const Tensor& tensor, BankCache& banks,
                                                const file::ByteSink& sink) {
  const Shape& shape = tensor.spec.shape;
  WeightStream rows(banks, seed_of(model_.seed, tensor.spec.name), shape.cols(), tensor.draw.deviation);
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
  BankCache narrow_banks(quant::format_of(kNarrowType), model_.seed);
  for (const Tensor& tensor : tensors_) {
    switch (tensor.draw.kind) {
      case WeightKind::kMatrix:
      case WeightKind::kNarrow:
        CISTERN_TRY_VOID(write_matrix(tensor, tensor.dtype == model_.dtype ? banks : narrow_banks, sink));
        break;
      case WeightKind::kFloats:
        CISTERN_TRY_VOID(write_floats(tensor, sink));
        break;
      case WeightKind::kIndices:
        CISTERN_TRY_VOID(write_indices(tensor, sink));
        break;
      case WeightKind::kRanks:
        CISTERN_TRY_VOID(write_ranks(tensor, sink));
        break;
    }
  }
  CISTERN_CHECK(gguf_.complete());
  return {};
}

}  // namespace cistern::engine
