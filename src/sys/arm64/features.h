// Optional instructions of an arm64 processor, as the operating system tells them (linux/, macos/): unlike
// x86's CPUID the processor's own registers cannot be read by programs. Used by cpu_features.cc.
#pragma once

namespace cistern::sys {

bool has_dot_product() noexcept;     // SDOT, UDOT
bool has_matrix_product() noexcept;  // USMMLA, USDOT

}  // namespace cistern::sys
