// Panel kernels of every ISA that this machine has: unpacked weights against the scalar codec, packed
// activations against their definition, products against double arithmetic on exactly what was packed, and
// the same bits for any number of tokens beside a row and, for integer formats, on every ISA.
#include "kernels/panel.h"
#include "kernels/isa_test.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "base/half.h"
#include "base/rng.h"
#include "kernels/kernel_table.h"

namespace cistern::kernels {
namespace {

// 64-byte aligned memory in whole lines.
class Lines {
 public:
  explicit Lines(std::size_t bytes) : lines_((bytes + 63) / 64) {}
  std::byte* data() { return lines_[0].bytes; }
  const std::byte* data() const { return lines_[0].bytes; }

 private:
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  std::vector<Line> lines_;
};

enum class Draw : std::uint8_t { kEven, kMostlyOnes };

// Random codes under finite, moderate scales: blocks that decode to anything wilder are drawn again. Bytes of
// ones make codes the largest.
std::vector<std::byte> random_rows(const quant::Format& format, std::size_t rows, std::size_t cols, Rng& rng,
                                   Draw draw = Draw::kEven) {
  const std::size_t blocks = rows * cols / format.block_values;
  std::vector<std::byte> bytes(blocks * format.block_bytes);
  std::vector<float> values(format.block_values);
  for (std::size_t b = 0; b < blocks; ++b) {
    std::byte* at = bytes.data() + b * format.block_bytes;
    for (bool tame = false; !tame;) {
      for (std::uint32_t i = 0; i < format.block_bytes; ++i) {
        const bool ones = draw == Draw::kMostlyOnes && rng.uniform() < 0.85;
        at[i] = ones ? std::byte{0xFF} : static_cast<std::byte>(rng.next());
      }
      format.dequantize(at, values.data(), format.block_values);
      tame = true;
      for (const float v : values) tame = tame && std::fabs(v) < 1e3F;
    }
  }
  return bytes;
}

std::vector<float> random_values(std::size_t n, Rng& rng) {
  std::vector<float> values(n);
  for (float& v : values) v = static_cast<float>(rng.uniform() * 2 - 1);
  return values;
}

float activation(const std::byte* chunk, Arithmetic arithmetic, std::size_t i) {
  if (arithmetic == Arithmetic::kBf16) {
    return bf16_to_float(reinterpret_cast<const Bf16Chunk*>(chunk)->values[i]);
  }
  const auto& c = *reinterpret_cast<const Int8Chunk*>(chunk);
  return c.d * static_cast<float>(1 << c.shift[i / kBlockValues]) * static_cast<float>(c.q[i]);
}

class Panels : public ::testing::TestWithParam<sys::Isa> {
 protected:
  const KernelTable& table() const { return resolve(GetParam()); }

  template <class F>
  void for_each_format(const F& f) const {
    for (const quant::Format& format : quant::all_formats()) {
      const PanelKernel& kernel = table().panel[static_cast<std::size_t>(format.dtype)];
      if (kernel.unpack == nullptr) continue;
      SCOPED_TRACE(format.name);
      f(format, kernel);
    }
  }
};

std::size_t chunk_bytes(const quant::Format& format) {
  return kChunkValues / format.block_values * format.block_bytes;
}

// Decodes a panel by multiplying it with unit vectors.
std::vector<float> decode_by_units(const KernelTable& table, const PanelKernel& kernel, const std::byte* pair,
                                   int n_values) {
  std::vector<float> unit(static_cast<std::size_t>(n_values));
  std::vector<float> decoded(static_cast<std::size_t>(n_values) * kPairRows);
  Lines chunk(kChunkBytes);
  for (int i = 0; i < n_values; ++i) {
    std::fill(unit.begin(), unit.end(), 0.0F);
    unit[static_cast<std::size_t>(i)] = 1.0F;
    table.pack[static_cast<std::size_t>(kernel.arithmetic)](unit.data(), unit.size(), chunk.data(),
                                                            kChunkBytes);
    kernel.multiply({.panels = pair,
                     .x = chunk.data(),
                     .x_chunk_stride = kChunkBytes,
                     .n_values = n_values,
                     .n_tokens = 1,
                     .out = decoded.data() + i * kPairRows,
                     .out_stride = kPairRows,
                     .offset_bits = kernel.offset_bits});
  }
  return decoded;
}

TEST_P(Panels, every_column_decodes_to_what_the_scalar_codec_says) {
  Rng rng(1);
  for_each_format([&](const quant::Format& format, const PanelKernel& kernel) {
    for (const int n_values : {32, 64, 128, 224, 256}) {
      if (n_values % static_cast<int>(format.block_values) != 0) continue;
      const auto cols = static_cast<std::size_t>(n_values);
      const std::vector<std::byte> rows = random_rows(format, kPairRows, cols, rng);
      const std::size_t row_bytes = rows.size() / kPairRows;
      Lines pair(2 * kPanelBytes);
      kernel.unpack(rows.data(), row_bytes, n_values, pair.data(), nullptr);
      kernel.unpack(rows.data() + kPanelRows * row_bytes, row_bytes, n_values, pair.data() + kPanelBytes,
                    nullptr);
      const std::vector<float> ours = decode_by_units(table(), kernel, pair.data(), n_values);
      std::vector<float> exact(cols);
      for (std::size_t r = 0; r < kPairRows; ++r) {
        format.dequantize(rows.data() + r * row_bytes, exact.data(), cols);
        float largest = 0;
        for (const float v : exact) largest = std::max(largest, std::fabs(v));
        // Relative to the row: minimums and codes cancel. bfloat16 keeps 8 bits of a half.
        const float tolerance = kernel.arithmetic == Arithmetic::kBf16 ? 0x1p-8F * largest : 4e-6F * largest;
        for (std::size_t i = 0; i < cols; ++i) {
          ASSERT_NEAR(ours[i * kPairRows + r], exact[i], tolerance) << "row " << r << " column " << i;
        }
      }
    }
  });
}

TEST_P(Panels, packed_activations_are_within_half_a_step) {
  const PackFn pack = table().pack[static_cast<std::size_t>(Arithmetic::kInt8)];
  if (pack == nullptr) GTEST_SKIP() << "no integer kernels";
  Rng rng(2);
  std::vector<float> x = random_values(3 * kChunkValues - 64, rng);
  for (std::size_t b = 0; b < x.size() / kBlockValues; ++b) {
    const float factor = std::exp2(static_cast<float>(rng.uniform() * 24 - 12));
    for (std::size_t i = 0; i < kBlockValues; ++i) x[b * kBlockValues + i] *= factor;
  }
  std::fill_n(x.begin() + 64, 32, 0.0F);
  Lines chunks(3 * kChunkBytes);
  pack(x.data(), x.size(), chunks.data(), kChunkBytes);
  for (std::size_t i = 0; i < x.size(); i += kBlockValues) {
    const auto& chunk = *reinterpret_cast<const Int8Chunk*>(chunks.data() + i / kChunkValues * kChunkBytes);
    const std::size_t b = i % kChunkValues / kBlockValues;
    float largest = 0;
    std::int32_t sum = 0;
    for (std::size_t j = 0; j < kBlockValues; ++j) {
      largest = std::max(largest, std::fabs(x[i + j]));
      sum += chunk.q[b * kBlockValues + j];
      EXPECT_GE(chunk.q[b * kBlockValues + j], -127);
    }
    const float step = chunk.d * static_cast<float>(1 << chunk.shift[b]);
    // A block uses at least half of the range, unless it is over 2^7 times smaller than the chunk's largest.
    EXPECT_TRUE(chunk.shift[b] == 0 || 63.4F * step <= largest) << i;
    EXPECT_GE(127.01F * step, largest) << i;
    for (std::size_t j = 0; j < kBlockValues; ++j) {
      EXPECT_NEAR(
          activation(reinterpret_cast<const std::byte*>(&chunk), Arithmetic::kInt8, i % kChunkValues + j),
          x[i + j], 0.5001F * step);
    }
    EXPECT_EQ(chunk.negated_sum32[b], -sum);
    EXPECT_EQ(chunk.negated_sum16[2 * b] + chunk.negated_sum16[2 * b + 1], -sum);
    EXPECT_EQ(chunk.scaled_sum32[b], static_cast<float>(sum * (1 << chunk.shift[b])));
  }
}

TEST_P(Panels, products_agree_with_double_arithmetic_and_do_not_depend_on_other_tokens) {
  constexpr std::size_t kTokens = 67;
  Rng rng(3);
  for_each_format([&](const quant::Format& format, const PanelKernel& kernel) {
    // More than one span of sums.
    const std::size_t n_chunks = kernel.arithmetic == Arithmetic::kBf16 ? kMostPassChunks + 2 : 3;
    const std::size_t cols = n_chunks * kChunkValues - (format.block_values > 128 ? 0 : 128);
    const std::vector<std::byte> rows = random_rows(format, kPairRows, cols, rng);
    const std::size_t row_bytes = rows.size() / kPairRows;
    Lines panels(n_chunks * 2 * kPanelBytes);
    for (std::size_t c = 0; c < n_chunks; ++c) {
      for (std::size_t p = 0; p < 2; ++p) {
        const auto n = static_cast<int>(std::min<std::size_t>(kChunkValues, cols - c * kChunkValues));
        kernel.unpack(rows.data() + p * kPanelRows * row_bytes + c * chunk_bytes(format), row_bytes, n,
                      panels.data() + (2 * c + p) * kPanelBytes, nullptr);
      }
    }
    std::vector<float> x = random_values(cols * kTokens, rng);
    Lines chunks(n_chunks * kTokens * kChunkBytes);
    for (std::size_t t = 0; t < kTokens; ++t) {
      table().pack[static_cast<std::size_t>(kernel.arithmetic)](
          x.data() + t * cols, cols, chunks.data() + t * kChunkBytes, kTokens * kChunkBytes);
    }
    const auto multiply = [&](std::size_t first, std::size_t n, float* out) {
      kernel.multiply({.panels = panels.data(),
                       .x = chunks.data() + first * kChunkBytes,
                       .x_chunk_stride = kTokens * kChunkBytes,
                       .n_values = static_cast<int>(cols),
                       .n_tokens = static_cast<int>(n),
                       .out = out,
                       .out_stride = kPairRows,
                       .offset_bits = kernel.offset_bits});
    };
    std::vector<float> together(kTokens * kPairRows);
    multiply(0, kTokens, together.data());

    std::vector<float> w(cols);
    for (std::size_t r = 0; r < kPairRows; ++r) {
      format.dequantize(rows.data() + r * row_bytes, w.data(), cols);
      for (std::size_t t = 0; t < kTokens; ++t) {
        double exact = 0;
        double magnitude = 0;
        for (std::size_t i = 0; i < cols; ++i) {
          const std::byte* chunk = chunks.data() + i / kChunkValues * kTokens * kChunkBytes + t * kChunkBytes;
          const double term = double{w[i]} * activation(chunk, kernel.arithmetic, i % kChunkValues);
          exact += term;
          magnitude += std::fabs(term);
        }
        const double tolerance = kernel.arithmetic == Arithmetic::kBf16 ? 0x1p-8 : 2e-6;
        ASSERT_NEAR(together[t * kPairRows + r], exact, tolerance * magnitude)
            << "row " << r << " token " << t;
      }
    }
    for (std::size_t n = 1; n <= kDotTokens; ++n) {
      std::vector<float> direct(n * kPairRows);
      kernel.dot({.rows = rows.data(),
                  .row_stride = row_bytes,
                  .x = chunks.data() + 5 * kChunkBytes,
                  .x_chunk_stride = kTokens * kChunkBytes,
                  .n_values = static_cast<int>(cols),
                  .n_tokens = static_cast<int>(n),
                  .out = direct.data(),
                  .out_stride = kPairRows});
      EXPECT_EQ(std::memcmp(direct.data(), together.data() + 5 * kPairRows, direct.size() * sizeof(float)), 0)
          << n;
    }
    for (std::size_t n = 1; n <= 13; ++n) {
      std::vector<float> some(n * kPairRows);
      multiply(5, n, some.data());
      EXPECT_EQ(std::memcmp(some.data(), together.data() + 5 * kPairRows, some.size() * sizeof(float)), 0)
          << n;
    }
  });
}

// One chunk of a pair of panels and some tokens, as an ISA sees it.
class Chunk {
 public:
  static constexpr std::size_t kTokens = 7;

  Chunk(const KernelTable& table, const quant::Format& format, int n_values)
      : table_(table),
        kernel_(table.panel[static_cast<std::size_t>(format.dtype)]),
        n_values_(n_values),
        row_bytes_(static_cast<std::size_t>(n_values) / format.block_values * format.block_bytes) {}

  void unpack(const std::vector<std::byte>& rows) {
    for (std::size_t p = 0; p < 2; ++p) {
      kernel_.unpack(rows.data() + p * kPanelRows * row_bytes_, row_bytes_, n_values_,
                     pair_.data() + p * kPanelBytes, nullptr);
    }
  }
  void pack(const std::vector<float>& x) {
    const auto n = static_cast<std::size_t>(n_values_);
    for (std::size_t t = 0; t < kTokens; ++t) {
      table_.pack[static_cast<std::size_t>(kernel_.arithmetic)](x.data() + t * n, n,
                                                                x_.data() + t * kChunkBytes, kChunkBytes);
    }
  }
  // The panel with the largest of its codes everywhere.
  void saturate() {
    std::uint8_t largest = 0;
    for_each_code([&](std::uint8_t& code) { largest = std::max(largest, code); });
    for_each_code([&](std::uint8_t& code) { code = largest; });
  }

  std::vector<float> multiply() const {
    std::vector<float> out(kTokens * kPairRows);
    kernel_.multiply({.panels = pair_.data(),
                      .x = x_.data(),
                      .x_chunk_stride = kTokens * kChunkBytes,
                      .n_values = n_values_,
                      .n_tokens = kTokens,
                      .out = out.data(),
                      .out_stride = kPairRows,
                      .offset_bits = kernel_.offset_bits});
    return out;
  }
  std::vector<float> dot(const std::vector<std::byte>& rows) const {
    std::vector<float> out(kTokens * kPairRows);
    for (std::size_t token = 0; token < kTokens; token += kDotTokens) {
      kernel_.dot({.rows = rows.data(),
                   .row_stride = row_bytes_,
                   .x = x_.data() + token * kChunkBytes,
                   .x_chunk_stride = kTokens * kChunkBytes,
                   .n_values = n_values_,
                   .n_tokens = static_cast<int>(std::min<std::size_t>(kDotTokens, kTokens - token)),
                   .out = out.data() + token * kPairRows,
                   .out_stride = kPairRows});
    }
    return out;
  }

  bool same_panels(const Chunk& other) const {
    return std::memcmp(pair_.data(), other.pair_.data(), 2 * kPanelBytes) == 0;
  }
  bool same_activations(const Chunk& other) const {
    return std::memcmp(x_.data(), other.x_.data(), kTokens * kChunkBytes) == 0;
  }

 private:
  template <class F>
  void for_each_code(const F& f) {
    for (std::size_t p = 0; p < 2; ++p) {
      auto& panel = *reinterpret_cast<Int8Panel*>(pair_.data() + p * kPanelBytes);
      auto* codes = reinterpret_cast<std::uint8_t*>(panel.codes);
      for (int i = 0; i < n_values_ * kPanelRows; ++i) f(codes[i]);
    }
  }

  const KernelTable& table_;
  const PanelKernel& kernel_;
  int n_values_;
  std::size_t row_bytes_;
  Lines pair_{2 * kPanelBytes};
  Lines x_{kTokens * kChunkBytes};
};

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

// Also with the largest codes and activations, where narrow sums would overflow.
TEST_P(Panels, integer_formats_have_the_bits_of_scalar) {
  const KernelTable& scalar = resolve(sys::Isa::kScalar);
  Rng rng(4);
  int formats = 0;
  for_each_format([&](const quant::Format& format, const PanelKernel& kernel) {
    if (kernel.arithmetic != Arithmetic::kInt8) return;
    ++formats;
    for (const int n_values : {32, 64, 96, 160, 224, 256}) {
      if (n_values % static_cast<int>(format.block_values) != 0) continue;
      const auto cols = static_cast<std::size_t>(n_values);
      for (const Draw draw : {Draw::kEven, Draw::kMostlyOnes}) {
        const std::vector<std::byte> rows = random_rows(format, kPairRows, cols, rng, draw);
        std::vector<float> x = random_values(cols * Chunk::kTokens, rng);
        if (draw == Draw::kMostlyOnes) {  // all of the largest magnitude, with long runs of one sign
          for (std::size_t i = 0; i < x.size(); ++i) x[i] = i / cols % 3 == 0 ? 1 : x[i / 8] < 0 ? -1 : 1;
        }
        Chunk ours(table(), format, n_values);
        Chunk reference(scalar, format, n_values);
        ours.unpack(rows);
        reference.unpack(rows);
        EXPECT_TRUE(ours.same_panels(reference)) << n_values;
        ours.pack(x);
        reference.pack(x);
        EXPECT_TRUE(ours.same_activations(reference)) << n_values;
        EXPECT_TRUE(same_bits(ours.multiply(), reference.multiply())) << n_values;
        EXPECT_TRUE(same_bits(ours.dot(rows), reference.multiply())) << n_values;
        ours.saturate();
        reference.saturate();
        EXPECT_TRUE(same_bits(ours.multiply(), reference.multiply())) << n_values;
      }
    }
  });
  // What scalar has, every ISA has, as integers or better.
  for (const quant::Format& format : quant::all_formats()) {
    const auto i = static_cast<std::size_t>(format.dtype);
    EXPECT_TRUE(scalar.panel[i].unpack == nullptr || table().panel[i].unpack != nullptr) << format.name;
  }
  EXPECT_GE(formats, 14);
}

INSTANTIATE_TEST_SUITE_P(Isas, Panels, ::testing::ValuesIn(host_isas()), isa_test_name);

}  // namespace
}  // namespace cistern::kernels
