// Weights faster than they could be drawn and encoded one by one: a bank of a few thousand units of 256
// Gaussian values, encoded once, from which the rows of matrices are put together. The floats depend on the
// seed and the standard deviation alone, so files of different types encode the same weights. Used by
// synthetic_model.cc. A bank is immutable; a WeightStream is for one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "base/rng.h"
#include "quant/format.h"

namespace cistern::engine {

// Near enough to a standard normal value (the sum of twelve uniform ones, at most 6), and the same bits on
// every machine, as no library function is involved.
float gaussian(Rng& rng) noexcept;

class WeightBank {
 public:
  static constexpr std::size_t kUnitValues = 256;
  static constexpr std::size_t kSharedUnits = 4096;

  // Values of types without an encoder are random codes, which no other type can have (random_codes.h).
  // REQUIRES: a weight type whose blocks divide a unit.
  WeightBank(const quant::Format& format, std::uint64_t seed, float deviation,
             std::size_t n_units = kSharedUnits);

  std::size_t n_units() const { return encoded_.size() / unit_bytes_; }
  std::span<const std::byte> unit(std::size_t index) const {
    return std::span(encoded_).subspan(index * unit_bytes_, unit_bytes_);
  }

 private:
  std::size_t unit_bytes_;
  std::vector<std::byte> encoded_;
};

// Banks by standard deviation; of one format and seed.
class BankCache {
 public:
  BankCache(const quant::Format& format, std::uint64_t seed) : format_(&format), seed_(seed) {}
  const WeightBank& get(float deviation);
  const quant::Format& format() const { return *format_; }

 private:
  const quant::Format* format_;
  std::uint64_t seed_;
  std::map<float, WeightBank> banks_;
};

// The rows of one matrix, one after the other. Wide rows pick units of the shared bank; narrow ones, of which
// there would soon be two alike, use up banks of their own.
class WeightStream {
 public:
  // `seed` should differ from matrix to matrix. REQUIRES: cols is a whole number of blocks. `banks` must
  // outlive the stream.
  WeightStream(BankCache& banks, std::uint64_t seed, std::uint64_t cols, float deviation);

  std::size_t row_bytes() const { return row_bytes_; }
  void next_row(std::byte* out);  // row_bytes()

 private:
  std::span<const std::byte> next_unit();

  const quant::Format* format_;
  float deviation_;
  std::size_t row_bytes_;
  Rng rng_;
  const WeightBank* shared_ = nullptr;  // of wide rows
  std::vector<WeightBank> own_;         // of narrow rows: one, once there was a row
  std::size_t used_ = 0;                // units of it
};

}  // namespace cistern::engine
