// Rope tables from metadata: base, scaling (linear, YaRN, LongRoPE, llama3's frequency factors) folded into
// one list of frequencies. Called by the architecture files. Pure, but for reading small factor tensors.
#pragma once

#include "base/error.h"
#include "spec/builder.h"
#include "spec/model_spec.h"

namespace cistern::spec {

// The model's RopeSpec by the keys "<arch>.rope.*" and the tensors rope_freqs.weight or
// rope_factors_long/short. Sources: Su et al. 2021 (RoPE), Chen et al. 2023 (linear), Peng et al. 2023
// (YaRN), Ding et al. 2024 (LongRoPE).
struct RopeOptions {
  std::uint32_t dims = 0;     // rotated values of a head; 0: as the file says, else all of the smallest head
  float base = 0;             // 0: the file's
  bool yarn_truncate = true;  // the ends of YaRN's ramp are whole pairs
};
Result<RopeSpec> read_rope(Builder& builder, RopeStyle style, const RopeOptions& options = {});

// The plain table of a base without any scaling.
RopeSpec plain_rope(RopeStyle style, std::uint32_t dims, float base);

}  // namespace cistern::spec
