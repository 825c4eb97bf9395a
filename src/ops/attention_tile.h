// One thread's part of attention: a tile of query rows of one or more KV heads against their keys, block by
// block through the kernels of kernels/attention_table.h. Row r of a head is query head r % group of token
// r / group. Made by ops/attention.cc, which deals tiles out to threads; works in the thread's scratch.
#pragma once

#include <cstdint>

#include "kernels/attention_table.h"
#include "ops/attention.h"
#include "ops/attention_block.h"

namespace cistern::ops {

struct AttentionTile {
  std::uint32_t first_head = 0;  // KV heads
  std::uint32_t n_heads = 0;
  std::uint64_t row_begin = 0;  // rows of each head
  std::uint64_t row_end = 0;

  std::uint64_t head_rows() const { return row_end - row_begin; }
  std::uint64_t rows() const { return n_heads * head_rows(); }  // head by head
};

// A thread's scratch, cut up. The state of a whole tile may also hold those of several shares.
struct AttentionMemory {
  AttentionMemory(const Exec& exec, const AttentionScratch& sizes, int thread);

  float* state;
  std::byte* queries;
  std::byte* keys;
  std::byte* values;
  float* decoded;
  std::byte* workspace;
  kernels::RowTotal* totals;
  kernels::KeyRange* visible;
};

class TileAttention {
 public:
  TileAttention(const Exec& exec, const AttentionArgs& args, int thread);

  // Everything the tile's rows see, into their results.
  void attend(const AttentionTile& tile);
  // What they see of one share of the context, into `state` (AttentionScratch::state(tile.rows())).
  void attend_share(const AttentionTile& tile, std::uint64_t share, float* state);

  // Of row `row` of the tile: adds its part of a share to its total, whose values gather where the result
  // will be; and makes the total the result.
  void merge(const AttentionTile& tile, std::uint64_t row, float* state, kernels::RowTotal& total) const;
  void finish(const AttentionTile& tile, std::uint64_t row, const kernels::RowTotal& total) const;

 private:
  // A head's keys or values of a block, and what to ask for meanwhile.
  struct Panel {
    kernels::CacheRows rows;
    kernels::LinesAhead ahead;

    void next_head() {
      rows.first += rows.head_bytes;
      rows.ring += rows.head_bytes;
    }
  };

  std::uint64_t position(std::uint64_t row) const { return args_.first_position + row / group_; }
  std::uint64_t first_seen(std::uint64_t row) const;
  std::uint64_t end_seen(std::uint64_t row) const;
  Range rows_that_see(const AttentionTile& tile, std::uint64_t block) const;
  kernels::RowState state_of(std::uint64_t n_rows, float* state) const;
  std::uint64_t query_head(const AttentionTile& tile, std::uint64_t row) const;
  float* out(const AttentionTile& tile, std::uint64_t row) const;

  void pack_queries(const AttentionTile& tile);
  void walk_share(const AttentionTile& tile, std::uint64_t share, float* state);
  Panel panel_of(const AttentionTile& tile, std::uint64_t n_rows, Range positions, bool values) const;
  void walk_block(const AttentionTile& tile, Range positions, const kernels::RowState& state);
  const kernels::KeyRange* find_visible(const Range& rows, std::uint64_t block);

  const Exec& exec_;
  const AttentionArgs& args_;
  const kernels::AttentionKernels& kernels_;
  AttentionScratch sizes_;
  AttentionMemory memory_;
  std::uint64_t group_;
  std::size_t key_dim_;    // padded
  std::size_t value_dim_;  // padded
};

// Of the context: the shares that hold what these rows see.
Range shares_seen(const AttentionArgs& args, std::uint64_t row_begin, std::uint64_t row_end);

}  // namespace cistern::ops
