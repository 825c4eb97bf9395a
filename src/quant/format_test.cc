#include "quant/format.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <string>

namespace cistern::quant {
namespace {

constexpr std::uint64_t kMaxU64 = std::numeric_limits<std::uint64_t>::max();

TEST(FormatTable, HasOneRowPerDType) {
  ASSERT_EQ(all_formats().size(), static_cast<std::size_t>(kDTypeCount));
  std::set<std::string_view> names;
  std::set<std::uint32_t> numbers;
  for (int i = 0; i < kDTypeCount; ++i) {
    const Format& format = format_of(static_cast<DType>(i));
    EXPECT_EQ(static_cast<int>(format.dtype), i);
    EXPECT_EQ(&all_formats()[static_cast<std::size_t>(i)], &format);
    EXPECT_FALSE(format.name.empty());
    EXPECT_TRUE(names.insert(format.name).second) << format.name;
    EXPECT_TRUE(numbers.insert(format.ggml_type).second) << format.name;
    EXPECT_GT(format.block_bytes, 0U) << format.name;
    EXPECT_TRUE(format.block_values == 1 || format.block_values % 32 == 0) << format.name;
  }
}

TEST(FormatTable, OnlyStorageTypesHaveNoCodec) {
  for (const Format& format : all_formats()) {
    const bool storage_only = format.dtype >= DType::kF64;
    EXPECT_EQ(format.dequantize == nullptr, storage_only) << format.name;
    EXPECT_TRUE(!storage_only || format.quantize == nullptr) << format.name;
  }
}

TEST(FormatTable, EncodesWhatTheKvCacheAndActivationsNeed) {
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16, DType::kQ8_0, DType::kQ4_0, DType::kQ4_1,
                            DType::kQ5_0, DType::kQ5_1}) {
    EXPECT_NE(format_of(dtype).quantize, nullptr) << format_of(dtype).name;
  }
}

TEST(FormatTable, FindsByNumberAndName) {
  for (const Format& format : all_formats()) {
    EXPECT_EQ(find_by_ggml_type(format.ggml_type), &format) << format.name;
    EXPECT_EQ(find_by_name(format.name), &format) << format.name;
  }
  EXPECT_EQ(find_by_name("Q4_K")->dtype, DType::kQ4_K);
  EXPECT_EQ(find_by_name("q4_k"), nullptr);
  EXPECT_EQ(find_by_name(""), nullptr);
  EXPECT_EQ(find_by_name("Q4_K "), nullptr);
  EXPECT_EQ(find_by_ggml_type(43), nullptr);
  EXPECT_EQ(find_by_ggml_type(std::numeric_limits<std::uint32_t>::max()), nullptr);
}

TEST(FormatTable, EveryNumberIsAssignedWithdrawnOrUnknown) {
  for (std::uint32_t number = 0; number <= 42; ++number) {
    EXPECT_NE(find_by_ggml_type(number) != nullptr, !withdrawn_type_name(number).empty()) << number;
  }
  EXPECT_TRUE(withdrawn_type_name(43).empty());
  EXPECT_TRUE(withdrawn_type_name(std::numeric_limits<std::uint32_t>::max()).empty());
}

TEST(FormatTable, WithdrawnTypesAreNamed) {
  const std::pair<std::uint32_t, std::string> names[] = {
      {4, "Q4_2"},      {5, "Q4_3"},      {9, "Q8_1"},        {15, "Q8_K"},       {31, "Q4_0_4_4"},
      {32, "Q4_0_4_8"}, {33, "Q4_0_8_8"}, {36, "IQ4_NL_4_4"}, {37, "IQ4_NL_4_8"}, {38, "IQ4_NL_8_8"}};
  for (const auto& [number, name] : names) {
    EXPECT_TRUE(withdrawn_type_name(number).starts_with(name + " ")) << number;
  }
}

TEST(RowBytes, CountsWholeBlocks) {
  EXPECT_EQ(row_bytes(DType::kF32, 5).value(), 20U);
  EXPECT_EQ(row_bytes(DType::kI64, 5).value(), 40U);
  EXPECT_EQ(row_bytes(DType::kQ4_0, 4096).value(), 2304U);
  EXPECT_EQ(row_bytes(DType::kQ6_K, 512).value(), 420U);
  EXPECT_EQ(row_bytes(DType::kNVFP4, 64).value(), 36U);
  EXPECT_EQ(row_bytes(DType::kQ4_K, 0).value(), 0U);
}

TEST(RowBytes, RefusesPartialBlocks) {
  const auto bytes = row_bytes(DType::kQ4_K, 300);
  ASSERT_FALSE(bytes.has_value());
  EXPECT_EQ(bytes.error().code, ErrorCode::kFormat);
  EXPECT_NE(bytes.error().message.find("300"), std::string::npos);
  EXPECT_NE(bytes.error().message.find("Q4_K"), std::string::npos);
  EXPECT_NE(bytes.error().message.find("256"), std::string::npos);
  for (const Format& format : all_formats()) {
    if (format.block_values == 1) continue;
    EXPECT_FALSE(row_bytes(format.dtype, format.block_values - 1)) << format.name;
  }
}

TEST(RowBytes, RefusesOverflow) {
  for (const Format& format : all_formats()) {
    if (format.block_bytes <= format.block_values) continue;  // only these can overflow
    const std::uint64_t most_blocks = kMaxU64 / format.block_bytes;
    EXPECT_EQ(row_bytes(format.dtype, most_blocks * format.block_values).value(),
              most_blocks * format.block_bytes);
    const auto bytes = row_bytes(format.dtype, (most_blocks + 1) * format.block_values);
    ASSERT_FALSE(bytes.has_value()) << format.name;
    EXPECT_EQ(bytes.error().code, ErrorCode::kFormat);
  }
}

}  // namespace
}  // namespace cistern::quant
