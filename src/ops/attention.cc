#include "ops/attention.h"

#include <algorithm>

#include "base/check.h"
#include "kernels/elementwise_table.h"
#include "ops/attention_tile.h"
#include "quant/format.h"

namespace cistern::ops {
namespace {

// Fewer items per thread than this, and the threads may end far apart.
constexpr std::uint64_t kItemsPerThread = 6;
// A tile of fewer rows loads each block of keys too often.
constexpr std::uint64_t kFewRows = 64;

std::uint64_t ceil_div(std::uint64_t a, std::uint64_t b) {
  return (a + b - 1) / b;
}

// How the rows (tokens x group) and heads of a call are cut into tiles.
struct Tiling {
  std::uint64_t rows = 0;        // per head
  std::uint32_t n_heads = 0;     // KV heads
  std::uint64_t tile_rows = 0;   // of a head
  std::uint32_t tile_heads = 0;  // several heads of few rows: their keys lie side by side in memory
  std::uint64_t n_shares = 1;    // of the context, each an item of its own

  std::uint64_t row_tiles() const { return ceil_div(rows, tile_rows); }
  std::uint64_t head_tiles() const { return ceil_div(n_heads, tile_heads); }
  std::uint64_t tiles() const { return row_tiles() * head_tiles(); }
  std::uint64_t items() const { return tiles() * n_shares; }

  // Neighbours in this order read the same tokens of the cache.
  AttentionTile tile(std::uint64_t i) const {
    const std::uint64_t row = i / head_tiles() * tile_rows;
    const auto head = static_cast<std::uint32_t>(i % head_tiles()) * tile_heads;
    return {.first_head = head,
            .n_heads = std::min(tile_heads, n_heads - head),
            .row_begin = row,
            .row_end = std::min(row + tile_rows, rows)};
  }
};

Tiling tiling_of(const Exec& exec, const AttentionArgs& args, const AttentionScratch& sizes) {
  const std::uint32_t n_heads = args.cache.shape.n_kv_heads;
  Tiling t{.rows = args.queries.rows.shape.rows() * (args.queries.n_heads / n_heads), .n_heads = n_heads};
  t.tile_rows = std::min<std::uint64_t>(t.rows, sizes.rows);
  t.tile_heads = static_cast<std::uint32_t>(std::min<std::uint64_t>(n_heads, sizes.rows / t.tile_rows));
  if (exec.threads() == 1) return t;
  // All rows' totals are in one thread's scratch.
  const Range shares = shares_seen(args, 0, t.rows);
  if (t.rows * n_heads <= sizes.rows) t.n_shares = shares.end - shares.begin;
  const std::uint64_t wanted = kItemsPerThread * static_cast<std::uint64_t>(exec.threads());
  while (t.tile_heads > 1 && t.items() < wanted) t.tile_heads = (t.tile_heads + 1) / 2;
  while (t.n_shares == 1 && t.tile_rows > kFewRows && t.items() < wanted)
    t.tile_rows = std::max(kFewRows, t.tile_rows / 2);
  return t;
}

void attend_by_tiles(const Exec& exec, const AttentionArgs& args, const Tiling& tiling) {
  // The last tokens see the most: they go first, so that what is left at the end is short.
  exec.pool->run_chunks(static_cast<std::uint32_t>(tiling.tiles()), [&](int thread, std::uint32_t i) {
    TileAttention(exec, args, thread).attend(tiling.tile(tiling.tiles() - 1 - i));
  });
}

// Few rows: every tile's context is cut into shares, computed in any order and merged in theirs, as many at a
// time as the threads' scratch holds.
class SharedAttention {
 public:
  SharedAttention(const Exec& exec, const AttentionArgs& args, const AttentionScratch& sizes,
                  const Tiling& tiling)
      : exec_(exec),
        args_(args),
        tiling_(tiling),
        sizes_(sizes),
        slot_floats_(sizes.state(tiling.tile_heads * tiling.tile_rows)),
        slots_per_thread_(sizes.state(sizes.rows) / slot_floats_),
        totals_(AttentionMemory(exec, sizes, 0).totals) {}

  void run() {
    const std::uint64_t tiles = tiling_.tiles();
    const std::uint64_t slots = slots_per_thread_ * static_cast<std::uint64_t>(exec_.threads());
    const std::uint64_t shares_at_once = slots / tiles;
    const Range all = shares_seen(args_, 0, tiling_.rows);
    std::fill_n(totals_, tiling_.rows * tiling_.n_heads,
                kernels::RowTotal{.maximum = kernels::kMinusInfinity});
    for (std::uint64_t share = all.begin; share < all.end; share += shares_at_once) {
      const std::uint64_t count = std::min(shares_at_once, all.end - share);
      // A thread goes through neighbouring shares of a tile, which lie one after the other in memory.
      exec_.pool->run_chunks(static_cast<std::uint32_t>(count * tiles), [&](int thread, std::uint32_t i) {
        TileAttention(exec_, args_, thread).attend_share(tiling_.tile(i / count), share + i % count, slot(i));
      });
      merge(count, share + count == all.end);
    }
  }

 private:
  // Dealt out to the scratch of all threads; whoever computes it.
  float* slot(std::uint64_t i) const {
    const auto thread = static_cast<int>(i % static_cast<std::uint64_t>(exec_.threads()));
    const std::uint64_t index = i / static_cast<std::uint64_t>(exec_.threads());
    return AttentionMemory(exec_, sizes_, thread).state + index * slot_floats_;
  }

  void merge(std::uint64_t count, bool last) {
    constexpr std::uint64_t kRowsAtOnce = 8;
    for_shares(exec_, tiling_.rows * tiling_.n_heads, kRowsAtOnce, [&](int thread, Range rows) {
      const TileAttention attention(exec_, args_, thread);
      for (std::uint64_t r = rows.begin; r < rows.end; ++r) {
        const std::uint64_t tile_index = r / (tiling_.rows * tiling_.tile_heads);
        const std::uint64_t row = r % (tiling_.rows * tiling_.tile_heads);
        const AttentionTile tile = tiling_.tile(tile_index);
        for (std::uint64_t i = 0; i < count; ++i)
          attention.merge(tile, row, slot(tile_index * count + i), totals_[r]);
        if (last) attention.finish(tile, row, totals_[r]);
      }
    });
  }

  const Exec& exec_;
  const AttentionArgs& args_;
  const Tiling& tiling_;
  const AttentionScratch& sizes_;
  std::uint64_t slot_floats_;
  std::uint64_t slots_per_thread_;
  kernels::RowTotal* totals_;
};

}  // namespace

void store_kv(const Exec& exec, const HeadsView& keys, const HeadsView& values, const kv::LayerView& cache,
              std::uint32_t first_position) {
  const kernels::ElementwiseKernels& kernels = kernels::elementwise_kernels(exec.kernels->isa);
  const quant::QuantizeFn encode = quant::format_of(cache.type).quantize;
  CISTERN_CHECK(encode != nullptr);
  const auto store = [&](const float* row, std::byte* place, std::uint64_t n) {
    if (cache.type == DType::kF16) {
      kernels.to_half(row, reinterpret_cast<std::uint16_t*>(place), n);
    } else {
      encode(row, place, n);
    }
  };
  const std::uint64_t key_values = std::uint64_t{keys.n_heads} * keys.head_dim;
  const std::uint64_t value_values = std::uint64_t{values.n_heads} * values.head_dim;
  for_shares(exec, keys.rows.shape.rows(), 1, [&](int, Range tokens) {
    for (std::uint64_t t = tokens.begin; t < tokens.end; ++t) {
      store(keys.head(t, 0), cache.key_row(first_position + t), key_values);
      if (cache.shape.values_in_keys) continue;
      store(values.head(t, 0), cache.value_row(first_position + t), value_values);
    }
  });
}

void attention(const Exec& exec, const AttentionArgs& args) {
  const std::uint32_t n_kv_heads = args.cache.shape.n_kv_heads;
  CISTERN_CHECK(args.queries.n_heads % n_kv_heads == 0 && args.queries.head_dim == args.cache.shape.key_dim);
  const AttentionScratch sizes(std::max(args.cache.shape.key_dim, args.cache.shape.value_dim));
  const Tiling tiling = tiling_of(exec, args, sizes);
  if (tiling.n_shares > 1) {
    SharedAttention(exec, args, sizes, tiling).run();
  } else {
    attend_by_tiles(exec, args, tiling);
  }
}

}  // namespace cistern::ops
