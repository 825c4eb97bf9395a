// A non-owning view of a packed tensor: type, shape, place and where its bytes start. Weights and activations
// travel as views from store/ and the scratch arena to ops/; nothing above ops/ reads through them, so a
// place other than the host can be added without touching the model code. Plain value; whoever made it says
// how long the bytes live.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/check.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace cistern {

struct Place {
  int device = -1;  // -1: host memory
  constexpr bool is_host() const { return device < 0; }
  constexpr bool operator==(const Place&) const = default;
};

inline constexpr Place kHost{};

struct TensorView {
  DType dtype = DType::kF32;
  Shape shape;
  std::byte* data = nullptr;  // weights are never written through a view: see WeightView
  Place place = kHost;

  float* f32() const {
    CISTERN_CHECK(dtype == DType::kF32 && place.is_host());
    return reinterpret_cast<float*>(data);
  }
  // Row `i` of a float matrix.
  float* row(std::uint64_t i) const { return f32() + i * shape.cols(); }
  // Rows [first, first + count) of a float matrix.
  TensorView rows(std::uint64_t first, std::uint64_t count) const {
    return {.dtype = dtype,
            .shape = Shape(shape.cols(), count),
            .data = reinterpret_cast<std::byte*>(row(first)),
            .place = place};
  }
};

// The read-only twin, for weights: a write through it does not compile.
struct WeightView {
  DType dtype = DType::kF32;
  Shape shape;
  const std::byte* data = nullptr;
  std::uint64_t row_bytes = 0;  // bytes from one row to the next
  Place place = kHost;

  const float* f32() const {
    CISTERN_CHECK(dtype == DType::kF32 && place.is_host());
    return reinterpret_cast<const float*>(data);
  }
};

// Slices of a weight tensor that are wanted at once, each wherever it lies: rows of a table, matrices of a
// stack of experts.
struct WeightSlices {
  WeightView slice;                        // type, shape and row_bytes of each; its data is of no meaning
  std::span<const std::byte* const> data;  // of each slice, in the order asked for

  std::size_t size() const { return data.size(); }
  WeightView operator[](std::size_t i) const {
    WeightView view = slice;
    view.data = data[i];
    return view;
  }
};

}  // namespace cistern
