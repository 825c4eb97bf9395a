// Which unpacker and which multiplication each integer format takes: one row per format. Included after the
// ISA's lanes.h and int8.h, inside its target region. Not a public header.
#pragma once

#include "kernels/generic/pack_int8.h"
#include "kernels/generic/unpack_k.h"
#include "kernels/generic/unpack_legacy.h"
#include "kernels/generic/unpack_lookup.h"
#include "kernels/kernel_table.h"

namespace cistern::kernels {
namespace {

struct Int8Format {
  DType dtype;
  UnpackFn unpack;
  MultiplyFn multiply;
  int offset_bits;  // codes stand for code - 2^offset_bits; formats with minimums have none
};

constexpr Int8Format kInt8Formats[] = {
    {DType::kQ4_0, unpack_panel<18, 32, unpack_q4_0>, multiply_int8<32, 0>, 3},
    {DType::kQ4_1, unpack_panel<20, 32, unpack_q4_1>, multiply_int8<32, 32>, 0},
    {DType::kQ5_0, unpack_panel<22, 32, unpack_q5_0>, multiply_int8<32, 0>, 4},
    {DType::kQ5_1, unpack_panel<24, 32, unpack_q5_1>, multiply_int8<32, 32>, 0},
    {DType::kQ8_0, unpack_panel<34, 32, unpack_q8_0>, multiply_int8<32, 0>, 7},
    {DType::kQ2_K, unpack_panel<84, 256, unpack_q2_k>, multiply_int8<256, 16>, 0},
    {DType::kQ3_K, unpack_panel<110, 256, unpack_q3_k>, multiply_int8<256, 0>, 7},
    {DType::kQ4_K, unpack_panel<144, 256, unpack_q4_k>, multiply_int8<32, 32>, 0},
    {DType::kQ5_K, unpack_panel<176, 256, unpack_q5_k>, multiply_int8<32, 32>, 0},
    {DType::kQ6_K, unpack_panel<210, 256, unpack_q6_k>, multiply_int8<16, 0>, 5},
    {DType::kIQ4_NL, unpack_panel<18, 32, unpack_iq4_nl>, multiply_int8<32, 0>, 7},
    {DType::kIQ4_XS, unpack_panel<136, 256, unpack_iq4_xs>, multiply_int8<32, 0>, 7},
    {DType::kMXFP4, unpack_panel<17, 32, unpack_mxfp4>, multiply_int8<32, 0>, 7},
    {DType::kNVFP4, unpack_panel<36, 64, unpack_nvfp4>, multiply_int8<16, 0>, 7},
};

void overlay_int8(KernelTable& table) noexcept {
  table.pack[static_cast<std::size_t>(Arithmetic::kInt8)] = pack_int8;
  for (const Int8Format& format : kInt8Formats) {
    table.panel[static_cast<std::size_t>(format.dtype)] = {.arithmetic = Arithmetic::kInt8,
                                                           .unpack = format.unpack,
                                                           .multiply = format.multiply,
                                                           .offset_bits = format.offset_bits};
  }
}

}  // namespace
}  // namespace cistern::kernels
