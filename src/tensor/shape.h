// Tensor dimensions, innermost (contiguous) first as in GGUF: dim(0) is the row length (columns), dim(1) the
// number of rows. Up to four dimensions; missing ones are 1. Plain value; no overflow is possible in
// `elements` because whoever reads a file checks the product first (checked_elements).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace cistern {

class Shape {
 public:
  static constexpr int kMaxDims = 4;

  constexpr Shape() = default;
  constexpr explicit Shape(std::uint64_t cols, std::uint64_t rows = 1, std::uint64_t d2 = 1,
                           std::uint64_t d3 = 1)
      : dims_{cols, rows, d2, d3} {}

  constexpr std::uint64_t dim(int i) const { return dims_[static_cast<std::size_t>(i)]; }
  constexpr std::uint64_t cols() const { return dims_[0]; }
  constexpr std::uint64_t rows() const { return dims_[1] * dims_[2] * dims_[3]; }  // rows of all matrices
  constexpr std::uint64_t elements() const { return cols() * rows(); }
  constexpr bool operator==(const Shape&) const = default;

  // Product of `dims`, or nothing when it overflows 2^62 or a dimension is zero.
  static std::optional<std::uint64_t> checked_elements(std::span<const std::uint64_t> dims) {
    std::uint64_t product = 1;
    for (const std::uint64_t d : dims) {
      if (d == 0 || d > (std::uint64_t{1} << 62U) / product) return std::nullopt;
      product *= d;
    }
    return product;
  }

 private:
  std::array<std::uint64_t, kMaxDims> dims_{1, 1, 1, 1};
};

}  // namespace cistern
