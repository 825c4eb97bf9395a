#include "sys/cpu_features.h"

#include <cpuid.h>

namespace cistern::sys {
namespace {

// The compiler's runtime also checks that the operating system saves the wide registers (XGETBV).
bool has_avx2() noexcept {
  return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0 &&
         __builtin_cpu_supports("f16c") != 0;
}

// g++ 12 does not know this one by name. The registers are those of AVX2, which the system saves.
bool has_avx2_vnni() noexcept {
  constexpr unsigned kFeatures = 7;
  constexpr unsigned kSubleaf = 1;
  constexpr unsigned kAvxVnni = 1U << 4;  // of EAX
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  return has_avx2() && __get_cpuid_count(kFeatures, kSubleaf, &eax, &ebx, &ecx, &edx) != 0 &&
         (eax & kAvxVnni) != 0;
}

bool has_avx512() noexcept {
  return has_avx2() && __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
         __builtin_cpu_supports("avx512vnni") != 0 && __builtin_cpu_supports("avx512vbmi") != 0 &&
         __builtin_cpu_supports("avx512vbmi2") != 0;
}

bool has_avx512_bf16() noexcept {
  return has_avx512() && __builtin_cpu_supports("avx512bf16") != 0;
}

}  // namespace

bool host_has(Isa isa) noexcept {
  if (isa == Isa::kAvx2) return has_avx2();
  if (isa == Isa::kAvx2Vnni) return has_avx2_vnni();
  if (isa == Isa::kAvx512) return has_avx512();
  if (isa == Isa::kAvx512Bf16) return has_avx512_bf16();
  return isa == Isa::kScalar;
}

}  // namespace cistern::sys
