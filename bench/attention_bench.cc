// Attention of one model shape at a depth, against this machine's limits measured in alternation with it:
// prefill against the multiply-accumulate peak of bfloat16, decode against the bandwidth of plain reads. Each
// share is the median of paired ratios. Arguments: depth, tokens of the chunk.
#include <benchmark/benchmark.h>
#include <immintrin.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <vector>

#include "base/rng.h"
#include "kernels/kernel_table.h"
#include "kv/cache.h"
#include "ops/attention.h"
#include "ops/attention_block.h"
#include "sys/topology.h"

namespace cistern {
namespace {

constexpr int kPairs = 9;

struct ModelShape {
  std::uint32_t n_layers, n_heads, n_kv_heads, head_dim;
};
constexpr ModelShape kShapeA{22, 32, 4, 64};
constexpr ModelShape kShapeB{8, 32, 8, 128};  // 8 of 32 layers: already far beyond the last-level cache

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

__attribute__((target("avx512f,avx512bf16"))) void multiply_much(std::int64_t rounds) {
  __m512 acc[16] = {};
  __m512bh one = (__m512bh)_mm512_set1_epi16(0x3F80);
  for (std::int64_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 16
    for (int k = 0; k < 16; ++k) acc[k] = _mm512_dpbf16_ps(acc[k], one, one);
    asm volatile(""
                 : "+v"(one), "+v"(acc[0]), "+v"(acc[1]), "+v"(acc[2]), "+v"(acc[3]), "+v"(acc[4]),
                   "+v"(acc[5]), "+v"(acc[6]), "+v"(acc[7]), "+v"(acc[8]), "+v"(acc[9]), "+v"(acc[10]),
                   "+v"(acc[11]), "+v"(acc[12]), "+v"(acc[13]));
    asm volatile("" : "+v"(acc[14]), "+v"(acc[15]));  // else equal sums are computed once
  }
}

// Multiply-accumulates per second of all threads, bfloat16.
double peak_of(sys::ThreadPool& pool) {
  constexpr std::int64_t kRounds = 1'000'000;
  const double start = seconds();
  pool.run([](int, int) { multiply_much(kRounds); });
  return static_cast<double>(pool.size()) * kRounds * 16 * 32 / (seconds() - start);
}

__attribute__((target("avx512f"))) void read_all(const std::byte* begin, std::size_t bytes) {
  __m512i sum[4] = {};
  for (std::size_t i = 0; i + 256 <= bytes; i += 256) {
#pragma GCC unroll 4
    for (std::size_t k = 0; k < 4; ++k) {
      _mm_prefetch(reinterpret_cast<const char*>(begin + i + 64 * k + 4096), _MM_HINT_T0);
      sum[k] = _mm512_or_si512(sum[k], _mm512_loadu_si512(begin + i + 64 * k));
    }
  }
  for (auto& s : sum) benchmark::DoNotOptimize(s);
}

class Bench {
 public:
  Bench(const ModelShape& shape, DType type, std::uint32_t depth, std::uint32_t tokens)
      : shape_(shape),
        depth_(depth),
        tokens_(tokens),
        pool_(sys::usable_cores()),
        cache_(make_cache(shape, type, depth, tokens)) {
    const std::size_t floats = ops::scratch_floats(64, tokens, shape.head_dim);
    scratch_.resize((floats + 16) * static_cast<std::size_t>(pool_.size()));
    auto* aligned =
        reinterpret_cast<float*>((reinterpret_cast<std::uintptr_t>(scratch_.data()) + 63) / 64 * 64);
    exec_ = {.pool = &pool_,
             .kernels = &kernels::resolve(sys::best_isa()),
             .scratch = {aligned, floats * static_cast<std::size_t>(pool_.size())},
             .scratch_floats_per_thread = floats};
    rows_.resize(std::size_t{tokens} * shape.n_heads * shape.head_dim);
    out_.resize(rows_.size());
    Rng rng(1);
    for (float& v : rows_) v = static_cast<float>(rng.uniform() * 2 - 1);
    fill();
  }

  sys::ThreadPool& pool() { return pool_; }
  double kv_bytes() const { return static_cast<double>(kv::total_bytes(cache_.shape())); }
  // Each query sees the depth and, on average, half of the chunk.
  double multiplies() const {
    const double seen = depth_ + (tokens_ + 1) / 2.0;
    return seen * tokens_ * shape_.n_heads * shape_.head_dim * 2 * shape_.n_layers;
  }

  void attend() {
    for (std::uint32_t li = 0; li < shape_.n_layers; ++li) {
      ops::attention(exec_, {.queries = heads(rows_, shape_.n_heads),
                             .cache = cache_.layer(li),
                             .first_position = depth_,
                             .scale = 0.125F,
                             .out = view(out_)});
    }
  }

  // Reads the keys and values, each thread its part of every layer.
  void read() {
    pool_.run([&](int thread, int threads) {
      for (std::uint32_t li = 0; li < shape_.n_layers; ++li) {
        const kv::LayerView layer = cache_.layer(li);
        const std::size_t bytes = layer.slots * (layer.key_row_bytes + layer.value_row_bytes);
        const std::size_t part = bytes / static_cast<std::size_t>(threads);
        read_all(layer.keys + static_cast<std::size_t>(thread) * part, part);
      }
    });
  }

 private:
  static kv::Cache make_cache(const ModelShape& shape, DType type, std::uint32_t depth,
                              std::uint32_t tokens) {
    const kv::LayerShape layer{
        .n_kv_heads = shape.n_kv_heads, .key_dim = shape.head_dim, .value_dim = shape.head_dim};
    return *kv::Cache::create({.layers = std::vector<kv::LayerShape>(shape.n_layers, layer),
                               .type = type,
                               .context_tokens = depth + tokens,
                               .chunk_tokens = tokens});
  }

  TensorView view(std::vector<float>& rows) const {
    return {.shape = Shape(rows.size() / tokens_, tokens_),
            .data = reinterpret_cast<std::byte*>(rows.data())};
  }
  ops::HeadsView heads(std::vector<float>& rows, std::uint32_t n) const {
    return {view(rows), 0, n, shape_.head_dim};
  }
  void fill() {
    std::vector<float> row(std::size_t{tokens_} * shape_.n_kv_heads * shape_.head_dim);
    Rng rng(2);
    for (float& v : row) v = static_cast<float>(rng.uniform() * 2 - 1);
    for (std::uint32_t li = 0; li < shape_.n_layers; ++li) {
      for (std::uint32_t p = 0; p < depth_ + tokens_; p += tokens_)
        ops::store_kv(exec_, heads(row, shape_.n_kv_heads), heads(row, shape_.n_kv_heads), cache_.layer(li),
                      std::min(p, depth_));
    }
  }

  ModelShape shape_;
  std::uint32_t depth_;
  std::uint32_t tokens_;
  sys::ThreadPool pool_;
  kv::Cache cache_;
  std::vector<float> scratch_;
  std::vector<float> rows_;
  std::vector<float> out_;
  ops::Exec exec_;
};

// Runs `op` and `limit` by turns; both return a rate.
template <class Op, class Limit>
void compare(benchmark::State& state, const Op& op, const Limit& limit) {
  std::vector<double> rates, limits, shares;
  for (auto _ : state) {
    op();
    for (int i = 0; i < kPairs; ++i) {
      limits.push_back(limit());
      rates.push_back(op());
      limits.back() = (limits.back() + limit()) / 2;
      shares.push_back(rates.back() / limits.back());
    }
  }
  state.counters["G/s"] = median(rates) / 1e9;
  state.counters["limit"] = median(limits) / 1e9;
  state.counters["share"] = median(shares);
}

void prefill(benchmark::State& state, const ModelShape& shape, DType type) {
  Bench bench(shape, type, static_cast<std::uint32_t>(state.range(0)),
              static_cast<std::uint32_t>(state.range(1)));
  const auto rate = [&] {
    const double start = seconds();
    bench.attend();
    return bench.multiplies() / (seconds() - start);
  };
  compare(state, rate, [&] { return peak_of(bench.pool()); });
}

void decode(benchmark::State& state, const ModelShape& shape, DType type) {
  Bench bench(shape, type, static_cast<std::uint32_t>(state.range(0)),
              static_cast<std::uint32_t>(state.range(1)));
  const auto rate_of = [&](auto&& f) {
    const double start = seconds();
    f();
    return bench.kv_bytes() / (seconds() - start);
  };
  compare(
      state, [&] { return rate_of([&] { bench.attend(); }); },
      [&] { return rate_of([&] { bench.read(); }); });
}

BENCHMARK_CAPTURE(prefill, A_f16, kShapeA, DType::kF16)->Args({6656, 512})->Args({1, 512})->Iterations(1);
BENCHMARK_CAPTURE(prefill, A_q8_0, kShapeA, DType::kQ8_0)->Args({6656, 512})->Iterations(1);
BENCHMARK_CAPTURE(prefill, B_f16, kShapeB, DType::kF16)->Args({6656, 512})->Iterations(1);
BENCHMARK_CAPTURE(prefill, A_f32, kShapeA, DType::kF32)->Args({6656, 64})->Iterations(1);
BENCHMARK_CAPTURE(decode, A_f16, kShapeA, DType::kF16)->Args({6656, 1})->Args({30000, 1})->Iterations(3);
BENCHMARK_CAPTURE(decode, A_bf16, kShapeA, DType::kBF16)->Args({6656, 1})->Iterations(3);
BENCHMARK_CAPTURE(decode, A_q8_0, kShapeA, DType::kQ8_0)->Args({6656, 1})->Iterations(3);
BENCHMARK_CAPTURE(decode, A_q4_0, kShapeA, DType::kQ4_0)->Args({6656, 1})->Iterations(3);
BENCHMARK_CAPTURE(decode, B_f16, kShapeB, DType::kF16)->Args({6656, 1})->Iterations(3);
BENCHMARK_CAPTURE(decode, A_f32, kShapeA, DType::kF32)->Args({6656, 1})->Iterations(3);

}  // namespace
}  // namespace cistern
