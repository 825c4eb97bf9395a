#include "kernels/kernel_table.h"

#include "kernels/overlays.h"

namespace cistern::kernels {
namespace {

KernelTable build(sys::Isa isa) noexcept {
  KernelTable table;
  overlay_scalar(table);
  const bool bf16 = isa == sys::Isa::kAvx512Bf16;
  const bool avx512 = bf16 || isa == sys::Isa::kAvx512;
  if (avx512 || isa == sys::Isa::kAvx2) overlay_avx2(table);
  if (avx512) overlay_avx512(table);
  if (bf16) overlay_avx512_bf16(table);
  if (isa == sys::Isa::kNeon) overlay_neon(table);
  table.isa = isa;
  return table;
}

}  // namespace

const KernelTable& resolve(sys::Isa isa) noexcept {
  static const KernelTable kTables[] = {build(sys::Isa::kScalar), build(sys::Isa::kAvx2),
                                        build(sys::Isa::kAvx512), build(sys::Isa::kAvx512Bf16),
                                        build(sys::Isa::kNeon)};
  for (const KernelTable& table : kTables) {
    if (table.isa == isa) return table;
  }
  return kTables[0];
}

}  // namespace cistern::kernels
