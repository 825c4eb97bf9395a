// What the families of weight formats share: turning a codec of one block into a row of the format table, and
// reading packed integers. Internal to quant/. Every family file decodes block structs (blocks.h) in
// functions `decode(const Block&, float*)` and, where Cistern writes the type, `encode(const float*,
// Block&)`, then lists its rows. Pure functions; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "quant/blocks.h"
#include "quant/format.h"

namespace cistern::quant {

// The families; format.cc joins their rows into the one table.
std::span<const Format> plain_formats() noexcept;
std::span<const Format> legacy_formats() noexcept;
std::span<const Format> k_formats() noexcept;
std::span<const Format> i_formats() noexcept;
std::span<const Format> ternary_formats() noexcept;
std::span<const Format> micro_formats() noexcept;
std::span<const Format> few_bit_formats() noexcept;

inline std::uint32_t load_u16(const std::uint8_t* p) noexcept {
  return p[0] | static_cast<std::uint32_t>(p[1]) << 8U;
}
inline std::uint32_t load_u32(const std::uint8_t* p) noexcept {
  std::uint32_t value;
  std::memcpy(&value, p, sizeof(value));
  return value;
}

// Blocks are copied out before they are decoded: rows come from mapped files at any alignment.
template <class Block, void (*decode_block)(const Block&, float*) noexcept>
void dequantize_blocks(const std::byte* blocks, float* out, std::size_t n_values) noexcept {
  for (std::size_t i = 0; i < n_values; i += Block::kValues, blocks += sizeof(Block)) {
    Block block;
    std::memcpy(&block, blocks, sizeof(block));
    decode_block(block, out + i);
  }
}

template <class Block, void (*encode_block)(const float*, Block&) noexcept>
void quantize_blocks(const float* in, std::byte* blocks, std::size_t n_values) noexcept {
  for (std::size_t i = 0; i < n_values; i += Block::kValues, blocks += sizeof(Block)) {
    Block block;
    encode_block(in + i, block);
    std::memcpy(blocks, &block, sizeof(block));
  }
}

// A row of the table; its geometry is that of the block struct.
template <class Block, void (*decode_block)(const Block&, float*) noexcept>
constexpr Format decoded_format(DType dtype, std::string_view name, std::uint32_t ggml_type) {
  static_assert(alignof(Block) == 1);
  return {.dtype = dtype,
          .name = name,
          .ggml_type = ggml_type,
          .block_values = Block::kValues,
          .block_bytes = sizeof(Block),
          .dequantize = dequantize_blocks<Block, decode_block>,
          .quantize = nullptr};
}

template <class Block, void (*decode_block)(const Block&, float*) noexcept,
          void (*encode_block)(const float*, Block&) noexcept>
constexpr Format coded_format(DType dtype, std::string_view name, std::uint32_t ggml_type) {
  Format format = decoded_format<Block, decode_block>(dtype, name, ggml_type);
  format.quantize = quantize_blocks<Block, encode_block>;
  return format;
}

}  // namespace cistern::quant
