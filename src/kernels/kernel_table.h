// Every kernel the engine computes with, behind one table per ISA: one thread, one tile, no allocation, no
// errors. resolve() starts from scalar and replaces what the ISA has. Called by ops/ only. Each output value
// is reduced in an order fixed by its own inputs (16 lanes, then a tree), so it does not depend on which
// other rows or tokens share the tile: the base of "same bits" (ARCHITECTURE.md). Immutable; thread-safe.
#pragma once

#include <array>
#include <cstddef>

#include "kernels/panel.h"
#include "quant/format.h"
#include "sys/cpu_features.h"
#include "tensor/dtype.h"

namespace cistern::kernels {

inline constexpr int kTileRows = 4;    // weight rows per tile call at most
inline constexpr int kTileTokens = 4;  // activation rows per tile call at most

// out[t * out_stride + r] = sum over i of w[r * w_stride + i] * x[t * x_stride + i], i < n.
struct DotTile {
  const float* w = nullptr;  // n_rows rows, w_stride floats apart
  std::size_t w_stride = 0;
  int n_rows = 0;            // 1..kTileRows
  const float* x = nullptr;  // n_tokens rows, x_stride floats apart
  std::size_t x_stride = 0;
  int n_tokens = 0;  // 1..kTileTokens
  std::size_t n = 0;
  float* out = nullptr;
  std::size_t out_stride = 0;
};

// Rows of the state of a recurrence at one token, for what each has as input there.
struct StateRows {
  float* state = nullptr;  // n_rows rows of n floats
  std::size_t n_rows = 0;
  std::size_t n = 0;
  float decay = 1;
  float step = 1;
  const float* x = nullptr;  // of each row
  const float* b = nullptr;  // n: where the input goes
  const float* c = nullptr;  // n: what is read
  float* out = nullptr;      // of each row
};

struct KernelTable {
  sys::Isa isa = sys::Isa::kScalar;
  std::array<quant::DequantizeFn, kDTypeCount> dequantize{};  // null: storage-only type
  std::array<PanelKernel, kDTypeCount> panel{};
  std::array<PackFn, kArithmeticCount> pack{};  // null for kFloat, and where no format of the table needs it

  void (*dot_tile)(const DotTile& tile) noexcept = nullptr;
  // Sum of a[i] * b[i].
  float (*dot)(const float* a, const float* b, std::size_t n) noexcept = nullptr;
  // y[i] += scale * x[i].
  void (*add_scaled)(float scale, const float* x, float* y, std::size_t n) noexcept = nullptr;
  // y[i] *= scale.
  void (*scale)(float scale, float* y, std::size_t n) noexcept = nullptr;
  // state[r, i] = decay * state[r, i] + step * x[r] * b[i], then out[r] = sum over i of state[r, i] * c[i].
  void (*advance_state)(const StateRows& rows) noexcept = nullptr;
  // y[i] = x[i] / sqrt(mean(x^2) + eps) * w[i]  (RMSNorm, Zhang & Sennrich 2019); w may be null: 1. x == y is
  // allowed.
  void (*rms_norm)(const float* x, const float* w, float eps, float* y, std::size_t n) noexcept = nullptr;
  // y[i] = (x[i] - mean(x)) / sqrt(variance(x) + eps) * w[i] + b[i]  (LayerNorm, Ba et al. 2016); b may be
  // null: 0. x == y is allowed.
  void (*layer_norm)(const float* x, const float* w, const float* b, float eps, float* y,
                     std::size_t n) noexcept = nullptr;
};

// The table of an ISA that this machine has (sys::choose_isa decides that).
const KernelTable& resolve(sys::Isa isa) noexcept;

}  // namespace cistern::kernels
