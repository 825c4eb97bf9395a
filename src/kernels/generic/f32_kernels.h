// The float kernels written once over 16-lane vectors, included by one source file per ISA inside that ISA's
// target region (region_begin.h); 16 lanes are one, two or four registers. No fused multiply-add and a fixed
// lane order: every ISA gives the same bits. Everything has internal linkage, so no copy compiled for one ISA
// can be picked for another. The including file first defines kVectorFloats, the width of a register, and
// kRegisterRows and kRegisterTokens, the tile whose sums fit the registers. Not a public header.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>

#include "kernels/kernel_table.h"

namespace cistern::kernels {
namespace {

constexpr std::size_t kLanes = 16;
constexpr std::size_t kVectors = kLanes / kVectorFloats;

// As wide as the ISA's registers: the compiler handles wider ones poorly.
typedef float Vector __attribute__((vector_size(kVectorFloats * sizeof(float))));

inline Vector load(const float* p) noexcept {
  Vector v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

inline void store(float* p, const Vector& v) noexcept {
  std::memcpy(p, &v, sizeof v);
}

// The 16 lanes added pairwise: i + (i + 8), then + 4, + 2, + 1.
inline float reduce(float* lane) noexcept {
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) lane[i] += lane[i + half];
  }
  return lane[0];
}

// Sums of R x T dot products. The unrolling lets the compiler keep them in registers.
template <int R, int T>
void dot_tile_fixed(const DotTile& tile) noexcept {
  Vector sum[R][T][kVectors] = {};
  std::size_t i = 0;
  for (; i + kLanes <= tile.n; i += kLanes) {
#pragma GCC unroll 16
    for (std::size_t k = 0; k < kVectors; ++k) {
      Vector x[T];
#pragma GCC unroll 16
      for (int t = 0; t < T; ++t)
        x[t] = load(tile.x + static_cast<std::size_t>(t) * tile.x_stride + i + k * kVectorFloats);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        const Vector w = load(tile.w + static_cast<std::size_t>(r) * tile.w_stride + i + k * kVectorFloats);
#pragma GCC unroll 16
        for (int t = 0; t < T; ++t) sum[r][t][k] += w * x[t];
      }
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int t = 0; t < T; ++t) {
      float lane[kLanes];
      std::memcpy(lane, sum[r][t], sizeof lane);
      const float* w = tile.w + static_cast<std::size_t>(r) * tile.w_stride;
      const float* x = tile.x + static_cast<std::size_t>(t) * tile.x_stride;
      for (std::size_t j = i; j < tile.n; ++j) lane[j - i] += w[j] * x[j];
      tile.out[static_cast<std::size_t>(t) * tile.out_stride + static_cast<std::size_t>(r)] = reduce(lane);
    }
  }
}

// The part of a tile from row r and token t on.
inline DotTile part_of(const DotTile& tile, int r, int t) noexcept {
  DotTile part = tile;
  part.w += static_cast<std::size_t>(r) * tile.w_stride;
  part.x += static_cast<std::size_t>(t) * tile.x_stride;
  part.out += static_cast<std::size_t>(t) * tile.out_stride + static_cast<std::size_t>(r);
  return part;
}

// In blocks of as many sums as the ISA's registers hold, and one by one where a block does not fit.
void dot_tile(const DotTile& tile) noexcept {
  for (int r = 0; r < tile.n_rows; r += kRegisterRows) {
    for (int t = 0; t < tile.n_tokens; t += kRegisterTokens) {
      const int rows = std::min(kRegisterRows, tile.n_rows - r);
      const int tokens = std::min(kRegisterTokens, tile.n_tokens - t);
      if (rows == kRegisterRows && tokens == kRegisterTokens) {
        dot_tile_fixed<kRegisterRows, kRegisterTokens>(part_of(tile, r, t));
        continue;
      }
      for (int i = 0; i < rows; ++i) {
        for (int j = 0; j < tokens; ++j) dot_tile_fixed<1, 1>(part_of(tile, r + i, t + j));
      }
    }
  }
}

float dot(const float* a, const float* b, std::size_t n) noexcept {
  float result = 0;
  dot_tile_fixed<1, 1>({.w = a, .n_rows = 1, .x = b, .n_tokens = 1, .n = n, .out = &result});
  return result;
}

void add_scaled(float scale, const float* x, float* y, std::size_t n) noexcept {
  std::size_t i = 0;
  for (; i + kVectorFloats <= n; i += kVectorFloats) store(y + i, load(y + i) + scale * load(x + i));
  for (; i < n; ++i) y[i] += scale * x[i];
}

void scale_row(float scale, float* y, std::size_t n) noexcept {
  for (std::size_t i = 0; i < n; ++i) y[i] *= scale;
}

// R rows from `first` on: they share the loads of b and c.
template <int R>
void advance_state_rows(const StateRows& rows, std::size_t first) noexcept {
  const std::size_t n = rows.n;
  float* state = rows.state + first * n;
  float gain[R];
  for (std::size_t r = 0; r < R; ++r) gain[r] = rows.step * rows.x[first + r];
  Vector sum[R][kVectors] = {};
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
#pragma GCC unroll 16
    for (std::size_t k = 0; k < kVectors; ++k) {
      const std::size_t at = i + k * kVectorFloats;
      const Vector b = load(rows.b + at), c = load(rows.c + at);
#pragma GCC unroll 16
      for (std::size_t r = 0; r < R; ++r) {
        const Vector h = rows.decay * load(state + r * n + at) + gain[r] * b;
        store(state + r * n + at, h);
        sum[r][k] += h * c;
      }
    }
  }
  for (std::size_t r = 0; r < R; ++r) {
    float lane[kLanes];
    std::memcpy(lane, sum[r], sizeof lane);
    for (std::size_t j = i; j < n; ++j) {
      float& h = state[r * n + j];
      h = rows.decay * h + gain[r] * rows.b[j];
      lane[j - i] += h * rows.c[j];
    }
    rows.out[first + r] = reduce(lane);
  }
}

void advance_state(const StateRows& rows) noexcept {
  std::size_t r = 0;
  for (; r + kRegisterRows <= rows.n_rows; r += kRegisterRows) advance_state_rows<kRegisterRows>(rows, r);
  for (; r < rows.n_rows; ++r) advance_state_rows<1>(rows, r);
}

void rms_norm(const float* x, const float* w, float eps, float* y, std::size_t n) noexcept {
  const float mean_square = dot(x, x, n) / static_cast<float>(n);
  const float inverse = 1.0F / std::sqrt(mean_square + eps);
  if (w == nullptr) {
    for (std::size_t i = 0; i < n; ++i) y[i] = x[i] * inverse;
    return;
  }
  for (std::size_t i = 0; i < n; ++i) y[i] = x[i] * inverse * w[i];
}

void layer_norm(const float* x, const float* w, const float* b, float eps, float* y, std::size_t n) noexcept {
  float lane[kLanes] = {};
  for (std::size_t i = 0; i < n; ++i) lane[i % kLanes] += x[i];
  const float mean = reduce(lane) / static_cast<float>(n);
  for (std::size_t i = 0; i < n; ++i) y[i] = x[i] - mean;
  const float inverse = 1.0F / std::sqrt(dot(y, y, n) / static_cast<float>(n) + eps);
  for (std::size_t i = 0; i < n; ++i) y[i] = y[i] * inverse * w[i] + (b != nullptr ? b[i] : 0.0F);
}

void overlay_f32(KernelTable& table) noexcept {
  table.dot_tile = dot_tile;
  table.dot = dot;
  table.add_scaled = add_scaled;
  table.scale = scale_row;
  table.advance_state = advance_state;
  table.rms_norm = rms_norm;
  table.layer_norm = layer_norm;
}

}  // namespace
}  // namespace cistern::kernels
