// Which instruction-set level the kernels may use on this machine, decided at run time: one binary runs
// everywhere. host_has() asks processor and operating system (x86/, arm64/); the features of a level are
// those that kernels/<isa>/region_begin.h compiles for. Used by engine/ to pick a kernel table, by tests to
// run all levels that the host has. Pure after start-up; thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace cistern::sys {

enum class Isa : std::uint8_t {
  kScalar,       // portable C++
  kAvx2,         // x86-64: AVX2, FMA, F16C
  kAvx2Vnni,     // x86-64: kAvx2 and AVX-VNNI (Alder Lake, Zen 5 on)
  kAvx512,       // x86-64: kAvx2 and AVX-512 F, BW, DQ, VL, VNNI, VBMI, VBMI2 (Ice Lake, Zen 4 on)
  kAvx512Bf16,   // x86-64: kAvx512 and BF16 (Sapphire Rapids, Zen 4 on)
  kNeon,         // arm64
  kNeonDotprod,  // arm64: kNeon and SDOT (Cortex-A76, Apple M1 on)
  kNeonI8mm,     // arm64: kNeonDotprod and USMMLA (Neoverse V1, Apple M2 on)
};

inline constexpr std::array kAllIsas = {Isa::kScalar,     Isa::kAvx2, Isa::kAvx2Vnni,    Isa::kAvx512,
                                        Isa::kAvx512Bf16, Isa::kNeon, Isa::kNeonDotprod, Isa::kNeonI8mm};

// "scalar", "avx2", "avx2-vnni", "avx512", "avx512-bf16", "neon", "neon-dotprod",
// "neon-i8mm"
std::string_view name_of(Isa isa) noexcept;
Result<Isa> parse_isa(std::string_view name);  // kUsage: no such level
bool host_has(Isa isa) noexcept;
Isa best_isa() noexcept;                            // the widest that the host has
Result<Isa> choose_isa(std::optional<Isa> forced);  // kUnsupported: the host lacks the forced one

}  // namespace cistern::sys
