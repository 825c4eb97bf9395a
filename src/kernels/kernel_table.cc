#include "kernels/kernel_table.h"

#include <array>
#include <cstddef>

#include "kernels/elementwise_table.h"
#include "kernels/overlays.h"

namespace cistern::kernels {
namespace {

using Overlay = void (*)(KernelTable&) noexcept;

// What each level adds to the ones below it, in the order of sys::Isa.
struct Level {
  sys::Isa isa;
  std::array<Overlay, 4> overlays;  // after scalar's
};

constexpr std::array<Level, sys::kAllIsas.size()> kLevels = {{
    {sys::Isa::kScalar, {}},
    {sys::Isa::kAvx2, {overlay_avx2}},
    {sys::Isa::kAvx2Vnni, {overlay_avx2, overlay_avx2_vnni}},
    {sys::Isa::kAvx512, {overlay_avx2, overlay_avx512}},
    {sys::Isa::kAvx512Bf16, {overlay_avx2, overlay_avx512, overlay_avx512_bf16}},
    {sys::Isa::kNeon, {overlay_neon}},
    {sys::Isa::kNeonDotprod, {overlay_neon, overlay_neon_dotprod}},
    {sys::Isa::kNeonI8mm, {overlay_neon, overlay_neon_i8mm}},
}};

KernelTable build(const Level& level) noexcept {
  KernelTable table;
  overlay_scalar(table);
  for (const Overlay overlay : level.overlays) {
    if (overlay != nullptr) overlay(table);
  }
  table.isa = level.isa;
  if (sys::host_has(level.isa)) {  // the build may lack the others
    table.dequantize[static_cast<std::size_t>(DType::kF16)] = elementwise_kernels(level.isa).from_half;
  }
  return table;
}

}  // namespace

const KernelTable& resolve(sys::Isa isa) noexcept {
  static const auto kTables = [] {
    std::array<KernelTable, kLevels.size()> tables;
    for (std::size_t i = 0; i < tables.size(); ++i) tables[i] = build(kLevels[i]);
    return tables;
  }();
  return kTables[static_cast<std::size_t>(isa)];
}

}  // namespace cistern::kernels
