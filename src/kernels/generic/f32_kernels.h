// The float kernels written once over 16-lane vectors, included by one source file per ISA inside that ISA's
// target region (region_begin.h); the compiler maps a vector to one, two or four registers. No fused
// multiply-add and a fixed lane order: every ISA gives the same bits. Everything has internal linkage, so no
// copy compiled for one ISA can be picked for another. Not a public header.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstring>

#include "kernels/kernel_table.h"

namespace cistern::kernels {
namespace {

constexpr std::size_t kLanes = 16;
typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float))));

inline Lanes load(const float* p) noexcept {
  Lanes v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

inline void store(float* p, const Lanes& v) noexcept {
  std::memcpy(p, &v, sizeof v);
}

// The last n < kLanes values, zeros behind them.
inline Lanes load_tail(const float* p, std::size_t n) noexcept {
  Lanes v{};
  std::memcpy(&v, p, n * sizeof(float));
  return v;
}

inline Lanes splat(float value) noexcept {
  return Lanes{} + value;
}

// Lanes added pairwise: i + (i + 8), then + 4, + 2, + 1.
inline float reduce(const Lanes& v) noexcept {
  float lane[kLanes];
  std::memcpy(lane, &v, sizeof lane);
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) lane[i] += lane[i + half];
  }
  return lane[0];
}

template <int R, int T>
void dot_tile_fixed(const DotTile& tile) noexcept {
  Lanes sum[R][T] = {};
  std::size_t i = 0;
  for (; i + kLanes <= tile.n; i += kLanes) {
    Lanes x[T];
    for (int t = 0; t < T; ++t) x[t] = load(tile.x + static_cast<std::size_t>(t) * tile.x_stride + i);
    for (int r = 0; r < R; ++r) {
      const Lanes w = load(tile.w + static_cast<std::size_t>(r) * tile.w_stride + i);
      for (int t = 0; t < T; ++t) sum[r][t] += w * x[t];
    }
  }
  if (const std::size_t rest = tile.n - i; rest > 0) {
    for (int r = 0; r < R; ++r) {
      const Lanes w = load_tail(tile.w + static_cast<std::size_t>(r) * tile.w_stride + i, rest);
      for (int t = 0; t < T; ++t) {
        sum[r][t] += w * load_tail(tile.x + static_cast<std::size_t>(t) * tile.x_stride + i, rest);
      }
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int t = 0; t < T; ++t)
      tile.out[static_cast<std::size_t>(t) * tile.out_stride + r] = reduce(sum[r][t]);
  }
}

using DotTileFn = void (*)(const DotTile&) noexcept;

void dot_tile(const DotTile& tile) noexcept {
  static constexpr DotTileFn kBySize[kTileRows][kTileTokens] = {
      {dot_tile_fixed<1, 1>, dot_tile_fixed<1, 2>, dot_tile_fixed<1, 3>, dot_tile_fixed<1, 4>},
      {dot_tile_fixed<2, 1>, dot_tile_fixed<2, 2>, dot_tile_fixed<2, 3>, dot_tile_fixed<2, 4>},
      {dot_tile_fixed<3, 1>, dot_tile_fixed<3, 2>, dot_tile_fixed<3, 3>, dot_tile_fixed<3, 4>},
      {dot_tile_fixed<4, 1>, dot_tile_fixed<4, 2>, dot_tile_fixed<4, 3>, dot_tile_fixed<4, 4>},
  };
  kBySize[tile.n_rows - 1][tile.n_tokens - 1](tile);
}

float dot(const float* a, const float* b, std::size_t n) noexcept {
  float result = 0;
  dot_tile_fixed<1, 1>({.w = a, .n_rows = 1, .x = b, .n_tokens = 1, .n = n, .out = &result});
  return result;
}

void add_scaled(float scale, const float* x, float* y, std::size_t n) noexcept {
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, load(y + i) + splat(scale) * load(x + i));
  for (; i < n; ++i) y[i] += scale * x[i];
}

void scale_row(float scale, float* y, std::size_t n) noexcept {
  for (std::size_t i = 0; i < n; ++i) y[i] *= scale;
}

void rms_norm(const float* x, const float* w, float eps, float* y, std::size_t n) noexcept {
  const float mean_square = dot(x, x, n) / static_cast<float>(n);
  const float inverse = 1.0F / std::sqrt(mean_square + eps);
  for (std::size_t i = 0; i < n; ++i) y[i] = x[i] * inverse * w[i];
}

void overlay_f32(KernelTable& table) noexcept {
  table.dot_tile = dot_tile;
  table.dot = dot;
  table.add_scaled = add_scaled;
  table.scale = scale_row;
  table.rms_norm = rms_norm;
}

}  // namespace
}  // namespace cistern::kernels
