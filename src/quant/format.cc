#include "quant/format.h"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <string>
#include <utility>

#include "base/check.h"
#include "quant/codec.h"

namespace cistern::quant {
namespace {

using Table = std::array<Format, kDTypeCount>;

// Rows in the order of DType; every DType has exactly one.
Table joined_table() {
  Table table{};
  for (const auto family : {plain_formats(), legacy_formats(), k_formats(), i_formats(), ternary_formats(),
                            micro_formats(), few_bit_formats()}) {
    for (const Format& format : family) {
      Format& row = table.at(static_cast<std::size_t>(format.dtype));
      CISTERN_CHECK(row.block_bytes == 0);
      row = format;
    }
  }
  for (const Format& row : table) CISTERN_CHECK(row.block_bytes != 0);
  return table;
}

const Table& table() noexcept {
  static const Table joined = joined_table();
  return joined;
}

// Numbers of the ggml enumeration that no current file holds.
constexpr std::pair<std::uint32_t, std::string_view> kWithdrawn[] = {
    {4, "Q4_2 was withdrawn from ggml before GGUF; convert the model again from its original weights"},
    {5, "Q4_3 was withdrawn from ggml before GGUF; convert the model again from its original weights"},
    {9, "Q8_1 is a type of intermediate results, never of stored weights; the file was written wrongly"},
    {15, "Q8_K is a type of intermediate results, never of stored weights; the file was written wrongly"},
    {31, "Q4_0_4_4 was withdrawn from GGUF; quantize the model again as Q4_0, which has the same values"},
    {32, "Q4_0_4_8 was withdrawn from GGUF; quantize the model again as Q4_0, which has the same values"},
    {33, "Q4_0_8_8 was withdrawn from GGUF; quantize the model again as Q4_0, which has the same values"},
    {36, "IQ4_NL_4_4 was withdrawn from GGUF; quantize the model again as IQ4_NL, which has the same values"},
    {37, "IQ4_NL_4_8 was withdrawn from GGUF; quantize the model again as IQ4_NL, which has the same values"},
    {38, "IQ4_NL_8_8 was withdrawn from GGUF; quantize the model again as IQ4_NL, which has the same values"},
};

}  // namespace

const Format& format_of(DType dtype) noexcept {
  const auto index = static_cast<std::size_t>(dtype);
  CISTERN_CHECK(index < table().size());
  return table()[index];
}

std::span<const Format> all_formats() noexcept {
  return table();
}

const Format* find_by_ggml_type(std::uint32_t ggml_type) noexcept {
  for (const Format& format : table()) {
    if (format.ggml_type == ggml_type) return &format;
  }
  return nullptr;
}

const Format* find_by_name(std::string_view name) noexcept {
  for (const Format& format : table()) {
    if (format.name == name) return &format;
  }
  return nullptr;
}

std::string_view withdrawn_type_name(std::uint32_t ggml_type) noexcept {
  for (const auto& [number, reason] : kWithdrawn) {
    if (number == ggml_type) return reason;
  }
  return {};
}

Result<std::uint64_t> row_bytes(DType dtype, std::uint64_t cols) {
  const Format& format = format_of(dtype);
  if (cols % format.block_values != 0) {
    return fail(ErrorCode::kFormat,
                fmt::format("a row of {} values is not a whole number of {} blocks of {} values", cols,
                            format.name, format.block_values));
  }
  const std::uint64_t blocks = cols / format.block_values;
  if (blocks > std::numeric_limits<std::uint64_t>::max() / format.block_bytes) {
    return fail(ErrorCode::kFormat,
                fmt::format("a row of {} {} values is too long: its size in bytes overflows 64 bits", cols,
                            format.name));
  }
  return blocks * format.block_bytes;
}

}  // namespace cistern::quant
