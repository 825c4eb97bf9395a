#include "kv/cache_shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "quant/format.h"

namespace cistern::kv {
namespace {

constexpr std::array kCacheTypes = {DType::kF32, DType::kF16, DType::kBF16, DType::kQ8_0, DType::kQ4_0};

// Every row starts at a cache-line multiple, so that rows of different threads share no line.
constexpr std::uint64_t kRowAlign = 64;

std::uint64_t row_bytes(std::uint64_t values, DType type) noexcept {
  const quant::Format& format = quant::format_of(type);
  const std::uint64_t packed = values / format.block_values * format.block_bytes;
  return (packed + kRowAlign - 1) / kRowAlign * kRowAlign;
}

std::uint64_t state_bytes(const LayerShape& layer) noexcept {
  return (layer.state_floats * sizeof(float) + kRowAlign - 1) / kRowAlign * kRowAlign;
}

}  // namespace

bool is_cache_type(DType type) noexcept {
  return std::ranges::find(kCacheTypes, type) != kCacheTypes.end();
}

Result<void> validate(const CacheShape& shape) {
  const quant::Format& format = quant::format_of(shape.type);
  if (!is_cache_type(shape.type)) {
    return fail(ErrorCode::kUsage,
                fmt::format("{} is no KV cache type; use f32, f16, bf16, q8_0 or q4_0", format.name));
  }
  for (const LayerShape& layer : shape.layers) {
    for (const std::uint32_t dim : {layer.key_dim, layer.value_dim, layer.index_dim, layer.compressed_dim}) {
      if (dim % format.block_values != 0) {
        return fail(
            ErrorCode::kUnsupported,
            fmt::format("a KV cache of type {} needs head sizes that are multiples of {}, this model has {}; "
                        "use f16 instead",
                        format.name, format.block_values, dim));
      }
    }
  }
  return {};
}

std::uint32_t slots_of(const LayerShape& layer, const CacheShape& shape) noexcept {
  if (layer.window == 0) return shape.context_tokens;
  const std::uint64_t visible = std::uint64_t{layer.window} - 1 + shape.chunk_tokens;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(visible, shape.context_tokens));
}

std::uint64_t key_row_bytes(const LayerShape& layer, DType type) noexcept {
  return row_bytes(std::uint64_t{layer.n_kv_heads} * layer.key_dim, type);
}

std::uint64_t value_row_bytes(const LayerShape& layer, DType type) noexcept {
  return layer.values_in_keys ? 0 : row_bytes(std::uint64_t{layer.n_kv_heads} * layer.value_dim, type);
}

std::uint64_t compressed_row_bytes(const LayerShape& layer, DType type) noexcept {
  return row_bytes(layer.compressed_dim, type);
}

std::uint32_t side_slots_of(const LayerShape& layer, const CacheShape& shape) noexcept {
  return shape.context_tokens / layer.compress_ratio;
}

std::uint64_t index_row_bytes(const LayerShape& layer, DType type) noexcept {
  return row_bytes(layer.index_dim, type);
}

std::uint64_t layer_bytes(const LayerShape& layer, const CacheShape& shape) noexcept {
  const std::uint64_t row = key_row_bytes(layer, shape.type) + value_row_bytes(layer, shape.type);
  const std::uint64_t side_row = index_row_bytes(layer, shape.type) + compressed_row_bytes(layer, shape.type);
  return slots_of(layer, shape) * row + side_slots_of(layer, shape) * side_row + state_bytes(layer);
}

bool has_paged_rows(const LayerShape& layer) noexcept {
  return layer.n_kv_heads > 0 && layer.window == 0;
}

bool has_paged_side_rows(const LayerShape& layer) noexcept {
  return layer.index_dim + layer.compressed_dim > 0 && kPageTokens % layer.compress_ratio == 0;
}

std::uint64_t page_bytes(const LayerShape& layer, DType type) noexcept {
  std::uint64_t bytes = 0;
  if (has_paged_rows(layer))
    bytes += kPageTokens * (key_row_bytes(layer, type) + value_row_bytes(layer, type));
  if (has_paged_side_rows(layer))
    bytes += kPageTokens / layer.compress_ratio *
             (index_row_bytes(layer, type) + compressed_row_bytes(layer, type));
  return bytes;
}

std::uint64_t own_bytes(const LayerShape& layer, const CacheShape& shape) noexcept {
  std::uint64_t bytes = state_bytes(layer);
  if (!has_paged_rows(layer))
    bytes += slots_of(layer, shape) * (key_row_bytes(layer, shape.type) + value_row_bytes(layer, shape.type));
  if (!has_paged_side_rows(layer))
    bytes += side_slots_of(layer, shape) *
             (index_row_bytes(layer, shape.type) + compressed_row_bytes(layer, shape.type));
  return bytes;
}

std::uint64_t page_bytes(const CacheShape& shape) noexcept {
  std::uint64_t sum = 0;
  for (const LayerShape& layer : shape.layers) sum += page_bytes(layer, shape.type);
  return sum;
}

std::uint64_t own_bytes(const CacheShape& shape) noexcept {
  std::uint64_t sum = 0;
  for (const LayerShape& layer : shape.layers) sum += own_bytes(layer, shape);
  return sum;
}

std::uint64_t total_bytes(const CacheShape& shape) noexcept {
  std::uint64_t sum = 0;
  for (const LayerShape& layer : shape.layers) {
    const std::uint64_t bytes = layer_bytes(layer, shape);
    sum = shape.transient ? std::max(sum, bytes) : sum + bytes;
  }
  return sum;
}

}  // namespace cistern::kv
