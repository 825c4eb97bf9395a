// Every section of every type of the shared set quants/gguf: what ggml's to_float gives, bit for bit.
#include <gtest/gtest.h>

#include <bit>
#include <boost/json.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "quant/format.h"
#include "support/fixtures.h"

namespace cistern::quant {
namespace {

namespace json = boost::json;
using testing::kNoSharedFixtures;
using testing::read_bytes;
using testing::read_floats;
using testing::read_text;
using testing::require_shared_fixtures;

std::size_t size_field(const json::object& object, const char* name) {
  return object.at(name).to_number<std::size_t>();
}

// The number of values that differ in any bit; reports the first.
std::size_t count_differences(const std::string& what, const std::vector<float>& got, const float* want) {
  std::size_t differences = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (std::bit_cast<std::uint32_t>(got[i]) == std::bit_cast<std::uint32_t>(want[i])) continue;
    if (differences++ == 0) ADD_FAILURE() << what << ", value " << i << ": " << got[i] << ", not " << want[i];
  }
  return differences;
}

TEST(QuantsWholeSet, EveryTypeGivesGgmlsValuesBitForBit) {
  const auto fixtures = require_shared_fixtures();
  if (!fixtures) GTEST_SKIP() << kNoSharedFixtures;
  const auto dir = *fixtures / "quants" / "gguf";
  const json::value index = json::parse(read_text(dir / "index.json"));
  std::size_t n_types = 0;
  std::size_t n_sections = 0;
  std::size_t n_values = 0;
  for (const auto& [key, value] : index.at("types").as_object()) {
    const std::string name(key);
    const json::object& type = value.as_object();
    const Format* format = find_by_name(name);
    ASSERT_NE(format, nullptr) << name;
    EXPECT_EQ(format->ggml_type, size_field(type, "ggml_type")) << name;
    EXPECT_EQ(format->block_values, size_field(type, "block_size")) << name;
    EXPECT_EQ(format->block_bytes, size_field(type, "bytes_per_block")) << name;

    const auto blocks = read_bytes(dir / (name + ".bin"));
    const auto values = read_floats(dir / (name + ".f32"));
    for (const json::value& entry : type.at("sections").as_array()) {
      const json::object& section = entry.as_object();
      const std::string what = name + ", " + std::string(section.at("name").as_string());
      std::vector<float> got(size_field(section, "n_elements"));
      ASSERT_EQ(row_bytes(format->dtype, got.size()).value(), size_field(section, "n_bytes")) << what;
      ASSERT_LE(size_field(section, "byte_offset") + size_field(section, "n_bytes"), blocks.size()) << what;
      ASSERT_LE(size_field(section, "element_offset") + got.size(), values.size()) << what;
      format->dequantize(blocks.data() + size_field(section, "byte_offset"), got.data(), got.size());
      EXPECT_EQ(count_differences(what, got, values.data() + size_field(section, "element_offset")), 0U)
          << what;
      ++n_sections;
      n_values += got.size();
    }
    ++n_types;
  }
  EXPECT_GT(n_types, 0U);
  std::printf("%zu types, %zu sections, %zu values\n", n_types, n_sections, n_values);
}

}  // namespace
}  // namespace cistern::quant
