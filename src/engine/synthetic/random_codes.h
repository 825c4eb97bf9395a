// Random blocks of the weight formats that Cistern has no encoder for: random codes with all bits in use,
// under scales that give the decoded values a wanted standard deviation and a mean near zero. Called by
// WeightBank. Pure.
#pragma once

#include <cstddef>
#include <span>

#include "base/rng.h"
#include "quant/format.h"

namespace cistern::engine {

// Whether fill_random_codes() knows the format.
bool has_random_codes(DType dtype) noexcept;

// REQUIRES: has_random_codes(); `blocks` is a whole number of blocks, at least one. The standard deviation is
// met as nearly as the format's scales allow: within a factor of 1.5 for MXFP4, never below 0.006 for NVFP4,
// whose smallest scale is 2^-9, and within a few percent otherwise.
void fill_random_codes(const quant::Format& format, float deviation, Rng& rng, std::span<std::byte> blocks);

}  // namespace cistern::engine
