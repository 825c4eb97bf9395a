// What tests of ops share: an Exec with threads and memory of its own, views of vectors, random values and
// random weights of any type. Tests only.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/rng.h"
#include "ops/exec.h"
#include "quant/format.h"
#include "tensor/view.h"

namespace cistern::ops {

inline std::vector<float> random_values(std::size_t n, std::uint64_t seed, float scale = 1.0F) {
  Rng rng(seed);
  std::vector<float> values(n);
  for (float& v : values) v = static_cast<float>(rng.uniform() * 2 - 1) * scale;
  return values;
}

inline TensorView view(std::vector<float>& values, std::uint64_t cols) {
  return {.shape = Shape(cols, values.size() / cols), .data = reinterpret_cast<std::byte*>(values.data())};
}

inline WeightView f32_weight(const std::vector<float>& values, const Shape& shape) {
  return {.dtype = DType::kF32,
          .shape = shape,
          .data = reinterpret_cast<const std::byte*>(values.data()),
          .row_bytes = shape.cols() * sizeof(float)};
}

class Machine {
 public:
  explicit Machine(int threads, sys::Isa isa = sys::best_isa())
      : pool_(threads), packed_(kPackedLines), scratch_(kScratch / 16 * static_cast<std::size_t>(threads)) {
    exec = {.pool = &pool_,
            .kernels = &kernels::resolve(isa),
            .packed = std::as_writable_bytes(std::span(packed_)),
            .scratch = {reinterpret_cast<float*>(scratch_.data()), scratch_.size() * 16},
            .scratch_floats_per_thread = kScratch};
  }
  Exec exec;

 private:
  static constexpr std::size_t kScratch = 1U << 17U;
  static constexpr std::size_t kPackedLines = 1U << 14U;
  struct alignas(64) Line {
    float values[16];
  };
  sys::ThreadPool pool_;
  std::vector<Line> packed_;
  std::vector<Line> scratch_;
};

// Random blocks of any type: random bytes, with scales kept tame by decoding and refusing what is not tame.
struct Weights {
  std::vector<std::byte> bytes;
  WeightView view;
  std::vector<float> decoded;
};

inline Weights random_weights(DType dtype, std::uint64_t cols, std::uint64_t rows, float most = 1e3F) {
  const quant::Format& format = quant::format_of(dtype);
  const std::uint64_t row_bytes = *quant::row_bytes(dtype, cols);
  Weights w{.bytes = std::vector<std::byte>(row_bytes * rows), .decoded = std::vector<float>(cols * rows)};
  Rng rng(static_cast<std::uint64_t>(dtype) + 1);
  const std::uint64_t blocks = row_bytes * rows / format.block_bytes;
  std::vector<float> block(format.block_values);
  for (std::uint64_t b = 0; b < blocks; ++b) {
    std::byte* at = w.bytes.data() + b * format.block_bytes;
    for (;;) {
      for (std::uint32_t i = 0; i < format.block_bytes; ++i) at[i] = static_cast<std::byte>(rng.next());
      format.dequantize(at, block.data(), format.block_values);
      bool tame = true;
      for (const float v : block) tame = tame && std::fabs(v) < most;
      if (tame) break;
    }
  }
  for (std::uint64_t r = 0; r < rows; ++r) {
    format.dequantize(w.bytes.data() + r * row_bytes, w.decoded.data() + r * cols, cols);
  }
  w.view = {.dtype = dtype, .shape = Shape(cols, rows), .data = w.bytes.data(), .row_bytes = row_bytes};
  return w;
}

// Slices of `slice_rows` rows each of a tensor in memory.
struct Slices {
  Slices(const WeightView& w, std::uint64_t slice_rows, const std::vector<std::uint32_t>& wanted) {
    for (const std::uint32_t i : wanted) data.push_back(w.data + i * slice_rows * w.row_bytes);
    slices = {
        .slice = {.dtype = w.dtype, .shape = Shape(w.shape.cols(), slice_rows), .row_bytes = w.row_bytes},
        .data = data};
  }
  Slices(const Slices&) = delete;
  Slices& operator=(const Slices&) = delete;

  std::vector<const std::byte*> data;
  WeightSlices slices;
};

}  // namespace cistern::ops
