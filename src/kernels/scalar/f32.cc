// Float kernels at the processor's baseline, and the scalar codecs: what every other ISA starts from.
#include "kernels/generic/f32_kernels.h"
#include "kernels/overlays.h"

namespace cistern::kernels {

void overlay_scalar(KernelTable& table) noexcept {
  overlay_f32(table);
  for (const quant::Format& format : quant::all_formats()) {
    table.dequantize[static_cast<std::size_t>(format.dtype)] = format.dequantize;
  }
}

}  // namespace cistern::kernels
