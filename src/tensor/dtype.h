// The element types that a tensor can have: plain numbers and the block-quantized weight formats of GGUF.
// Only names them; sizes, codecs and file numbers are one table in quant/format.h. Values are dense so that
// tables may be indexed by them.
#pragma once

#include <cstdint>

namespace cistern {

enum class DType : std::uint8_t {
  kF32,
  kF16,
  kBF16,
  kQ4_0,
  kQ4_1,
  kQ5_0,
  kQ5_1,
  kQ8_0,
  kQ2_K,
  kQ3_K,
  kQ4_K,
  kQ5_K,
  kQ6_K,
  kIQ1_S,
  kIQ1_M,
  kIQ2_XXS,
  kIQ2_XS,
  kIQ2_S,
  kIQ3_XXS,
  kIQ3_S,
  kIQ4_NL,
  kIQ4_XS,
  kTQ1_0,
  kTQ2_0,
  kMXFP4,
  kNVFP4,
  kQ1_0,
  kQ2_0,
  kF64,
  kI8,
  kI16,
  kI32,
  kI64,  // storage only: never the type of a weight in a matmul
};

inline constexpr int kDTypeCount = static_cast<int>(DType::kI64) + 1;

}  // namespace cistern
