#include "ops/attention_tile.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/check.h"
#include "quant/format.h"

namespace cistern::ops {
namespace {

using kernels::kBlockKeys;
static_assert(kv::kPageTokens % kBlockKeys == 0, "a block of keys lies in one page");

// Bytes of the first `values` values of a row of `type`.
std::uint64_t packed_bytes(DType type, std::uint64_t values) {
  const quant::Format& format = quant::format_of(type);
  return values / format.block_values * format.block_bytes;
}

std::uint64_t group_of(const AttentionArgs& args) {
  return args.queries.n_heads / args.cache.shape.n_kv_heads;
}

AttentionScratch sizes_of(const AttentionArgs& args) {
  return AttentionScratch(std::max(args.cache.shape.key_dim, args.cache.shape.value_dim));
}

std::uint64_t first_seen_at(const AttentionArgs& args, std::uint64_t position) {
  const std::uint64_t window = args.cache.shape.window;
  if (window == 0) return 0;
  if (args.mask == Mask::kChunked) return position / window * window;
  return position + 1 > window ? position + 1 - window : 0;
}

std::uint64_t end_seen_at(const AttentionArgs& args, std::uint64_t position) {
  if (args.mask != Mask::kSymmetric) return position + 1;
  const std::uint64_t end = args.first_position + args.queries.rows.shape.rows();
  const std::uint64_t window = args.cache.shape.window;
  return window > 0 ? std::min(end, position + window) : end;
}

// Scores are wanted as powers of two; under a soft cap, as 2^x = e^2(score / cap), of which tanh is made.
float query_scale(const AttentionArgs& args) {
  constexpr float kLog2E = std::numbers::log2e_v<float>;
  return args.softcap > 0 ? args.scale / args.softcap * 2 * kLog2E : args.scale * kLog2E;
}

// Where the keys or values of `head` lie, at `positions`, all within one block: in a ring, or in one page.
kernels::CacheRows rows_of(const kv::LayerView& cache, std::uint32_t head, Range positions, bool values) {
  const std::uint64_t slot = cache.slot(positions.begin);
  const std::uint64_t block = positions.begin / kBlockKeys * kBlockKeys;
  const std::uint64_t row_bytes = values ? cache.value_row_bytes : cache.key_row_bytes;
  const std::uint32_t dim = values ? cache.shape.value_dim : cache.shape.key_dim;
  const std::uint64_t head_bytes = packed_bytes(cache.type, dim);
  const std::byte* ring = (values ? cache.values : cache.keys) + head * head_bytes;
  return {.type = cache.type,
          .dim = dim,
          .head_bytes = head_bytes,
          .begin = static_cast<std::uint32_t>(positions.begin - block),
          .end = static_cast<std::uint32_t>(positions.end - block),
          .first = ring + slot * row_bytes,
          .ring = ring,
          .until_wrap = cache.pages != nullptr ? static_cast<std::uint32_t>(kBlockKeys)
                                               : static_cast<std::uint32_t>(
                                                     std::min<std::uint64_t>(cache.slots - slot, kBlockKeys)),
          .row_bytes = row_bytes};
}

// The lines of `n_heads` heads in the rows of the block after `rows`, which are those of the first head;
// that block begins at `position`.
kernels::LinesAhead lines_after(const kv::LayerView& cache, const kernels::CacheRows& rows,
                                std::uint64_t position, std::uint32_t n_heads) {
  const std::byte* first = cache.pages != nullptr ? rows.ring + cache.slot(position) * rows.row_bytes
                                                  : rows.first + (kBlockKeys - rows.begin) * rows.row_bytes;
  const std::size_t skew = reinterpret_cast<std::uintptr_t>(first) % kernels::kCacheLine;
  const std::size_t per_row =
      (skew + n_heads * rows.head_bytes + kernels::kCacheLine - 1) / kernels::kCacheLine;
  return {.line = first - skew,
          .left = kBlockKeys * per_row,
          .per_row = per_row,
          .left_in_row = per_row,
          .gap = rows.row_bytes - per_row * kernels::kCacheLine};
}

}  // namespace

Range shares_seen(const AttentionArgs& args, std::uint64_t row_begin, std::uint64_t row_end) {
  const std::uint64_t group = group_of(args);
  const std::uint64_t first = first_seen_at(args, args.first_position + row_begin / group);
  const std::uint64_t last = args.first_position + (row_end - 1) / group;
  return {first / kShareKeys, (end_seen_at(args, last) - 1) / kShareKeys + 1};
}

AttentionMemory::AttentionMemory(const Exec& exec, const AttentionScratch& sizes, int thread) {
  float* next = exec.scratch_of(thread);
  const auto take = [&next](std::size_t floats) {
    float* part = next;
    next += floats;
    return part;
  };
  state = take(sizes.state(sizes.rows));
  queries = reinterpret_cast<std::byte*>(take(sizes.queries()));
  keys = reinterpret_cast<std::byte*>(take(sizes.panel()));
  values = reinterpret_cast<std::byte*>(take(sizes.panel()));
  decoded = take(sizes.decoded());
  workspace = reinterpret_cast<std::byte*>(take(AttentionScratch::workspace()));
  totals = reinterpret_cast<kernels::RowTotal*>(take(sizes.totals()));
  visible = reinterpret_cast<kernels::KeyRange*>(take(sizes.visible()));
}

TileAttention::TileAttention(const Exec& exec, const AttentionArgs& args, int thread)
    : exec_(exec),
      args_(args),
      kernels_(kernels::attention_kernels(exec.kernels->isa, args.cache.type)),
      sizes_(sizes_of(args)),
      memory_(exec, sizes_, thread),
      group_(group_of(args)),
      key_dim_(kernels::padded_dim(args.cache.shape.key_dim)),
      value_dim_(kernels::padded_dim(args.cache.shape.value_dim)) {
  CISTERN_CHECK(sizes_.total() <= exec.scratch_floats_per_thread);
}

void TileAttention::attend(const AttentionTile& tile) {
  CISTERN_CHECK(tile.rows() <= sizes_.rows);
  pack_queries(tile);
  std::fill_n(memory_.totals, tile.rows(), kernels::RowTotal{.maximum = kernels::kMinusInfinity});
  const Range shares = shares_seen(args_, tile.row_begin, tile.row_end);
  for (std::uint64_t share = shares.begin; share < shares.end; ++share) {
    walk_share(tile, share, memory_.state);
    for (std::uint64_t row = 0; row < tile.rows(); ++row)
      merge(tile, row, memory_.state, memory_.totals[row]);
  }
  for (std::uint64_t row = 0; row < tile.rows(); ++row) finish(tile, row, memory_.totals[row]);
}

void TileAttention::attend_share(const AttentionTile& tile, std::uint64_t share, float* state) {
  CISTERN_CHECK(tile.rows() <= sizes_.rows);
  pack_queries(tile);
  walk_share(tile, share, state);
}

void TileAttention::merge(const AttentionTile& tile, std::uint64_t row, float* state,
                          kernels::RowTotal& total) const {
  kernels::RowState share = state_of(tile.rows(), state);
  share.maxima += row;
  share.sums += row * kernels::kSumLanes;
  share.results += row * value_dim_;
  kernels_.merge(share, args_.cache.shape.value_dim, total, out(tile, row));
}

void TileAttention::finish(const AttentionTile& tile, std::uint64_t row,
                           const kernels::RowTotal& total) const {
  float sum = total.sum;
  if (args_.sinks != nullptr) {
    const float sink = args_.sinks[query_head(tile, row)] * std::numbers::log2e_v<float>;
    sum += std::exp2(sink - total.maximum);
  }
  exec_.kernels->scale(1.0F / sum, out(tile, row), args_.cache.shape.value_dim);
}

std::uint64_t TileAttention::first_seen(std::uint64_t row) const {
  return first_seen_at(args_, position(row));
}

std::uint64_t TileAttention::end_seen(std::uint64_t row) const {
  return end_seen_at(args_, position(row));
}

// The rows, as those of one head, that see something of the block.
Range TileAttention::rows_that_see(const AttentionTile& tile, std::uint64_t block) const {
  Range rows{tile.row_begin, tile.row_end};
  while (end_seen(rows.begin) <= block) rows.begin += group_ - rows.begin % group_;
  while (first_seen(rows.end - 1) >= block + kBlockKeys) rows.end = (rows.end - 1) / group_ * group_;
  return rows;
}

kernels::RowState TileAttention::state_of(std::uint64_t n_rows, float* state) const {
  float* sums = state + (n_rows + 15) / 16 * 16;
  return {.maxima = state, .sums = sums, .results = sums + n_rows * kernels::kSumLanes};
}

std::uint64_t TileAttention::query_head(const AttentionTile& tile, std::uint64_t row) const {
  const std::uint64_t head_row = tile.row_begin + row % tile.head_rows();
  return (tile.first_head + row / tile.head_rows()) * group_ + head_row % group_;
}

float* TileAttention::out(const AttentionTile& tile, std::uint64_t row) const {
  const std::uint64_t head_row = tile.row_begin + row % tile.head_rows();
  return args_.out.row(head_row / group_) + query_head(tile, row) * args_.cache.shape.value_dim;
}

void TileAttention::pack_queries(const AttentionTile& tile) {
  const float scale = query_scale(args_);
  std::byte* packed = memory_.queries;
  for (std::uint64_t head = tile.first_head; head < tile.first_head + tile.n_heads; ++head) {
    for (std::uint64_t row = tile.row_begin; row < tile.row_end; ++row) {
      const auto query_head = static_cast<std::uint32_t>(head * group_ + row % group_);
      kernels_.pack_query(args_.queries.head(row / group_, query_head), scale, args_.queries.head_dim,
                          packed);
      packed += key_dim_ * kernels_.value_bytes;
    }
  }
}

void TileAttention::walk_share(const AttentionTile& tile, std::uint64_t share, float* memory) {
  const kernels::RowState state = state_of(tile.rows(), memory);
  std::fill_n(state.maxima, tile.rows(), kernels::kMinusInfinity);
  std::fill_n(state.sums, tile.rows() * kernels::kSumLanes, 0.0F);
  std::fill_n(state.results, tile.rows() * value_dim_, 0.0F);
  const std::uint64_t begin = std::max(share * kShareKeys, first_seen(tile.row_begin));
  const std::uint64_t end = std::min((share + 1) * kShareKeys, end_seen(tile.row_end - 1));
  for (std::uint64_t next = begin; next < end;) {
    const std::uint64_t block_end = std::min(next / kBlockKeys * kBlockKeys + kBlockKeys, end);
    walk_block(tile, {next, block_end}, state);
    next = block_end;
  }
}

// The rows of the tile's first head, and what to ask for meanwhile.
TileAttention::Panel TileAttention::panel_of(const AttentionTile& tile, std::uint64_t n_rows, Range positions,
                                             bool values) const {
  Panel panel{.rows = rows_of(args_.cache, tile.first_head, positions, values)};
  panel.rows.decode = exec_.kernels->dequantize[static_cast<std::size_t>(args_.cache.type)];
  panel.rows.decoded = memory_.decoded;
  if (positions.end >= end_seen(tile.row_end - 1)) return panel;  // the last block
  const std::uint64_t next_block = positions.begin / kBlockKeys * kBlockKeys + kBlockKeys;
  panel.ahead = lines_after(args_.cache, panel.rows, next_block, tile.n_heads);
  // One line is asked for per round of multiplications (4 rows by 4 vectors), the rest while the panel is
  // made: in strips of 16 keys by 16 dims, or in pairs of values.
  const std::size_t row_blocks = (n_rows + 3) / 4;
  const std::size_t rounds = row_blocks * (values ? (value_dim_ + 63) / 64 * kBlockKeys / 2 : key_dim_ / 2);
  const std::size_t steps = values ? kBlockKeys / 2 : kBlockKeys / 16 * key_dim_ / 16;
  const std::size_t lines = panel.ahead.left / tile.n_heads;
  panel.rows.lines_per_step = lines > rounds ? (lines - rounds + steps - 1) / steps : 0;
  return panel;
}

// The keys at `positions`, all within one block.
void TileAttention::walk_block(const AttentionTile& tile, Range positions, const kernels::RowState& state) {
  const std::uint64_t block = positions.begin / kBlockKeys * kBlockKeys;
  const Range rows = rows_that_see(tile, block);
  if (rows.begin >= rows.end) return;
  Panel keys = panel_of(tile, rows.end - rows.begin, positions, false);
  Panel values = panel_of(tile, rows.end - rows.begin, positions, true);
  kernels::AttentionBlock work{.n_rows = rows.end - rows.begin,
                               .n_keys = positions.end - block,
                               .key_dim = key_dim_,
                               .value_dim = value_dim_,
                               .keys = memory_.keys,
                               .values = memory_.values,
                               .keys_ahead = &keys.ahead,
                               .values_ahead = &values.ahead,
                               .visible = find_visible(rows, block),
                               .softcap = args_.softcap * std::numbers::log2e_v<float>,
                               .workspace = memory_.workspace};
  for (std::uint64_t h = 0; h < tile.n_heads; ++h) {
    kernels_.load_keys(keys.rows, keys.ahead, memory_.keys);
    kernels_.load_values(values.rows, values.ahead, memory_.values);
    const std::uint64_t row = h * tile.head_rows() + rows.begin - tile.row_begin;
    work.queries = memory_.queries + row * key_dim_ * kernels_.value_bytes;
    work.state = {.maxima = state.maxima + row,
                  .sums = state.sums + row * kernels::kSumLanes,
                  .results = state.results + row * value_dim_};
    kernels_.attend(work);
    keys.next_head();
    values.next_head();
  }
}

// What each of the rows sees of the block; null when that is all of it.
const kernels::KeyRange* TileAttention::find_visible(const Range& rows, std::uint64_t block) {
  const bool all = end_seen(rows.begin) >= block + kBlockKeys && first_seen(rows.end - 1) <= block;
  if (all) return nullptr;
  for (std::uint64_t row = rows.begin; row < rows.end; ++row) {
    const std::uint64_t begin = std::max(first_seen(row), block);
    const std::uint64_t end = std::min(end_seen(row), block + kBlockKeys);
    memory_.visible[row - rows.begin] = {.begin = static_cast<std::uint8_t>(begin - block),
                                         .end = static_cast<std::uint8_t>(end - block)};
  }
  return memory_.visible;
}

}  // namespace cistern::ops
