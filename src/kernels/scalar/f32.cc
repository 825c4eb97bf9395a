// Float kernels at the processor's baseline, and the scalar codecs: what every other ISA starts from.
#include "kernels/kernel_table.h"
#include "kernels/overlays.h"

namespace cistern::kernels {
namespace {

constexpr std::size_t kVectorFloats = 4;
// SSE2 and NEON: 8 registers hold sums, of 16 and 32.
constexpr int kRegisterRows = 1;
constexpr int kRegisterTokens = 2;

}  // namespace
}  // namespace cistern::kernels

#include "kernels/generic/f32_kernels.h"

namespace cistern::kernels {

void overlay_scalar(KernelTable& table) noexcept {
  overlay_f32(table);
  overlay_scalar_int8(table);
  for (const quant::Format& format : quant::all_formats()) {
    table.dequantize[static_cast<std::size_t>(format.dtype)] = format.dequantize;
  }
}

}  // namespace cistern::kernels
