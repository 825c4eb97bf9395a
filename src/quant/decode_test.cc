// The scalar codecs against ggml's own values (tests/data/quants), and on bytes that no quantizer wrote.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "quant/blocks.h"
#include "quant/codebooks.h"
#include "quant/format.h"
#include "support/fixtures.h"

namespace cistern::quant {
namespace {

using testing::data_dir;
using testing::read_bytes;
using testing::read_floats;
using testing::read_lines;

struct Section {
  std::string type;
  std::size_t byte_offset = 0;
  std::size_t n_bytes = 0;
  std::size_t value_offset = 0;
  std::size_t n_values = 0;
  std::string name;
};

std::vector<Section> read_index() {
  std::vector<Section> sections;
  for (const std::string& line : read_lines(data_dir() / "quants" / "index.txt")) {
    Section& s = sections.emplace_back();
    std::istringstream fields(line);
    fields >> s.type >> s.byte_offset >> s.n_bytes >> s.value_offset >> s.n_values >> std::ws;
    std::getline(fields, s.name);
  }
  return sections;
}

TEST(Decode, GivesGgmlsValuesBitForBit) {
  std::map<std::string, int> sections_of_type;
  for (const Section& section : read_index()) {
    const Format* format = find_by_name(section.type);
    ASSERT_NE(format, nullptr) << section.type;
    const auto blocks = read_bytes(data_dir() / "quants" / (section.type + ".bin"));
    const auto values = read_floats(data_dir() / "quants" / (section.type + ".f32"));
    ASSERT_EQ(row_bytes(format->dtype, section.n_values).value(), section.n_bytes) << section.type;
    ASSERT_LE(section.byte_offset + section.n_bytes, blocks.size()) << section.type;
    ASSERT_LE(section.value_offset + section.n_values, values.size()) << section.type;

    std::vector<float> got(section.n_values);
    format->dequantize(blocks.data() + section.byte_offset, got.data(), got.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      const float want = values[section.value_offset + i];
      ASSERT_EQ(std::bit_cast<std::uint32_t>(got[i]), std::bit_cast<std::uint32_t>(want))
          << section.type << ", " << section.name << ", value " << i << ": " << got[i] << ", not " << want;
    }
    ++sections_of_type[section.type];
  }
  for (const Format& format : all_formats()) {
    if (format.dequantize == nullptr || format.dtype == DType::kF32) continue;
    EXPECT_GT(sections_of_type[std::string(format.name)], 0) << format.name << " has no reference values";
  }
}

TEST(Decode, IsTotalOnRandomBytesAtAnyAlignment) {
  std::mt19937 random(1);
  for (const Format& format : all_formats()) {
    if (format.dequantize == nullptr) continue;
    constexpr std::size_t kBlocks = 64;
    const std::size_t n_values = kBlocks * format.block_values;
    std::vector<std::byte> aligned(kBlocks * format.block_bytes);
    for (std::byte& byte : aligned) byte = static_cast<std::byte>(random());
    std::vector<std::byte> shifted(aligned.size() + 1);
    std::copy(aligned.begin(), aligned.end(), shifted.begin() + 1);

    // One guard value on each side: exactly n_values are written.
    std::vector<float> a(n_values + 2, 12345.0F);
    std::vector<float> b(n_values);
    format.dequantize(aligned.data(), a.data() + 1, n_values);
    format.dequantize(shifted.data() + 1, b.data(), n_values);
    EXPECT_EQ(a.front(), 12345.0F) << format.name;
    EXPECT_EQ(a.back(), 12345.0F) << format.name;
    EXPECT_EQ(std::memcmp(a.data() + 1, b.data(), n_values * sizeof(float)), 0) << format.name;
  }
}

TEST(Decode, OfNoValuesTouchesNothing) {
  for (const Format& format : all_formats()) {
    if (format.dequantize != nullptr) format.dequantize(nullptr, nullptr, 0);
    if (format.quantize != nullptr) format.quantize(nullptr, nullptr, 0);
  }
}

TEST(Decode, ReadsTheScaleCodesThatStandardsCallNaN) {
  BlockMXFP4 mx{.e = 255, .qs = {}};
  std::fill(std::begin(mx.qs), std::end(mx.qs), std::uint8_t{0x11});  // e2m1 code 1: one half
  float values[64];
  format_of(DType::kMXFP4).dequantize(reinterpret_cast<const std::byte*>(&mx), values, 32);
  EXPECT_EQ(values[0], 0x1p127F);

  BlockNVFP4 nv{.d = {0x7F, 0xFF, 0xB8, 0x38}, .qs = {}};
  std::fill(std::begin(nv.qs), std::end(nv.qs), std::uint8_t{0x22});  // e2m1 code 2: one
  format_of(DType::kNVFP4).dequantize(reinterpret_cast<const std::byte*>(&nv), values, 64);
  EXPECT_EQ(values[0], 0.0F);
  EXPECT_EQ(values[16], 480.0F);  // the sign bit is ignored, and only 0x7F itself is zero
  EXPECT_EQ(values[32], 1.0F);
  EXPECT_EQ(values[48], 1.0F);
}

// FNV-1a over the bytes of a table.
template <class Table>
std::uint64_t hash_of(const Table& table) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const auto& entry : table) {
    for (const auto value : entry) hash = (hash ^ static_cast<std::uint8_t>(value)) * 0x100000001B3U;
  }
  return hash;
}

TEST(Codebooks, AreThePublishedOnes) {  // hashes of the grids in the gguf package 0.19.0
  EXPECT_EQ(hash_of(kIQ1Codebook), 0x6703ED863501AE2EU);
  EXPECT_EQ(hash_of(kIQ2XXSCodebook), 0xBB4EE025B5AC6E8EU);
  EXPECT_EQ(hash_of(kIQ2XSCodebook), 0xC9B1EE61E79909BDU);
  EXPECT_EQ(hash_of(kIQ2SCodebook), 0x123EDD38A3B62B90U);
  EXPECT_EQ(hash_of(kIQ3XXSCodebook), 0xDFA5DC83D6A155D5U);
  EXPECT_EQ(hash_of(kIQ3SCodebook), 0xFA37020C25B44829U);
}

TEST(Codebooks, EvenSignsAreEven) {
  for (std::uint32_t code = 0; code < 128; ++code) {
    EXPECT_EQ(even_signs(code) & 127U, code);
    EXPECT_EQ(std::popcount(even_signs(code)) % 2, 0);
    EXPECT_LT(even_signs(code), 256U);
  }
}

}  // namespace
}  // namespace cistern::quant
