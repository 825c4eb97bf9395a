// Attention in bfloat16 with float32 sums (vdpbf16ps): scores, softmax and weighted values of a block of
// keys, 16 rows at a time so that scores and weights stay in the first-level cache. The blank lines between
// the includes of the region keep their order.
#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/attention_table.h"

#include "kernels/avx512_bf16/region_begin.h"

#include "kernels/avx512_bf16/attention_panels.h"

namespace cistern::kernels {
namespace {

constexpr std::size_t kVectorsOfKeys = kBlockKeys / 16;
constexpr std::size_t kRegisterRows = 4;
constexpr std::size_t kRegisterVectors = 4;  // 16 of 32 registers hold sums

inline int broadcast_pair(const std::byte* p) noexcept {
  int bits;
  std::memcpy(&bits, p, sizeof bits);
  return bits;
}

// acc[r][c] += sum over pairs of a[r][pair] * b[pair][c], one multiplication after the other.
struct Factors {
  const std::byte* a = nullptr;  // rows of pairs, row_bytes apart
  std::size_t row_bytes = 0;
  const std::byte* b = nullptr;  // vectors of 16 pairs; pair_bytes from one pair to the next
  std::size_t pair_bytes = 0;
  std::size_t n_pairs = 0;
  LinesAhead* ahead = nullptr;
};

template <int R, int C>
inline void multiply(const Factors& f, __m512 (&acc)[R][C]) noexcept {
  LinesAhead ahead = *f.ahead;  // in registers
  const std::byte* b = f.b;
  for (std::size_t pair = 0; pair < f.n_pairs; ++pair, b += f.pair_bytes) {
    ahead.ask();
    __m512i column[C];
#pragma GCC unroll 4
    for (int c = 0; c < C; ++c) column[c] = _mm512_loadu_si512(b + 64 * c);
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
      const __m512i row = _mm512_set1_epi32(broadcast_pair(f.a + r * f.row_bytes + pair * kPairBytes));
#pragma GCC unroll 4
      for (int c = 0; c < C; ++c) acc[r][c] = _mm512_dpbf16_ps(acc[r][c], (__m512bh)row, (__m512bh)column[c]);
    }
  }
  *f.ahead = ahead;
}

// The next of even parts of at most `most`: a part of one would spend its time waiting for its own sums.
inline std::size_t even_part(std::size_t left, std::size_t most) noexcept {
  const std::size_t parts = (left + most - 1) / most;
  return (left + parts - 1) / parts;
}

inline bool is_fresh(float maximum) noexcept {
  return maximum == kMinusInfinity;
}

// Scores of R rows relative to their maxima (with a soft cap: the plain ones).
template <int R>
void score_rows(const AttentionBlock& block, std::size_t row, float* scores) noexcept {
  __m512 acc[R][kVectorsOfKeys];
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) {
    const float maximum = block.state.maxima[row + r];
    const float start = block.softcap > 0 || is_fresh(maximum) ? 0.0F : -maximum;
#pragma GCC unroll 4
    for (auto& vector : acc[r]) vector = _mm512_set1_ps(start);
  }
  const std::size_t row_bytes = block.key_dim * sizeof(std::uint16_t);
  multiply({.a = block.queries + row * row_bytes,
            .row_bytes = row_bytes,
            .b = block.keys,
            .pair_bytes = kBlockKeys * kPairBytes,
            .n_pairs = block.key_dim / 2,
            .ahead = block.keys_ahead},
           acc);
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (std::size_t c = 0; c < kVectorsOfKeys; ++c)
      _mm512_storeu_ps(scores + r * kBlockKeys + 16 * c, acc[r][c]);
  }
}

// 2^x to 7.5e-5, a thirtieth of what rounding the weight to bfloat16 costs; 0 for -infinity.
inline __m512 exp2_weight(__m512 x) noexcept {
  const __m512 whole = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m512 f = _mm512_sub_ps(x, whole);
  __m512 y = _mm512_fmadd_ps(f, _mm512_set1_ps(0.0551716685F), _mm512_set1_ps(0.242611125F));
  y = _mm512_fmadd_ps(y, f, _mm512_set1_ps(0.693260968F));
  y = _mm512_fmadd_ps(y, f, _mm512_set1_ps(0.999928057F));
  return _mm512_scalef_ps(y, whole);
}

// 2^x to 3e-6.
inline __m512 exp2_fine(__m512 x) noexcept {
  const __m512 whole = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m512 f = _mm512_sub_ps(x, whole);
  __m512 y = _mm512_fmadd_ps(f, _mm512_set1_ps(0.00957010221F), _mm512_set1_ps(0.0559178591F));
  y = _mm512_fmadd_ps(y, f, _mm512_set1_ps(0.240247443F));
  y = _mm512_fmadd_ps(y, f, _mm512_set1_ps(0.693121791F));
  y = _mm512_fmadd_ps(y, f, _mm512_set1_ps(0.999999285F));
  return _mm512_scalef_ps(y, whole);
}

// cap * tanh(x / 2), e^x written as 2^x: 1 - 2 / (1 + 2^x); relative to the row's maximum.
void bend(float* scores, float cap, float maximum) noexcept {
  const __m512 one = _mm512_set1_ps(1.0F);
  const __m512 base = _mm512_set1_ps(is_fresh(maximum) ? 0.0F : maximum);
  for (std::size_t i = 0; i < kBlockKeys; i += 16) {
    const __m512 power = exp2_fine(_mm512_loadu_ps(scores + i));
    const __m512 part = _mm512_div_ps(_mm512_set1_ps(2.0F), _mm512_add_ps(one, power));
    const __m512 bent = _mm512_mul_ps(_mm512_set1_ps(cap), _mm512_sub_ps(one, part));
    _mm512_storeu_ps(scores + i, _mm512_sub_ps(bent, base));
  }
}

void hide(float* scores, KeyRange visible) noexcept {
  for (std::size_t i = 0; i < visible.begin; ++i) scores[i] = kMinusInfinity;
  for (std::size_t i = visible.end; i < kBlockKeys; ++i) scores[i] = kMinusInfinity;
}

// Moves the row's maximum up to that of its scores, rounded up to a whole number so that rescaling is exact.
void raise_maximum(const AttentionBlock& block, std::size_t row, float* scores) noexcept {
  __m512 highest = _mm512_loadu_ps(scores);
  for (std::size_t i = 16; i < kBlockKeys; i += 16)
    highest = _mm512_max_ps(_mm512_loadu_ps(scores + i), highest);
  const float step = __builtin_ceilf(_mm512_reduce_max_ps(highest));
  if (is_fresh(step)) return;  // nothing was seen
  const __m512 down = _mm512_set1_ps(-step);
  for (std::size_t i = 0; i < kBlockKeys; i += 16)
    _mm512_storeu_ps(scores + i, _mm512_add_ps(_mm512_loadu_ps(scores + i), down));
  float& maximum = block.state.maxima[row];
  if (is_fresh(maximum)) {
    maximum = step;
    return;
  }
  maximum += step;
  float* sums = block.state.sums + row * kSumLanes;
  _mm512_storeu_ps(sums, _mm512_scalef_ps(_mm512_loadu_ps(sums), down));
  float* results = block.state.results + row * block.value_dim;
  for (std::size_t d = 0; d < block.value_dim; d += 16)
    _mm512_storeu_ps(results + d, _mm512_scalef_ps(_mm512_loadu_ps(results + d), down));
}

// A maximum may lag behind: weights up to 2^8 are as exact as those up to 1, and moving it costs a pass.
constexpr float kHeadroom = 8.0F;

// Brings rows' scores where weights can be taken of them: capped, masked, below the headroom.
inline void settle_rows(const AttentionBlock& block, std::size_t first_row, std::size_t n,
                        float* scores) noexcept {
  for (std::size_t row = first_row; row < first_row + n; ++row, scores += kBlockKeys) {
    const float maximum = block.state.maxima[row];
    if (block.softcap > 0) bend(scores, block.softcap, maximum);
    if (block.visible != nullptr) hide(scores, block.visible[row]);
    const __m512 highest =
        _mm512_max_ps(_mm512_max_ps(_mm512_loadu_ps(scores), _mm512_loadu_ps(scores + 16)),
                      _mm512_max_ps(_mm512_loadu_ps(scores + 32), _mm512_loadu_ps(scores + 48)));
    const bool above = _mm512_cmp_ps_mask(highest, _mm512_set1_ps(kHeadroom), _CMP_GT_OQ) != 0;
    if (above || is_fresh(maximum)) raise_maximum(block, row, scores);
  }
}

// Scores become bfloat16 weights; their sum is that of the rounded weights.
inline void weigh_rows(const AttentionBlock& block, std::size_t first_row, std::size_t n, const float* scores,
                       std::byte* weights) noexcept {
  const __m512bh ones = (__m512bh)_mm512_set1_epi16(0x3F80);
  float* sums = block.state.sums + first_row * kSumLanes;
  for (std::size_t r = 0; r < n; ++r) {
    __m512 sum = _mm512_loadu_ps(sums);
#pragma GCC unroll 2
    for (std::size_t i = 0; i < kBlockKeys; i += 32) {
      const __m512i pair =
          to_bf16(exp2_weight(_mm512_loadu_ps(scores + i + 16)), exp2_weight(_mm512_loadu_ps(scores + i)));
      _mm512_storeu_si512(weights + 2 * i, pair);
      sum = _mm512_dpbf16_ps(sum, (__m512bh)pair, ones);
    }
    _mm512_storeu_ps(sums, sum);
    scores += kBlockKeys;
    weights += kBlockKeys * sizeof(std::uint16_t);
    sums += kSumLanes;
  }
}

constexpr std::size_t kWeightRowBytes = kBlockKeys * sizeof(std::uint16_t);

// results += weights * values for R rows and 16 * C dims from `dim` on.
template <int R, int C>
void add_values(const AttentionBlock& block, std::size_t row, const std::byte* weights,
                std::size_t dim) noexcept {
  float* results = block.state.results + row * block.value_dim + dim;
  __m512 acc[R][C];
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < C; ++c) acc[r][c] = _mm512_loadu_ps(results + r * block.value_dim + 16 * c);
  }
  multiply({.a = weights,
            .row_bytes = kWeightRowBytes,
            .b = block.values + dim * kPairBytes,
            .pair_bytes = block.value_dim * kPairBytes,
            .n_pairs = (block.n_keys + 1) / 2,
            .ahead = block.values_ahead},
           acc);
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < C; ++c) _mm512_storeu_ps(results + r * block.value_dim + 16 * c, acc[r][c]);
  }
}

template <int R>
void add_all_values(const AttentionBlock& block, std::size_t row, const std::byte* weights) noexcept {
  using AddFn = void (*)(const AttentionBlock&, std::size_t, const std::byte*, std::size_t) noexcept;
  static constexpr AddFn kByVectors[] = {add_values<R, 1>, add_values<R, 2>, add_values<R, 3>,
                                         add_values<R, 4>};
  const std::size_t vectors = block.value_dim / 16;
  for (std::size_t done = 0; done < vectors;) {
    const std::size_t n = even_part(vectors - done, kRegisterVectors);
    kByVectors[n - 1](block, row, weights, 16 * done);
    done += n;
  }
}

using ScoreFn = void (*)(const AttentionBlock&, std::size_t, float*) noexcept;
using AddAllFn = void (*)(const AttentionBlock&, std::size_t, const std::byte*) noexcept;
constexpr ScoreFn kScoreRows[] = {score_rows<1>, score_rows<2>, score_rows<3>, score_rows<4>};
constexpr AddAllFn kAddValues[] = {add_all_values<1>, add_all_values<2>, add_all_values<3>,
                                   add_all_values<4>};

void attend(const AttentionBlock& block) noexcept {
  auto* scores = reinterpret_cast<float*>(block.workspace);
  std::byte* weights = block.workspace + kPassRows * kBlockKeys * sizeof(float);
  for (std::size_t pass = 0; pass < block.n_rows; pass += kPassRows) {
    const std::size_t rows = block.n_rows - pass < kPassRows ? block.n_rows - pass : kPassRows;
    for (std::size_t r = 0; r < rows;) {
      const std::size_t n = even_part(rows - r, kRegisterRows);
      kScoreRows[n - 1](block, pass + r, scores + r * kBlockKeys);
      r += n;
    }
    settle_rows(block, pass, rows, scores);
    weigh_rows(block, pass, rows, scores, weights);
    for (std::size_t r = 0; r < rows;) {
      const std::size_t n = even_part(rows - r, kRegisterRows);
      kAddValues[n - 1](block, pass + r, weights + r * kWeightRowBytes);
      r += n;
    }
  }
}

void merge(const RowState& share, std::size_t dim, RowTotal& total, float* out) noexcept {
  const float maximum = *share.maxima;
  if (is_fresh(maximum)) return;
  const bool first = is_fresh(total.maximum);
  const float highest = first || maximum > total.maximum ? maximum : total.maximum;
  // Powers of two, 0 for what is out of reach; the first share is taken as it is.
  const __m512 one = _mm512_set1_ps(1.0F);
  const __m512 old_power = _mm512_scalef_ps(one, _mm512_set1_ps(total.maximum - highest));
  const __m512 new_power = _mm512_scalef_ps(one, _mm512_set1_ps(maximum - highest));
  const __mmask16 kept = first ? 0 : 0xFFFF;
  for (std::size_t d = 0; d < dim; d += 16) {
    const __mmask16 mask = mask_of_dims(dim, d);
    const __m512 old_part = _mm512_mul_ps(_mm512_maskz_loadu_ps(mask & kept, out + d), old_power);
    const __m512 sum = _mm512_fmadd_ps(_mm512_loadu_ps(share.results + d), new_power, old_part);
    _mm512_mask_storeu_ps(out + d, mask, sum);
  }
  const float old_sum = first ? 0.0F : total.sum * _mm512_cvtss_f32(old_power);
  total.sum = old_sum + _mm512_reduce_add_ps(_mm512_loadu_ps(share.sums)) * _mm512_cvtss_f32(new_power);
  total.maximum = highest;
}

}  // namespace
}  // namespace cistern::kernels

#include "kernels/avx512_bf16/region_end.h"

namespace cistern::kernels {

const AttentionKernels* attention_avx512_bf16() noexcept {
  static constexpr AttentionKernels kKernels = {.value_bytes = sizeof(std::uint16_t),
                                                .pack_query = pack_query,
                                                .load_keys = load_keys,
                                                .load_values = load_values,
                                                .attend = attend,
                                                .merge = merge};
  return &kKernels;
}

}  // namespace cistern::kernels
