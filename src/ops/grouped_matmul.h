// Products of stacked matrices with rows of their own each: experts with the tokens that were routed to them,
// heads with their part of every token. Each matrix is read once for all its rows, by all threads together;
// matrices without rows are not read. A result depends on its own row and matrix only, as in matmul.h.
#pragma once

#include <cstdint>
#include <span>

#include "ops/elementwise.h"
#include "ops/exec.h"
#include "tensor/view.h"

namespace cistern::ops {

// Rows of an input, sorted by the matrix that they meet: rows [begin[g], begin[g + 1]) meet matrix[g].
struct RowGroups {
  std::span<const std::uint32_t> matrix;
  std::span<const std::uint32_t> begin;   // matrix.size() + 1
  std::span<const std::uint32_t> source;  // of each row: its row of x

  std::uint32_t first_row() const { return begin.front(); }
  std::uint32_t n_rows() const { return begin.back() - begin.front(); }
  // Groups [first, first + count) alone; their rows keep their numbers.
  RowGroups part(std::size_t first, std::size_t count) const {
    return {matrix.subspan(first, count), begin.subspan(first, count + 1), source};
  }
};

struct ExpertProduct {
  WeightSlices w;   // of each group: its matrix, (k columns, n rows)
  WeightView bias;  // of all matrices: f32 (n, matrices), or no data
  TensorView out;   // f32 (n, rows): those of the groups are written
};

// out[i] = w[matrix of i] times x[source[i]], plus its bias. x f32 (k, any).
void matmul_experts(const Exec& exec, const TensorView& x, const RowGroups& groups,
                    const ExpertProduct& product);

// The same for two matrices of one shape, whose products a gate joins: out[i] = fn(gate[i]) * up[i]. The
// products are written too. `out` f32 (n, rows).
struct GatedExperts {
  ExpertProduct gate, up;
  GateFn fn = GateFn::kSilu;
  float limit = 0;
  TensorView out;
};
void matmul_gated_experts(const Exec& exec, const TensorView& x, const RowGroups& groups,
                          const GatedExperts& product);

// Head h of each token of `out` = w[h] times head h of `x`. w (x.head_dim, out.head_dim, heads), or one
// matrix for all heads.
void matmul_heads(const Exec& exec, const WeightView& w, const HeadsView& x, const HeadsView& out);

// Bytes that Exec::packed must have for inputs of `rows` rows in all and up to max_cols columns.
std::uint64_t grouped_packed_bytes(std::uint64_t max_cols, std::uint64_t rows) noexcept;

}  // namespace cistern::ops
