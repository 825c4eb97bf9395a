#include "spec/hub/quant_mix.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "quant/format.h"

namespace cistern::spec::hub {
namespace {

constexpr double kBesideExperts = 8.5;  // Q8_0

double bits_of(DType dtype) {
  const quant::Format& format = quant::format_of(dtype);
  return 8.0 * format.block_bytes / format.block_values;
}

// The type with about so many bits whose blocks rows of `cols` values are made of.
DType nearest_type(double bits, std::uint64_t cols) {
  constexpr std::array kTypes = {DType::kIQ1_S, DType::kIQ1_M,   DType::kIQ2_XXS, DType::kIQ2_XS,
                                 DType::kQ2_K,  DType::kIQ3_XXS, DType::kIQ3_S,   DType::kIQ4_XS,
                                 DType::kQ4_K,  DType::kQ4_0,    DType::kQ5_K,    DType::kQ5_0,
                                 DType::kQ6_K,  DType::kQ8_0,    DType::kF16};
  DType best = DType::kF16;
  for (const DType type : kTypes) {
    if (cols % quant::format_of(type).block_values != 0) continue;
    if (std::abs(bits_of(type) - bits) < std::abs(bits_of(best) - bits)) best = type;
  }
  return best;
}

bool has_experts(const ModelSpec& model) {
  return std::ranges::any_of(model.layers,
                             [](const LayerSpec& layer) { return layer.ffn && layer.ffn->moe; });
}

AverageBits bits_for(const QuantMix& mix, const ModelSpec& model) {
  AverageBits bits = mix.bits;
  if (mix.scope != Scope::kExperts) return bits;
  if (!has_experts(model)) {
    bits.experts_down.reset();
    return bits;
  }
  bits.experts = bits.matrices;
  bits.matrices = kBesideExperts;
  return bits;
}

double bits_of_tensor(const AverageBits& bits, const TensorSpec& tensor) {
  if (tensor.role == Role::kTokenEmbedding || tensor.role == Role::kPerLayerEmbedding)
    return bits.embedding.value_or(bits.matrices);
  if (tensor.role == Role::kOutput) return bits.output.value_or(bits.matrices);
  if (tensor.role == Role::kExpertsDown && bits.experts_down) return *bits.experts_down;
  return is_expert_stack(tensor.role) ? bits.experts.value_or(bits.matrices) : bits.matrices;
}

// What is left of the size for each weight of the matrices.
Result<AverageBits> bits_for_size(const QuantMix& mix, std::span<const TensorSpec> tensors,
                                  std::span<const DType> whole_types) {
  constexpr double kLeast = 0.5;
  constexpr double kMost = 32;
  double bytes = mix.total_bytes;
  double weights = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto elements = static_cast<double>(tensors[i].shape.elements());
    if (is_packed(tensors[i])) {
      weights += elements;
    } else {
      bytes -= elements * bits_of(whole_types[i]) / 8;
    }
  }
  const double bits = weights > 0 ? bytes * 8 / weights : 0;
  if (bits < kLeast || bits > kMost) {
    return fail(ErrorCode::kUsage,
                fmt::format("a size of {} is {:.3g} bits for each of {:.4g} billion weights", mix.name, bits,
                            weights / 1e9));
  }
  return AverageBits{.matrices = bits};
}

std::vector<Packing> pack_by_bits(const AverageBits& bits, std::span<const TensorSpec> tensors) {
  std::vector<Packing> packings;
  for (const TensorSpec& tensor : tensors) {
    const double each = bits_of_tensor(bits, tensor);
    const auto bytes = std::ceil(static_cast<double>(tensor.shape.elements()) * each / 8);
    packings.push_back(
        {.dtype = nearest_type(each, tensor.shape.cols()), .size_bytes = static_cast<std::uint64_t>(bytes)});
  }
  return packings;
}

Result<std::uint64_t> size_of(DType dtype, const TensorSpec& tensor) {
  CISTERN_TRY(const std::uint64_t row, quant::row_bytes(dtype, tensor.shape.cols()));
  const std::uint64_t rows = tensor.shape.rows();
  if (row > (std::uint64_t{1} << 62U) / rows) {
    return fail(ErrorCode::kFormat, "is larger than any model", fmt::format("tensor '{}'", tensor.name));
  }
  return row * rows;
}

}  // namespace

QuantMix bits_per_weight(double bits) {
  return {.name = fmt::format("{:.4g}bpw", bits), .file_type = nullptr, .bits = {.matrices = bits}};
}

QuantMix of_size(double bytes) {
  constexpr double kGib = 1024.0 * 1024.0 * 1024.0;
  QuantMix mix{.name = fmt::format("{:.4g} GiB", bytes / kGib)};
  mix.total_bytes = bytes;
  return mix;
}

Result<std::vector<Packing>> pack(const QuantMix& mix, const ModelSpec& model,
                                  std::span<const TensorSpec> tensors) {
  constexpr const char* kPlain = "BF16";
  const FileType* file_type = mix.file_type;
  // What dialects leave alone is as in a file of whole weights.
  const FileType* whole = std::ranges::find(file_types(), kPlain, &FileType::name).base();
  const std::vector<DType> types = choose_types(file_type != nullptr ? *file_type : *whole, model, tensors);
  std::vector<Packing> by_bits;
  if (file_type == nullptr) {
    AverageBits bits = bits_for(mix, model);
    if (mix.total_bytes > 0) {
      CISTERN_TRY(bits, bits_for_size(mix, tensors, types));
    }
    by_bits = pack_by_bits(bits, tensors);
  }
  std::vector<Packing> packings;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (file_type == nullptr && is_packed(tensors[i])) {
      packings.push_back(by_bits[i]);
      continue;
    }
    CISTERN_TRY(const std::uint64_t bytes, size_of(types[i], tensors[i]));
    packings.push_back({.dtype = types[i], .size_bytes = bytes});
  }
  return packings;
}

}  // namespace cistern::spec::hub
