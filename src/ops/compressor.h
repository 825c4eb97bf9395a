// Compressed tokens (DeepSeek-AI 2026): every `ratio` tokens become one row, per channel a softmax over their
// gates weighs their values; with overlap the `ratio` tokens before take part with a series of their own. The
// projections of tokens that still take part are carried in a state, so rows do not depend on how the tokens
// arrive. Runs on the calling thread.
#pragma once

#include <cstdint>
#include <span>

#include "kv/cache.h"
#include "ops/elementwise.h"
#include "ops/exec.h"
#include "tensor/view.h"

namespace cistern::ops {

struct CompressArgs {
  TensorView values;     // f32 (series * width, tokens); the series for the next row first
  TensorView gates;      // the same
  WeightView positions;  // f32 (series * width, ratio): added to the gates
  WeightView norm;       // f32 (width): RMSNorm of a row
  float eps = 0;
  Rotation rotation;  // of the last values of a row, at the position of its first token
  std::uint32_t width = 0;
  std::uint32_t ratio = 0;
  bool overlap = false;
  std::uint32_t first_position = 0;
  std::span<float> state;  // values, then gates, of the latest ratio (overlap: 2 * ratio) tokens
  kv::LayerView cache;
  bool is_index = false;  // the rows are the indexer's keys, else the compressed keys
};
void compress(const Exec& exec, const CompressArgs& args);

}  // namespace cistern::ops
