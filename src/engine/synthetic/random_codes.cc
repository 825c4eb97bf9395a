#include "engine/synthetic/random_codes.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "quant/blocks.h"

namespace cistern::engine {
namespace {

// Each function gets the bytes of one block.
struct Recipe {
  DType dtype;
  void (*set_scale)(std::byte* block, float scale);
  void (*tidy)(std::byte* block);  // makes random codes ones that an encoder could have written; may be null
};

template <class Block>
Block load(const std::byte* bytes) {
  Block block;
  std::memcpy(&block, bytes, sizeof(block));
  return block;
}

template <class Block>
void store(const Block& block, std::byte* bytes) {
  std::memcpy(bytes, &block, sizeof(block));
}

template <class Block>
void set_half(std::byte* bytes, float scale) {
  auto block = load<Block>(bytes);
  block.d.set(scale);
  store(block, bytes);
}

// d * scale * q - dmin * min. tidy_k() makes min equal to scale in every group, so that this ratio of dmin to
// d, the mean code, centres the values.
template <class Block, int max_code>
void set_half_and_min(std::byte* bytes, float scale) {
  auto block = load<Block>(bytes);
  block.d.set(scale);
  block.dmin.set(scale * static_cast<float>(max_code) / 2);
  store(block, bytes);
}

std::uint8_t repeat_low_nibble(std::uint8_t byte) {
  return static_cast<std::uint8_t>((byte & 15U) * 0x11U);
}

void tidy_q2_k(std::byte* bytes) {
  auto block = load<quant::BlockQ2_K>(bytes);
  for (std::uint8_t& scale : block.scales) scale = repeat_low_nibble(scale);
  store(block, bytes);
}

// Bytes 0 to 3 hold the first four scales and the top bits of the last ones, 4 to 7 the same of the mins, and
// 8 to 11 the low nibbles of both.
template <class Block>
void tidy_k(std::byte* bytes) {
  auto block = load<Block>(bytes);
  std::copy_n(block.scales, 4, block.scales + 4);
  std::transform(block.scales + 8, block.scales + 12, block.scales + 8, repeat_low_nibble);
  store(block, bytes);
}

// Bits of d in the top nibbles of the four scale words, the lowest first.
void set_iq1_m(std::byte* bytes, float scale) {
  auto block = load<quant::BlockIQ1_M>(bytes);
  const std::uint32_t half = float_to_half(scale);
  for (unsigned i = 0; i < 4; ++i) {
    std::uint8_t& top = block.scales[2 * i + 1];
    top = static_cast<std::uint8_t>((top & 15U) | (half >> (4 * i) & 15U) << 4U);
  }
  store(block, bytes);
}

// Every number of trits as the fraction of 256 that encodes it.
std::uint8_t fraction(std::uint32_t trits, std::uint32_t count) {
  return static_cast<std::uint8_t>((trits * 256 + count - 1) / count);
}

void tidy_tq1_0(std::byte* bytes) {
  auto block = load<quant::BlockTQ1_0>(bytes);
  for (std::uint8_t& q : block.qs) q = fraction(q * 243U / 256U, 243);
  for (std::uint8_t& q : block.qh) q = fraction(q * 81U / 256U, 81);
  store(block, bytes);
}

// Codes 0, 1, 2 mean -1, 0, 1; 3 becomes 1.
template <class Block>
void tidy_two_bit(std::byte* bytes) {
  auto block = load<Block>(bytes);
  for (std::uint8_t& q : block.qs) {
    const std::uint32_t threes = q & (q >> 1U) & 0x55U;
    q = static_cast<std::uint8_t>(q & ~(threes << 1U));
  }
  store(block, bytes);
}

// The nearest power of two.
void set_mxfp4(std::byte* bytes, float scale) {
  auto block = load<quant::BlockMXFP4>(bytes);
  block.e = static_cast<std::uint8_t>(std::clamp(std::lround(std::log2(scale)) + 127L, 0L, 254L));
  store(block, bytes);
}

// The nearest UE4M3: steps of 2^-9 up to 2^-6, then three bits of mantissa, at most 448.
std::uint8_t nearest_ue4m3(float scale) {
  const int exponent = std::clamp(std::ilogb(scale), -6, 8);
  const long eighths = std::lround(std::ldexp(scale, 3 - exponent));  // 8 to 16, below 8 if subnormal
  return static_cast<std::uint8_t>(std::clamp((exponent + 6) * 8L + eighths, 1L, 126L));
}

void set_nvfp4(std::byte* bytes, float scale) {
  auto block = load<quant::BlockNVFP4>(bytes);
  for (std::uint8_t& d : block.d) d = nearest_ue4m3(scale);
  store(block, bytes);
}

using namespace quant;  // the blocks, in the table alone
constexpr Recipe kRecipes[] = {
    {DType::kQ2_K, set_half_and_min<BlockQ2_K, 3>, tidy_q2_k},
    {DType::kQ3_K, set_half<BlockQ3_K>, nullptr},
    {DType::kQ4_K, set_half_and_min<BlockQ4_K, 15>, tidy_k<BlockQ4_K>},
    {DType::kQ5_K, set_half_and_min<BlockQ5_K, 31>, tidy_k<BlockQ5_K>},
    {DType::kQ6_K, set_half<BlockQ6_K>, nullptr},
    {DType::kIQ1_S, set_half<BlockIQ1_S>, nullptr},
    {DType::kIQ1_M, set_iq1_m, nullptr},
    {DType::kIQ2_XXS, set_half<BlockIQ2_XXS>, nullptr},
    {DType::kIQ2_XS, set_half<BlockIQ2_XS>, nullptr},
    {DType::kIQ2_S, set_half<BlockIQ2_S>, nullptr},
    {DType::kIQ3_XXS, set_half<BlockIQ3_XXS>, nullptr},
    {DType::kIQ3_S, set_half<BlockIQ3_S>, nullptr},
    {DType::kIQ4_NL, set_half<BlockIQ4_NL>, nullptr},
    {DType::kIQ4_XS, set_half<BlockIQ4_XS>, nullptr},
    {DType::kTQ1_0, set_half<BlockTQ1_0>, tidy_tq1_0},
    {DType::kTQ2_0, set_half<BlockTQ2_0>, tidy_two_bit<BlockTQ2_0>},
    {DType::kMXFP4, set_mxfp4, nullptr},
    {DType::kNVFP4, set_nvfp4, nullptr},
    {DType::kQ1_0, set_half<BlockQ1_0>, nullptr},
    {DType::kQ2_0, set_half<BlockQ2_0>, tidy_two_bit<BlockQ2_0>},
};

const Recipe* find_recipe(DType dtype) noexcept {
  const auto* row = std::ranges::find(kRecipes, dtype, &Recipe::dtype);
  return row == std::end(kRecipes) ? nullptr : row;
}

double mean_square(const quant::Format& format, std::span<const std::byte> blocks) {
  std::vector<float> values(format.block_values);
  double sum = 0;
  for (std::size_t at = 0; at < blocks.size(); at += format.block_bytes) {
    format.dequantize(blocks.data() + at, values.data(), values.size());
    for (const float value : values) sum += double{value} * value;
  }
  return sum / static_cast<double>(blocks.size() / format.block_bytes * format.block_values);
}

}  // namespace

bool has_random_codes(DType dtype) noexcept {
  return find_recipe(dtype) != nullptr;
}

void fill_random_codes(const quant::Format& format, float deviation, Rng& rng, std::span<std::byte> blocks) {
  const Recipe* recipe = find_recipe(format.dtype);
  CISTERN_CHECK(recipe != nullptr && !blocks.empty() && blocks.size() % format.block_bytes == 0);
  for (std::size_t at = 0; at < blocks.size(); at += sizeof(std::uint64_t)) {
    const std::uint64_t bits = rng.next();
    std::memcpy(blocks.data() + at, &bits, std::min(sizeof(bits), blocks.size() - at));
  }
  // Blocks differ in scale, so that a kernel that takes the wrong one is seen.
  std::vector<float> scales(blocks.size() / format.block_bytes);
  for (float& scale : scales) scale = static_cast<float>(0.5 + rng.uniform());
  const auto set_scales = [&](float factor) {
    for (std::size_t i = 0; i < scales.size(); ++i) {
      recipe->set_scale(blocks.data() + i * format.block_bytes, scales[i] * factor);
    }
  };
  if (recipe->tidy != nullptr) {
    for (std::size_t i = 0; i < scales.size(); ++i) recipe->tidy(blocks.data() + i * format.block_bytes);
  }
  set_scales(1.0F);
  set_scales(static_cast<float>(deviation / std::sqrt(mean_square(format, blocks))));
}

}  // namespace cistern::engine
