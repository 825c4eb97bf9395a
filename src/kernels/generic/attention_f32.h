// Attention in float32, written once over vectors and included by one source file per ISA, inside that ISA's
// target region and after its float_vector.h. The including file first defines
// kRegisterRows and kRegisterVectors, the block of sums that its registers hold. Everything has internal
// linkage, so no copy compiled for one ISA can be picked for another. Not a public header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/attention_table.h"
#include "kernels/generic/exp.h"

namespace cistern::kernels {
namespace {

constexpr std::size_t kKeyVectors = kBlockKeys / kVectorFloats;
constexpr std::size_t kSumVectors = kSumLanes / kVectorFloats;

inline Vector load_vector(const float* p) noexcept {
  Vector v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

inline void store_vector(float* p, const Vector& v) noexcept {
  std::memcpy(p, &v, sizeof v);
}

inline Vector larger(const Vector& a, const Vector& b) noexcept {
  return a > b ? a : b;
}

inline bool is_fresh(float maximum) noexcept {
  return maximum == kMinusInfinity;
}

// 2^whole for whole <= 0, as exponent bits.
inline float power_of_two(float whole) noexcept {
  if (!(whole >= -126.0F)) return whole == whole ? 0.0F : whole;  // NaN stays
  const auto bits = static_cast<std::uint32_t>(static_cast<std::int32_t>(whole) + 127) << 23U;
  float power;
  std::memcpy(&power, &bits, sizeof power);
  return power;
}

inline const std::byte* row_of(const CacheRows& rows, std::size_t key) noexcept {
  const std::size_t i = key - rows.begin;
  return i < rows.until_wrap ? rows.first + i * rows.row_bytes
                             : rows.ring + (i - rows.until_wrap) * rows.row_bytes;
}

// Decodes one row, zeros beyond dim and for keys that are not there.
inline void decode_row(const CacheRows& rows, std::size_t key, float* out) noexcept {
  std::size_t d = 0;
  if (key >= rows.begin && key < rows.end) {
    rows.decode(row_of(rows, key), out, rows.dim);
    d = rows.dim;
  }
  for (; d < padded_dim(rows.dim); ++d) out[d] = 0.0F;
}

typedef float Four __attribute__((vector_size(4 * sizeof(float))));

// Four keys' values d..d+3 become four dims of four keys.
inline void transpose_four(const float* row, std::size_t stride, float* out) noexcept {
  Four r[4];
  for (std::size_t i = 0; i < 4; ++i) std::memcpy(&r[i], row + i * stride, sizeof r[i]);
  const Four a = __builtin_shufflevector(r[0], r[1], 0, 4, 1, 5);
  const Four b = __builtin_shufflevector(r[2], r[3], 0, 4, 1, 5);
  const Four c = __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7);
  const Four d = __builtin_shufflevector(r[2], r[3], 2, 6, 3, 7);
  const Four dims[4] = {__builtin_shufflevector(a, b, 0, 1, 4, 5), __builtin_shufflevector(a, b, 2, 3, 6, 7),
                        __builtin_shufflevector(c, d, 0, 1, 4, 5), __builtin_shufflevector(c, d, 2, 3, 6, 7)};
  for (std::size_t i = 0; i < 4; ++i) std::memcpy(out + i * kBlockKeys, &dims[i], sizeof dims[i]);
}

// The panel has, per dim, the block's keys side by side.
void load_keys(const CacheRows& rows, LinesAhead&, std::byte* panel) noexcept {
  static_assert(kDecodedRows == 4);
  auto* out = reinterpret_cast<float*>(panel);
  float* four = rows.decoded;
  const std::size_t dim = padded_dim(rows.dim);
  for (std::size_t key = 0; key < kBlockKeys; key += 4) {
    for (std::size_t i = 0; i < 4; ++i) decode_row(rows, key + i, four + i * dim);
    for (std::size_t d = 0; d < dim; d += 4) transpose_four(four + d, dim, out + d * kBlockKeys + key);
  }
}

void load_values(const CacheRows& rows, LinesAhead&, std::byte* panel) noexcept {
  auto* out = reinterpret_cast<float*>(panel);
  for (std::size_t key = 0; key < kBlockKeys; ++key) decode_row(rows, key, out + key * padded_dim(rows.dim));
}

void pack_query(const float* query, float scale, std::size_t dim, std::byte* packed) noexcept {
  auto* out = reinterpret_cast<float*>(packed);
  for (std::size_t d = 0; d < padded_dim(dim); ++d) out[d] = d < dim ? query[d] * scale : 0.0F;
}

// out[r][c] += sum over i of a[r][i] * b[i][c], one multiplication after the other.
struct Factors {
  const float* a = nullptr;
  std::size_t a_stride = 0;
  const float* b = nullptr;
  std::size_t b_stride = 0;
  std::size_t n = 0;
  float* out = nullptr;
  std::size_t out_stride = 0;
};

template <int R, int C>
void multiply_fixed(const Factors& f) noexcept {
  Vector acc[R][C];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (int c = 0; c < C; ++c) acc[r][c] = load_vector(f.out + r * f.out_stride + c * kVectorFloats);
  }
  const float* b = f.b;
  for (std::size_t i = 0; i < f.n; ++i, b += f.b_stride) {
    Vector column[C];
#pragma GCC unroll 8
    for (int c = 0; c < C; ++c) column[c] = load_vector(b + c * kVectorFloats);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const Vector row = Vector{} + f.a[r * f.a_stride + i];
#pragma GCC unroll 8
      for (int c = 0; c < C; ++c) acc[r][c] = multiply_add(row, column[c], acc[r][c]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (int c = 0; c < C; ++c) store_vector(f.out + r * f.out_stride + c * kVectorFloats, acc[r][c]);
  }
}

// Any number of rows and vectors, in blocks of registers and one by one where a block does not fit.
void multiply(Factors f, std::size_t n_rows, std::size_t n_vectors) noexcept {
  for (std::size_t r = 0; r < n_rows;) {
    const bool many_rows = n_rows - r >= kRegisterRows;
    for (std::size_t c = 0; c < n_vectors;) {
      const bool many_vectors = n_vectors - c >= kRegisterVectors;
      Factors part = f;
      part.a += r * f.a_stride;
      part.b += c * kVectorFloats;
      part.out += r * f.out_stride + c * kVectorFloats;
      if (many_rows) {
        many_vectors ? multiply_fixed<kRegisterRows, kRegisterVectors>(part)
                     : multiply_fixed<kRegisterRows, 1>(part);
      } else {
        many_vectors ? multiply_fixed<1, kRegisterVectors>(part) : multiply_fixed<1, 1>(part);
      }
      c += many_vectors ? kRegisterVectors : 1;
    }
    r += many_rows ? kRegisterRows : 1;
  }
}

// cap * tanh(x / 2), e^x written as 2^x: 1 - 2 / (1 + 2^x).
inline Vector bend(const Vector& x, float cap) noexcept {
  return (1.0F - 2.0F / (1.0F + exp2(x))) * cap;
}

inline void hide(float* scores, KeyRange visible) noexcept {
  for (std::size_t i = 0; i < visible.begin; ++i) scores[i] = kMinusInfinity;
  for (std::size_t i = visible.end; i < kBlockKeys; ++i) scores[i] = kMinusInfinity;
}

float largest_of(const float* scores) noexcept {
  Vector largest = load_vector(scores);
  for (std::size_t i = 1; i < kKeyVectors; ++i)
    largest = larger(load_vector(scores + i * kVectorFloats), largest);
  float result = largest[0];
  for (std::size_t i = 1; i < kVectorFloats; ++i) result = largest[i] > result ? largest[i] : result;
  return result;
}

// Moves the row's maximum up to `highest`, rounded up to a whole number so that rescaling is exact.
void raise_maximum(const AttentionBlock& block, std::size_t row, float highest) noexcept {
  float& maximum = block.state.maxima[row];
  const float raised = __builtin_ceilf(highest);
  const float power = power_of_two(maximum - raised);
  maximum = raised;
  float* sums = block.state.sums + row * kSumLanes;
  for (std::size_t i = 0; i < kSumLanes; ++i) sums[i] *= power;
  float* results = block.state.results + row * block.value_dim;
  for (std::size_t d = 0; d < block.value_dim; ++d) results[d] *= power;
}

// Scores become weights, which are added to the row's lanes of sums.
void weigh_row(const AttentionBlock& block, std::size_t row, float* scores) noexcept {
  if (block.softcap > 0) {
    for (std::size_t i = 0; i < kBlockKeys; i += kVectorFloats)
      store_vector(scores + i, bend(load_vector(scores + i), block.softcap));
  }
  if (block.visible != nullptr) hide(scores, block.visible[row]);
  const float highest = largest_of(scores);
  if (is_fresh(highest)) {  // nothing is seen
    for (std::size_t i = 0; i < kBlockKeys; ++i) scores[i] = 0.0F;
    return;
  }
  if (!(highest <= block.state.maxima[row])) raise_maximum(block, row, highest);
  const Vector maximum = Vector{} + block.state.maxima[row];
  float* sums = block.state.sums + row * kSumLanes;
  for (std::size_t i = 0; i < kBlockKeys; i += kVectorFloats) {
    const Vector weight = exp2(load_vector(scores + i) - maximum);
    store_vector(scores + i, weight);
    float* lanes = sums + i % kSumLanes;
    store_vector(lanes, load_vector(lanes) + weight);
  }
}

void attend(const AttentionBlock& block) noexcept {
  auto* scores = reinterpret_cast<float*>(block.workspace);
  for (std::size_t pass = 0; pass < block.n_rows; pass += kPassRows) {
    const std::size_t rows = block.n_rows - pass < kPassRows ? block.n_rows - pass : kPassRows;
    std::memset(scores, 0, rows * kBlockKeys * sizeof(float));
    multiply({.a = reinterpret_cast<const float*>(block.queries) + pass * block.key_dim,
              .a_stride = block.key_dim,
              .b = reinterpret_cast<const float*>(block.keys),
              .b_stride = kBlockKeys,
              .n = block.key_dim,
              .out = scores,
              .out_stride = kBlockKeys},
             rows, kKeyVectors);
    for (std::size_t r = 0; r < rows; ++r) weigh_row(block, pass + r, scores + r * kBlockKeys);
    multiply({.a = scores,
              .a_stride = kBlockKeys,
              .b = reinterpret_cast<const float*>(block.values),
              .b_stride = block.value_dim,
              .n = block.n_keys,
              .out = block.state.results + pass * block.value_dim,
              .out_stride = block.value_dim},
             rows, block.value_dim / kVectorFloats);
  }
}

// The 16 lanes added pairwise: i + (i + 8), then + 4, + 2, + 1.
inline float sum_of_lanes(const float* sums) noexcept {
  float lane[kSumLanes];
  std::memcpy(lane, sums, sizeof lane);
  for (std::size_t half = kSumLanes / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) lane[i] += lane[i + half];
  }
  return lane[0];
}

void merge(const RowState& share, std::size_t dim, RowTotal& total, float* out) noexcept {
  const float maximum = *share.maxima;
  if (is_fresh(maximum)) return;
  const float sum = sum_of_lanes(share.sums);
  if (is_fresh(total.maximum)) {
    total = {.maximum = maximum, .sum = sum};
    std::memcpy(out, share.results, dim * sizeof(float));
    return;
  }
  const float highest = total.maximum > maximum ? total.maximum : maximum;
  const float old_power = power_of_two(total.maximum - highest);
  const float new_power = power_of_two(maximum - highest);
  for (std::size_t d = 0; d < dim; ++d) out[d] = out[d] * old_power + share.results[d] * new_power;
  total = {.maximum = highest, .sum = total.sum * old_power + sum * new_power};
}

constexpr AttentionKernels kAttention = {.value_bytes = sizeof(float),
                                         .pack_query = pack_query,
                                         .load_keys = load_keys,
                                         .load_values = load_values,
                                         .attend = attend,
                                         .merge = merge};

}  // namespace
}  // namespace cistern::kernels
