// One table of every tensor format: name, GGUF number, block geometry and the scalar reference codec, the
// oracle of all kernels (bit-exact with ggml's to_float). A row of a matrix is a whole number of blocks. Used
// by file/ (sizes), kernels/ (fallback and tests), kv/ (encode). Pure functions; thread-safe; no SIMD.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/error.h"
#include "tensor/dtype.h"

namespace cistern::quant {

// Decodes `n_values` (a multiple of block_values) from packed blocks. No alignment is assumed of `blocks`.
using DequantizeFn = void (*)(const std::byte* blocks, float* out, std::size_t n_values) noexcept;
// Encodes `n_values` (a multiple of block_values); the plain round-to-nearest of the type, no search.
using QuantizeFn = void (*)(const float* in, std::byte* blocks, std::size_t n_values) noexcept;

struct Format {
  DType dtype;
  std::string_view name;       // as GGUF tools write it: "Q4_K", "IQ2_XXS", "F32"
  std::uint32_t ggml_type;     // the number in a GGUF tensor record
  std::uint32_t block_values;  // values per block (1 for plain types)
  std::uint32_t block_bytes;   // bytes per block
  DequantizeFn dequantize;     // null for storage-only types (integers, F64)
  QuantizeFn quantize;         // null where Cistern never writes the type
};

const Format& format_of(DType dtype) noexcept;
std::span<const Format> all_formats() noexcept;
const Format* find_by_ggml_type(std::uint32_t ggml_type) noexcept;  // null: unknown
const Format* find_by_name(std::string_view name) noexcept;         // null: unknown; exact, case-sensitive

// Why a known ggml type number is refused, one clause that opens with the type's name: withdrawn ("Q4_2 was
// withdrawn …") or never stored in files ("Q8_1 is …"). Empty if the number is in use or was never assigned.
std::string_view withdrawn_type_name(std::uint32_t ggml_type) noexcept;

// Bytes of a row of `cols` values. Error: cols is no multiple of the block, or the product overflows.
Result<std::uint64_t> row_bytes(DType dtype, std::uint64_t cols);

}  // namespace cistern::quant
