// The attention kernels of every ISA of this machine against double arithmetic: several blocks through one
// softmax, maxima that rise, masks, soft caps, ring wraps, every cache type; and each row alone against the
// same row among others, bit for bit.
#include "kernels/attention_table.h"
#include "kernels/isa_test.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <string>
#include <vector>

#include "base/rng.h"
#include "kernels/kernel_table.h"

namespace cistern::kernels {
namespace {

constexpr std::size_t kBlocks = 3;
constexpr std::size_t kKeys = kBlocks * kBlockKeys;

std::vector<float> random_values(std::size_t n, std::uint64_t seed, float scale = 1.0F) {
  Rng rng(seed);
  std::vector<float> values(n);
  for (float& v : values) v = static_cast<float>(rng.uniform() * 2 - 1) * scale;
  return values;
}

struct Case {
  sys::Isa isa = sys::Isa::kScalar;
  DType type = DType::kF32;
  std::size_t key_dim = 64;
  std::size_t value_dim = 64;
  std::size_t n_rows = 1;
  float score_scale = 1.0F;  // of the scores, as base-2 logarithms
  float softcap = 0;
  std::size_t hidden = 0;  // row r does not see its last r * hidden keys

  std::size_t seen(std::size_t row) const { return kKeys - std::min(kKeys - 1, row * hidden); }
};

// A cache of one head, rotated by some rows so that blocks wrap.
struct Head {
  DType type;
  std::size_t dim, row_bytes;
  std::vector<std::byte> bytes;
  std::vector<float> decoded;  // (dim, kKeys)

  static constexpr std::size_t kRotated = 23;

  Head(DType of_type, std::size_t of_dim, std::uint64_t seed)
      : type(of_type), dim(of_dim), decoded(of_dim * kKeys) {
    const quant::Format& format = quant::format_of(type);
    row_bytes = dim / format.block_values * format.block_bytes;
    bytes.resize(row_bytes * kKeys);
    const std::vector<float> values = random_values(dim * kKeys, seed);
    for (std::size_t key = 0; key < kKeys; ++key) {
      format.quantize(values.data() + key * dim, row(key), dim);
      format.dequantize(row(key), decoded.data() + key * dim, dim);
    }
  }
  std::byte* row(std::size_t key) { return bytes.data() + (key + kRotated) % kKeys * row_bytes; }

  CacheRows block(std::size_t first_key, std::size_t n, const KernelTable& table,
                  std::vector<float>& working) {
    const std::size_t slot = (first_key + kRotated) % kKeys;
    working.resize(kDecodedRows * padded_dim(dim));
    return {.type = type,
            .dim = dim,
            .head_bytes = row_bytes,
            .begin = 0,
            .end = static_cast<std::uint32_t>(n),
            .first = bytes.data() + slot * row_bytes,
            .ring = bytes.data(),
            .until_wrap = static_cast<std::uint32_t>(kKeys - slot),
            .row_bytes = row_bytes,
            .decode = table.dequantize[static_cast<std::size_t>(type)],
            .decoded = working.data()};
  }
};

struct Problem {
  Case c;
  std::vector<float> queries;  // (key_dim, rows)
  Head keys, values;

  explicit Problem(const Case& of)
      : c(of),
        queries(random_values(c.key_dim * c.n_rows, 1)),
        keys(c.type, c.key_dim, 2),
        values(c.type, c.value_dim, 3) {}

  // The scale that gives query . key its size; under a cap, twice: the kernels halve it.
  float query_scale() const {
    const float base = c.score_scale / std::sqrt(static_cast<float>(c.key_dim));
    return c.softcap > 0 ? base * 2 / c.softcap : base;
  }
  std::vector<double> exact(std::size_t row) const {
    std::vector<double> out(c.value_dim);
    double sum = 0;
    for (std::size_t key = 0; key < c.seen(row); ++key) {
      double score = 0;
      for (std::size_t i = 0; i < c.key_dim; ++i)
        score += double{queries[row * c.key_dim + i]} * keys.decoded[key * c.key_dim + i];
      score *= query_scale();
      // The kernels get 2^x for e^y: y = x ln 2.
      if (c.softcap > 0) score = c.softcap * std::tanh(score * std::numbers::ln2 / 2);
      const double weight = std::exp2(score);
      sum += weight;
      for (std::size_t i = 0; i < c.value_dim; ++i) out[i] += weight * values.decoded[key * c.value_dim + i];
    }
    for (double& v : out) v /= sum;
    return out;
  }
};

// Rows [first, first + n) of the problem, the first block as one share and the others as a second one.
std::vector<float> attend(Problem& p, std::size_t first, std::size_t n) {
  const Case& c = p.c;
  const AttentionKernels& kernels = attention_kernels(c.isa, c.type);
  const KernelTable& table = resolve(c.isa);
  const std::size_t key_dim = padded_dim(c.key_dim), value_dim = padded_dim(c.value_dim);
  std::vector<std::byte> queries(n * key_dim * kernels.value_bytes), workspace(kWorkspaceBytes),
      key_panel(kBlockKeys * key_dim * sizeof(float)), value_panel(kBlockKeys * value_dim * sizeof(float));
  std::vector<float> maxima(n), sums(n * kSumLanes), results(n * value_dim), working, out(n * c.value_dim);
  std::vector<RowTotal> totals(n, {.maximum = kMinusInfinity});
  const RowState state{maxima.data(), sums.data(), results.data()};
  for (std::size_t r = 0; r < n; ++r) {
    kernels.pack_query(p.queries.data() + (first + r) * c.key_dim, p.query_scale(), c.key_dim,
                       queries.data() + r * key_dim * kernels.value_bytes);
  }
  for (std::size_t b = 0; b < kBlocks; ++b) {
    if (b < 2) {
      maxima.assign(n, kMinusInfinity);
      sums.assign(n * kSumLanes, 0.0F);
      results.assign(n * value_dim, 0.0F);
    }
    const std::size_t there =
        std::min(kBlockKeys, std::max(c.seen(first), b * kBlockKeys + 1) - b * kBlockKeys);
    LinesAhead none;
    kernels.load_keys(p.keys.block(b * kBlockKeys, there, table, working), none, key_panel.data());
    kernels.load_values(p.values.block(b * kBlockKeys, there, table, working), none, value_panel.data());
    std::vector<KeyRange> visible(n);
    for (std::size_t r = 0; r < n; ++r) {
      const std::size_t seen = c.seen(first + r);
      const std::size_t end = seen > b * kBlockKeys ? std::min(kBlockKeys, seen - b * kBlockKeys) : 0;
      visible[r].end = static_cast<std::uint8_t>(end);
    }
    kernels.attend({.n_rows = n,
                    .n_keys = there,
                    .key_dim = key_dim,
                    .value_dim = value_dim,
                    .queries = queries.data(),
                    .keys = key_panel.data(),
                    .values = value_panel.data(),
                    .keys_ahead = &none,
                    .values_ahead = &none,
                    .visible = c.hidden > 0 ? visible.data() : nullptr,
                    .softcap = c.softcap,
                    .state = state,
                    .workspace = workspace.data()});
    if (b == 1) continue;
    for (std::size_t r = 0; r < n; ++r) {
      kernels.merge({maxima.data() + r, sums.data() + r * kSumLanes, results.data() + r * value_dim},
                    c.value_dim, totals[r], out.data() + r * c.value_dim);
    }
  }
  for (std::size_t r = 0; r < n; ++r) {
    for (std::size_t i = 0; i < c.value_dim; ++i) out[r * c.value_dim + i] /= totals[r].sum;
  }
  return out;
}

bool rounds_to_bf16(const Case& c) {
  return c.isa == sys::Isa::kAvx512Bf16 && c.type != DType::kF32;
}

void check(const Case& c) {
  SCOPED_TRACE(std::string(quant::format_of(c.type).name) + " dims " + std::to_string(c.key_dim) + ", " +
               std::to_string(c.value_dim) + ", rows " + std::to_string(c.n_rows) + ", scores " +
               std::to_string(c.score_scale) + ", cap " + std::to_string(c.softcap) + ", hidden " +
               std::to_string(c.hidden));
  Problem p(c);
  const std::vector<float> ours = attend(p, 0, c.n_rows);
  // Values are in [-1, 1]. A score of size s is wrong by about s * 2^-9 in bfloat16 (its products' errors
  // partly cancel), as is its weight then, and weights and values round by 2^-9 themselves. In float32 the
  // same with 2^-23 or so.
  const double unit = rounds_to_bf16(c) ? 0x1p-9 : 0x1p-22;
  const double tolerance = unit * (3 + 2 * c.score_scale);
  for (std::size_t r = 0; r < c.n_rows; ++r) {
    const std::vector<double> exact = p.exact(r);
    for (std::size_t i = 0; i < c.value_dim; ++i)
      ASSERT_NEAR(ours[r * c.value_dim + i], exact[i], tolerance) << "row " << r << " value " << i;
    const std::vector<float> alone = attend(p, r, 1);
    ASSERT_EQ(std::memcmp(alone.data(), ours.data() + r * c.value_dim, c.value_dim * sizeof(float)), 0)
        << "row " << r;
  }
}

class AttentionKernelsTest : public ::testing::TestWithParam<sys::Isa> {};

TEST_P(AttentionKernelsTest, every_head_size_and_number_of_rows) {
  for (const DType type : {DType::kF32, DType::kF16}) {
    for (const std::size_t dim : {1U, 16U, 31U, 32U, 40U, 64U, 80U, 96U, 112U, 128U, 256U})
      check({.isa = GetParam(), .type = type, .key_dim = dim, .value_dim = dim, .n_rows = 5});
    for (std::size_t rows = 1; rows <= 21; ++rows)
      check({.isa = GetParam(), .type = type, .key_dim = 48, .value_dim = 72, .n_rows = rows});
  }
}

TEST_P(AttentionKernelsTest, every_cache_type) {
  for (const DType type : {DType::kF32, DType::kF16, DType::kBF16, DType::kQ8_0, DType::kQ4_0}) {
    for (const std::size_t dim : {32U, 64U, 96U})
      check({.isa = GetParam(), .type = type, .key_dim = dim, .value_dim = 128 - dim, .n_rows = 7});
  }
}

TEST_P(AttentionKernelsTest, maxima_that_rise_by_much_masks_and_caps) {
  for (const DType type : {DType::kF32, DType::kF16}) {
    for (const float scale : {0.0F, 10.0F, 100.0F}) {
      for (const std::size_t hidden : {0U, 1U, 30U})
        check({.isa = GetParam(), .type = type, .n_rows = 9, .score_scale = scale, .hidden = hidden});
    }
    for (const float cap : {2.0F, 50.0F})
      check({.isa = GetParam(), .type = type, .n_rows = 9, .score_scale = 20, .softcap = cap, .hidden = 30});
  }
}

// What nobody may see does not count, not even as zero times infinity: keys that are not there are zeros.
TEST_P(AttentionKernelsTest, keys_that_are_not_there_are_not_read) {
  for (const DType type : {DType::kF32, DType::kF16, DType::kQ8_0}) {
    Problem p({.isa = GetParam(), .type = type, .n_rows = 1, .hidden = 0});
    const KernelTable& table = resolve(GetParam());
    const AttentionKernels& kernels = attention_kernels(GetParam(), type);
    std::vector<float> working;
    std::vector<std::byte> panel(kBlockKeys * 64 * sizeof(float), std::byte{0x7F});
    CacheRows rows = p.keys.block(0, kBlockKeys, table, working);
    rows.begin = 5;
    rows.end = 5;
    rows.first = rows.ring = nullptr;
    LinesAhead none;
    kernels.load_keys(rows, none, panel.data());
    const std::size_t used = kBlockKeys * 64 * kernels.value_bytes;
    for (std::size_t i = 0; i < used; ++i) ASSERT_EQ(panel[i], std::byte{0}) << i;
    std::ranges::fill(panel, std::byte{0x7F});
    kernels.load_values(rows, none, panel.data());
    for (std::size_t i = 0; i < used; ++i) ASSERT_EQ(panel[i], std::byte{0}) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, AttentionKernelsTest, ::testing::ValuesIn(host_isas()), isa_test_name);

TEST(LinesAhead, asks_for_each_line_of_each_row_once) {
  std::vector<std::byte> memory(10 * 256);
  LinesAhead ahead{.line = memory.data(), .left = 6, .per_row = 2, .left_in_row = 2, .gap = 128};
  ahead.ask(3);
  EXPECT_EQ(ahead.line, memory.data() + 256 + 64);
  ahead.ask(100);
  EXPECT_EQ(ahead.left, 0U);
  EXPECT_EQ(ahead.line, memory.data() + 3 * 256);
}

}  // namespace
}  // namespace cistern::kernels
