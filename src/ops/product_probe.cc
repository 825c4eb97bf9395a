#include "ops/product_probe.h"

#include <algorithm>
#include <vector>

#include "ops/exec.h"
#include "ops/matmul.h"
#include "quant/format.h"
#include "sys/clock.h"

namespace cistern::ops {
namespace {

constexpr std::uint64_t kCols = 2048;
// What a thread has for itself in its second-level cache, with room for activations.
constexpr std::uint64_t kDecodeBytesPerThread = 384 << 10U;
constexpr std::uint64_t kPrefillRowsPerThread = 256;
constexpr std::uint64_t kRowStep = 32;
constexpr int kTries = 4;
// A byte of which all formats make scales and values that are ordinary numbers.
constexpr auto kFill = std::byte{0x2C};

struct alignas(64) Line {
  float values[16];
};

// An Exec with memory of its own.
class Bench {
 public:
  Bench(sys::ThreadPool& pool, sys::Isa isa) {
    const std::uint64_t per_thread = matmul_scratch_floats(kCols, kProbeTokens) / 16 + 1;
    packed_.resize(packed_activation_bytes(kCols, kProbeTokens) / sizeof(Line) + 1);
    scratch_.resize(per_thread * static_cast<std::size_t>(pool.size()));
    exec = {.pool = &pool,
            .kernels = &kernels::resolve(isa),
            .packed = std::as_writable_bytes(std::span(packed_)),
            .scratch = {reinterpret_cast<float*>(scratch_.data()), scratch_.size() * 16},
            .scratch_floats_per_thread = per_thread * 16};
  }

  // Seconds of one product of so many rows and tokens, the fastest of kTries tries.
  double time_of(DType dtype, std::uint64_t rows, std::uint64_t tokens, double seconds) {
    const std::uint64_t row_bytes = *quant::row_bytes(dtype, kCols);
    std::vector<std::byte> weights(row_bytes * rows, kFill);
    std::vector<float> x(kCols * tokens, 0.5F), out(rows * tokens);
    const WeightView w{
        .dtype = dtype, .shape = Shape(kCols, rows), .data = weights.data(), .row_bytes = row_bytes};
    const TensorView in{.shape = Shape(kCols, tokens), .data = reinterpret_cast<std::byte*>(x.data())};
    const TensorView result{.shape = Shape(rows, tokens), .data = reinterpret_cast<std::byte*>(out.data())};
    matmul(exec, w, in, result);
    double best = 1e9;
    for (int i = 0; i < kTries; ++i) {
      const double start = sys::steady_seconds();
      int n = 0;
      double now = start;
      do {
        matmul(exec, w, in, result);
        now = sys::steady_seconds();
        ++n;
      } while (now - start < seconds / kTries);
      best = std::min(best, (now - start) / n);
    }
    return best;
  }

  Exec exec;

 private:
  std::vector<Line> packed_, scratch_;
};

}  // namespace

ProductSpeed measure_products(sys::ThreadPool& pool, sys::Isa isa, DType dtype, double seconds) {
  Bench bench(pool, isa);
  const auto threads = static_cast<std::uint64_t>(pool.size());
  const std::uint64_t row_bytes = *quant::row_bytes(dtype, kCols);
  const std::uint64_t steps = std::max<std::uint64_t>(1, kDecodeBytesPerThread / row_bytes / kRowStep);
  const std::uint64_t rows = steps * kRowStep * threads;
  const std::uint64_t many = kPrefillRowsPerThread * threads;
  const double decode_s = bench.time_of(dtype, rows, 1, seconds / 2);
  const double prefill_s = bench.time_of(dtype, many, kProbeTokens, seconds / 2);
  return {.decode_bytes_per_s = static_cast<double>(rows * row_bytes) / decode_s,
          .prefill_macs_per_s = static_cast<double>(many * kCols * kProbeTokens) / prefill_s};
}

double measure_dispatch(sys::ThreadPool& pool) {
  constexpr int kRuns = 200;
  double best = 1;
  for (int i = 0; i < kTries; ++i) {
    const double start = sys::steady_seconds();
    for (int run = 0; run < kRuns; ++run) pool.run([](int, int) {});
    best = std::min(best, (sys::steady_seconds() - start) / kRuns);
  }
  return best;
}

}  // namespace cistern::ops
