#include "engine/synthetic/weight_bank.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "engine/synthetic/random_codes.h"

namespace cistern::engine {
namespace {

// From three units on there are 2^36 rows to pick: hardly two alike in any vocabulary. With two, 2^24: a few
// alike among the millions of a stack of experts, and nothing hangs on them.
constexpr std::uint64_t kWideCols = 2 * WeightBank::kUnitValues;
// In a bank that is used up: few, as small matrices use a part of it only.
constexpr std::size_t kOwnUnits = 64;

}  // namespace

float gaussian(Rng& rng) noexcept {
  constexpr std::uint64_t kLowHalves = 0x0000FFFF'0000FFFFU;
  std::uint64_t sums = 0;  // two sums of six 16-bit values
  for (int draw = 0; draw < 3; ++draw) {
    const std::uint64_t bits = rng.next();
    sums += (bits & kLowHalves) + (bits >> 16U & kLowHalves);
  }
  const auto sum = static_cast<std::int32_t>((sums & 0xFFFFFFFFU) + (sums >> 32U));
  constexpr std::int32_t kTwiceMean = 12 * 0xFFFF;
  return static_cast<float>(2 * sum - kTwiceMean) * 0x1p-17F;  // twelve of variance 1/12
}

WeightBank::WeightBank(const quant::Format& format, std::uint64_t seed, float deviation, std::size_t n_units)
    : unit_bytes_(kUnitValues / format.block_values * format.block_bytes), encoded_(n_units * unit_bytes_) {
  CISTERN_CHECK(kUnitValues % format.block_values == 0);
  Rng rng(seed);
  if (format.quantize == nullptr) {
    fill_random_codes(format, deviation, rng, encoded_);
    return;
  }
  std::array<float, kUnitValues> values;
  for (std::size_t i = 0; i < n_units; ++i) {
    for (float& value : values) value = gaussian(rng) * deviation;
    format.quantize(values.data(), encoded_.data() + i * unit_bytes_, kUnitValues);
  }
}

const WeightBank& BankCache::get(float deviation) {
  const auto found = banks_.find(deviation);
  if (found != banks_.end()) return found->second;
  return banks_.emplace(deviation, WeightBank(*format_, seed_, deviation)).first->second;
}

WeightStream::WeightStream(BankCache& banks, std::uint64_t seed, std::uint64_t cols, float deviation)
    : format_(&banks.format()),
      deviation_(deviation),
      row_bytes_(static_cast<std::size_t>(cols / format_->block_values * format_->block_bytes)),
      rng_(seed),
      shared_(cols >= kWideCols ? &banks.get(deviation) : nullptr) {
  CISTERN_CHECK(cols % format_->block_values == 0);
}

std::span<const std::byte> WeightStream::next_unit() {
  if (shared_ != nullptr) return shared_->unit(rng_.next() % WeightBank::kSharedUnits);
  if (own_.empty() || used_ == kOwnUnits) {
    own_.clear();
    own_.emplace_back(*format_, rng_.next(), deviation_, kOwnUnits);
    used_ = 0;
  }
  return own_.front().unit(used_++);
}

void WeightStream::next_row(std::byte* out) {
  for (std::size_t filled = 0; filled < row_bytes_;) {
    const std::span<const std::byte> unit = next_unit();
    const std::size_t size = std::min(unit.size(), row_bytes_ - filled);
    std::copy_n(unit.data(), size, out + filled);
    filled += size;
  }
}

}  // namespace cistern::engine
