// Metadata beyond what every model has, as data: keys with values that follow from the sizes of a shape, so
// that one table serves models of any size. Used by habits.cc and shape_table.cc. Plain values.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <variant>

namespace cistern::engine {

struct ModelShape;

// A size of the shape.
enum class Of : std::uint8_t { kOne, kLayers, kDim, kFfn, kHeads, kKvHeads, kHeadDim };

// A part of a size: `of` * times / over, down to a multiple of `step`, but at least `least`.
struct Amount {
  Of of = Of::kOne;
  std::uint32_t times = 0;
  std::uint32_t over = 1;
  std::uint32_t step = 1;
  std::uint32_t least = 0;

  std::uint32_t in(const ModelShape& shape) const;
};
constexpr Amount exactly(std::uint32_t n) {
  return {.of = Of::kOne, .times = n};
}
constexpr Amount part(Of of, std::uint32_t times = 1, std::uint32_t over = 1) {
  return {.of = of, .times = times, .over = over};
}
// A length of rows: whole blocks of any weight type.
constexpr Amount row_part(Of of, std::uint32_t times = 1, std::uint32_t over = 1) {
  return {.of = of, .times = times, .over = over, .step = 256, .least = 256};
}

// One amount per layer: those of a cycle, again and again, after those of the layers before it.
struct PerLayer {
  static constexpr std::size_t kMax = 10;
  std::array<Amount, kMax> amounts = {};
  std::uint32_t n_amounts = 0;
  std::uint32_t n_first = 0;  // of the amounts: they are not repeated
};

// One number per layer: `first` in the first layers, then `rest`.
struct Ramp {
  float first = 0;
  float rest = 0;
  Amount n_first = {};
};

struct Trait {
  std::string_view key;  // after "<arch>."
  std::variant<Amount, float, bool, std::string_view, PerLayer, Ramp> value;
};

}  // namespace cistern::engine
