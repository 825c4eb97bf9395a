// The encoders against an independent implementation of ggml's reference rounding, and against the step of
// each type.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "quant/format.h"
#include "support/fixtures.h"

namespace cistern::quant {
namespace {

using testing::data_dir;
using testing::read_bytes;
using testing::read_floats;

std::vector<std::byte> encoded(const Format& format, const std::vector<float>& values) {
  std::vector<std::byte> blocks(row_bytes(format.dtype, values.size()).value());
  format.quantize(values.data(), blocks.data(), values.size());
  return blocks;
}

std::vector<float> decoded(const Format& format, const std::vector<std::byte>& blocks) {
  std::vector<float> values(blocks.size() / format.block_bytes * format.block_values);
  format.dequantize(blocks.data(), values.data(), values.size());
  return values;
}

TEST(Encode, GivesTheReferenceBytes) {
  const auto dir = data_dir() / "quants" / "encode";
  for (const std::string name : {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "F16", "BF16"}) {
    const Format& format = *find_by_name(name);
    const auto values = read_floats(dir / (format.block_values == 1 ? "plain.f32" : "values.f32"));
    const auto want = read_bytes(dir / (name + ".bin"));
    const auto got = encoded(format, values);
    ASSERT_EQ(got.size(), want.size()) << name;
    for (std::size_t i = 0; i < got.size(); ++i) {
      ASSERT_EQ(got[i], want[i]) << name << ", block " << i / format.block_bytes << ", byte "
                                 << i % format.block_bytes;
    }
  }
}

TEST(Encode, InvertsEveryHalfAndBf16) {
  for (const DType dtype : {DType::kF16, DType::kBF16}) {
    const Format& format = format_of(dtype);
    std::vector<std::byte> all(2 * 65536);
    for (std::size_t bits = 0; bits < 65536; ++bits) {
      all[2 * bits] = static_cast<std::byte>(bits & 0xFF);
      all[2 * bits + 1] = static_cast<std::byte>(bits >> 8);
    }
    const auto values = decoded(format, all);
    const auto back = encoded(format, values);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (std::isnan(values[i])) continue;
      ASSERT_TRUE(back[2 * i] == all[2 * i] && back[2 * i + 1] == all[2 * i + 1])
          << format.name << ", bits " << i;
    }
  }
}

TEST(Encode, F32IsTheIdentity) {
  const std::vector<float> values = {0.0F, -0.0F, 1.5F, std::numeric_limits<float>::denorm_min(), -INFINITY};
  const Format& format = format_of(DType::kF32);
  const auto back = decoded(format, encoded(format, values));
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(std::bit_cast<std::uint32_t>(back[i]), std::bit_cast<std::uint32_t>(values[i]));
  }
}

// Blocks that a quantizer wrote hold their extreme exactly, so encoding their values restores them byte for
// byte.
TEST(Encode, RestoresQuantizedBlocks) {
  std::mt19937 random(2);
  std::normal_distribution<float> normal;
  for (const DType dtype : {DType::kQ4_0, DType::kQ4_1, DType::kQ5_0, DType::kQ5_1, DType::kQ8_0}) {
    const Format& format = format_of(dtype);
    std::vector<float> values(32 * 200);
    for (float& value : values) value = normal(random);
    const auto blocks = encoded(format, values);
    EXPECT_EQ(encoded(format, decoded(format, blocks)), blocks) << format.name;
  }
}

struct StepCase {
  DType dtype;
  bool affine;  // step = (max - min) / levels, else step = max|x| / levels
  float levels;
  float worst_steps;  // largest distance to the nearest code: 1/2, or 1 where one end of the range is cut off
};

constexpr StepCase kStepCases[] = {
    {DType::kQ4_0, false, 8, 1.0F}, {DType::kQ5_0, false, 16, 1.0F}, {DType::kQ8_0, false, 127, 0.5F},
    {DType::kQ4_1, true, 15, 0.5F}, {DType::kQ5_1, true, 31, 0.5F},
};

TEST(Encode, StaysWithinTheStepOfTheType) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  for (const StepCase& c : kStepCases) {
    const Format& format = format_of(c.dtype);
    for (int trial = 0; trial < 500; ++trial) {
      const float size = std::exp2(static_cast<float>(trial % 24 - 12));
      const float offset = trial % 3 == 0 ? 4.0F * size : 0.0F;
      std::vector<float> values(32);
      for (float& value : values) value = normal(random) * size + offset;
      const auto back = decoded(format, encoded(format, values));

      const auto [min, max] = std::minmax_element(values.begin(), values.end());
      const float amax = std::max(std::fabs(*min), std::fabs(*max));
      const float step = (c.affine ? *max - *min : amax) / c.levels;
      // Scale and minimum are stored as halves: relative error 2^-11, absolute error 2^-25 for subnormals.
      const float stored_error =
          c.levels * (step * 0x1p-11F + 0x1p-25F) + (c.affine ? std::fabs(*min) * 0x1p-11F + 0x1p-25F : 0.0F);
      const float bound = c.worst_steps * step + stored_error + amax * 0x1p-20F;
      for (std::size_t i = 0; i < values.size(); ++i) {
        ASSERT_LE(std::fabs(back[i] - values[i]), bound)
            << format.name << ", trial " << trial << ", value " << i;
      }
    }
  }
}

// In the cut-off types only values at the end opposite to the extreme may be off by more than half a step.
TEST(Encode, RoundsToNearestInsideTheRange) {
  for (const auto& [dtype, levels] : {std::pair{DType::kQ4_0, 8.0F}, std::pair{DType::kQ5_0, 16.0F}}) {
    const Format& format = format_of(dtype);
    std::vector<float> values(32);
    for (int i = 0; i < 32; ++i)
      values[static_cast<std::size_t>(i)] = static_cast<float>(i) / 31.0F * -1.8F + 0.8F;
    const auto back =
        decoded(format, encoded(format, values));  // the extreme is -1: a step of 1 / levels, exact
    for (std::size_t i = 0; i < values.size(); ++i) {
      ASSERT_LE(std::fabs(back[i] - values[i]), 0.5F / levels + 1e-6F) << format.name << ", value " << i;
    }
  }
}

TEST(Encode, IsTotalOnNonFiniteValues) {
  const float specials[] = {NAN, INFINITY, -INFINITY, 3e38F, -3e38F, 1e-45F, 0.0F, 1.0F};
  std::mt19937 random(4);
  for (const Format& format : all_formats()) {
    if (format.quantize == nullptr) continue;
    std::vector<float> values(32 * 64);
    for (float& value : values) value = specials[random() % std::size(specials)];
    std::vector<std::byte> blocks(row_bytes(format.dtype, values.size()).value() + 1, std::byte{0x5A});
    format.quantize(values.data(), blocks.data(), values.size());
    EXPECT_EQ(blocks.back(), std::byte{0x5A}) << format.name;
  }
}

}  // namespace
}  // namespace cistern::quant
