// The integer formats of an ISA, one row each. Included after the ISA's lanes.h and int8.h, inside its target
// region. Not a public header.
#pragma once

#include "kernels/generic/pack_int8.h"
#include "kernels/generic/unpack_i.h"
#include "kernels/generic/unpack_k.h"
#include "kernels/generic/unpack_legacy.h"
#include "kernels/generic/unpack_lookup.h"
#include "kernels/generic/unpack_ternary.h"
#include "kernels/kernel_table.h"

namespace cistern::kernels {
namespace {

struct Int8Format {
  DType dtype;
  PanelKernel kernel;
};

template <class Format>
constexpr Int8Format int8_format(DType dtype) noexcept {
  return {dtype,
          {.arithmetic = Arithmetic::kInt8,
           .unpack = unpack_panel<Format>,
           .multiply = multiply_int8<Format>,
           .dot = dot_int8<Format>,
           .offset_bits = Format::kOffsetBits,
           .pass_chunks = 2}};
}

constexpr Int8Format kInt8Formats[] = {
    int8_format<Q4_0>(DType::kQ4_0),       int8_format<Q4_1>(DType::kQ4_1),
    int8_format<Q5_0>(DType::kQ5_0),       int8_format<Q5_1>(DType::kQ5_1),
    int8_format<Q8_0>(DType::kQ8_0),       int8_format<Q2_K>(DType::kQ2_K),
    int8_format<Q3_K>(DType::kQ3_K),       int8_format<Q4_K>(DType::kQ4_K),
    int8_format<Q5_K>(DType::kQ5_K),       int8_format<Q6_K>(DType::kQ6_K),
    int8_format<IQ1_S>(DType::kIQ1_S),     int8_format<IQ1_M>(DType::kIQ1_M),
    int8_format<IQ2_XXS>(DType::kIQ2_XXS), int8_format<IQ2_XS>(DType::kIQ2_XS),
    int8_format<IQ2_S>(DType::kIQ2_S),     int8_format<IQ3_XXS>(DType::kIQ3_XXS),
    int8_format<IQ3_S>(DType::kIQ3_S),     int8_format<IQ4_NL>(DType::kIQ4_NL),
    int8_format<IQ4_XS>(DType::kIQ4_XS),   int8_format<TQ1_0>(DType::kTQ1_0),
    int8_format<TQ2_0>(DType::kTQ2_0),     int8_format<Q1_0>(DType::kQ1_0),
    int8_format<Q2_0>(DType::kQ2_0),       int8_format<MXFP4>(DType::kMXFP4),
    int8_format<NVFP4>(DType::kNVFP4),
};

void overlay_int8(KernelTable& table) noexcept {
  table.pack[static_cast<std::size_t>(Arithmetic::kInt8)] = pack_int8;
  for (const Int8Format& format : kInt8Formats) {
    table.panel[static_cast<std::size_t>(format.dtype)] = format.kernel;
  }
}

}  // namespace
}  // namespace cistern::kernels
