// Plain numbers: one value per "block". F64 and the integers are stored (tables, biases) but never weights of
// a matmul, so they have sizes only.
#include "base/half.h"
#include "quant/codec.h"

namespace cistern::quant {
namespace {

void dequantize_f32(const std::byte* blocks, float* out, std::size_t n_values) noexcept {
  if (n_values != 0) std::memcpy(out, blocks, n_values * sizeof(float));
}

void quantize_f32(const float* in, std::byte* blocks, std::size_t n_values) noexcept {
  if (n_values != 0) std::memcpy(blocks, in, n_values * sizeof(float));
}

template <float (*widen)(std::uint16_t) noexcept>
void dequantize_16(const std::byte* blocks, float* out, std::size_t n_values) noexcept {
  for (std::size_t i = 0; i < n_values; ++i) {
    std::uint16_t bits;
    std::memcpy(&bits, blocks + i * sizeof(bits), sizeof(bits));
    out[i] = widen(bits);
  }
}

template <std::uint16_t (*narrow)(float) noexcept>
void quantize_16(const float* in, std::byte* blocks, std::size_t n_values) noexcept {
  for (std::size_t i = 0; i < n_values; ++i) {
    const std::uint16_t bits = narrow(in[i]);
    std::memcpy(blocks + i * sizeof(bits), &bits, sizeof(bits));
  }
}

constexpr Format kFormats[] = {
    {DType::kF32, "F32", 0, 1, 4, dequantize_f32, quantize_f32},
    {DType::kF16, "F16", 1, 1, 2, dequantize_16<half_to_float>, quantize_16<float_to_half>},
    {DType::kBF16, "BF16", 30, 1, 2, dequantize_16<bf16_to_float>, quantize_16<float_to_bf16>},
    {DType::kF64, "F64", 28, 1, 8, nullptr, nullptr},
    {DType::kI8, "I8", 24, 1, 1, nullptr, nullptr},
    {DType::kI16, "I16", 25, 1, 2, nullptr, nullptr},
    {DType::kI32, "I32", 26, 1, 4, nullptr, nullptr},
    {DType::kI64, "I64", 27, 1, 8, nullptr, nullptr},
};

}  // namespace

std::span<const Format> plain_formats() noexcept {
  return kFormats;
}

}  // namespace cistern::quant
