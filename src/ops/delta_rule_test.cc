// The parts of a delta-rule layer against plain double arithmetic, and "same bits" for any threads and
// chunks.
#include "ops/delta_rule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "base/rng.h"

namespace cistern::ops {
namespace {

std::vector<float> random_values(std::size_t n, std::uint64_t seed, float low = -1, float high = 1) {
  Rng rng(seed);
  std::vector<float> values(n);
  for (float& v : values) v = low + static_cast<float>(rng.uniform()) * (high - low);
  return values;
}

TensorView view(std::vector<float>& values, std::uint64_t cols) {
  return {.shape = Shape(cols, values.size() / cols), .data = reinterpret_cast<std::byte*>(values.data())};
}

WeightView weight(const std::vector<float>& values, std::uint64_t cols) {
  return {.shape = Shape(cols, values.size() / cols),
          .data = reinterpret_cast<const std::byte*>(values.data()),
          .row_bytes = cols * sizeof(float)};
}

class Machine {
 public:
  explicit Machine(int threads) : pool_(threads) {
    exec = {.pool = &pool_, .kernels = &kernels::resolve(sys::best_isa())};
  }
  Exec exec;

 private:
  sys::ThreadPool pool_;
};

// How a sequence is fed: by so many threads, in chunks of so many tokens.
struct Way {
  int threads;
  std::uint64_t chunk;
};
constexpr Way kWays[] = {{1, 1000}, {1, 1}, {3, 7}, {4, 1000}};

// Calls f(exec, first, count) for each chunk of `tokens`.
template <class F>
void in_chunks(const Way& way, std::uint64_t tokens, const F& f) {
  Machine machine(way.threads);
  for (std::uint64_t t = 0; t < tokens; t += way.chunk) f(machine.exec, t, std::min(way.chunk, tokens - t));
}

TEST(DeltaGates, follow_their_formulas_where_the_projections_lie_apart_or_side_by_side) {
  // Per token two groups of (3 to learn, 3 to forget), a decay rate for each, or one for each group.
  constexpr std::uint32_t kGroups = 2, kEach = 3;
  constexpr std::uint64_t kTokens = 400, kCols = 2 * kGroups * kEach;
  std::vector<float> both = random_values(kTokens * kCols, 3, -30, 30);
  const std::vector<float> bias = random_values(kGroups * kEach, 4);
  for (const std::size_t rates : {kGroups * kEach, kGroups}) {
    const std::vector<float> a = random_values(rates, 5, -2, 0);
    std::vector<float> decay(kTokens * kGroups * kEach), beta(kTokens * kGroups * kEach);
    Machine machine(3);
    delta_gates(machine.exec, {.forget = {view(both, kCols), kEach, kGroups, kEach, 2 * kEach},
                               .learn = {view(both, kCols), 0, kGroups, kEach, 2 * kEach},
                               .bias = weight(bias, bias.size()),
                               .a = weight(a, 1),
                               .decay = view(decay, kGroups * kEach),
                               .beta = view(beta, kGroups * kEach)});
    for (std::uint64_t i = 0; i < decay.size(); ++i) {
      const std::uint64_t n = i % (kGroups * kEach);
      const float* group = both.data() + i / (kGroups * kEach) * kCols + n / kEach * 2 * kEach;
      const double soft = std::log1p(std::exp(double{group[kEach + n % kEach]} + bias[n]));
      EXPECT_NEAR(decay[i], std::exp(a[n * rates / (kGroups * kEach)] * soft), 1e-5);
      EXPECT_NEAR(beta[i], 1 / (1 + std::exp(-double{group[n % kEach]})), 1e-6);
    }
  }
}

TEST(L2NormHeads, divides_by_the_length) {
  std::vector<float> x = random_values(3 * 24, 6, -1e-3F, 1e-3F);  // short enough for epsilon to show
  const std::vector<float> before = x;
  Machine machine(2);
  l2_norm_heads(machine.exec, {view(x, 24), 4, 2, 10}, 0.5F);
  for (std::size_t t = 0; t < 3; ++t) {
    for (std::size_t c = 0; c < 24; ++c) {
      const std::size_t i = t * 24 + c;
      double sum = 1e-6;
      for (std::size_t j = 0; j < 10; ++j) {
        const double y = before[t * 24 + (c < 14 ? 4 : 14) + j];
        sum += y * y;
      }
      EXPECT_NEAR(x[i], c < 4 ? before[i] : before[i] / std::sqrt(sum) * 0.5, 1e-6) << c;
    }
  }
}

// One layer's worth of inputs; the heads' columns lie side by side, queries, keys, values.
struct Layer {
  std::uint32_t key_heads, value_heads, key_dim, value_dim;
  bool interleaved, channel_decay;
  std::uint64_t tokens = 40;

  std::uint32_t keys() const { return key_heads * key_dim; }
  std::uint32_t values() const { return value_heads * value_dim; }
  std::uint64_t decays() const { return channel_decay ? value_heads * key_dim : value_heads; }
};

struct Inputs {
  explicit Inputs(const Layer& layer)
      : mixed(random_values(layer.tokens * (2 * layer.keys() + layer.values()), 7, -0.5F, 0.5F)),
        decay(random_values(layer.tokens * layer.decays(), 8, 0.5F, 1)),
        beta(random_values(layer.tokens * layer.value_heads, 9, 0, 1)) {}
  std::vector<float> mixed, decay, beta;
};

std::vector<float> run(const Layer& layer, Inputs& in, const Way& way) {
  std::vector<float> out(layer.tokens * layer.values());
  std::vector<float> state(delta_state_floats(layer.value_heads, layer.key_dim, layer.value_dim));
  in_chunks(way, layer.tokens, [&](const Exec& exec, std::uint64_t t, std::uint64_t n) {
    const TensorView mixed = view(in.mixed, 2 * layer.keys() + layer.values()).rows(t, n);
    delta_rule(exec, {.queries = {mixed, 0, layer.key_heads, layer.key_dim},
                      .keys = {mixed, layer.keys(), layer.key_heads, layer.key_dim},
                      .values = {mixed, 2 * layer.keys(), layer.value_heads, layer.value_dim},
                      .interleaved_heads = layer.interleaved,
                      .decay = view(in.decay, layer.decays()).rows(t, n),
                      .beta = view(in.beta, layer.value_heads).rows(t, n),
                      .state = state,
                      .out = {view(out, layer.values()).rows(t, n), 0, layer.value_heads, layer.value_dim}});
  });
  return out;
}

std::vector<double> plain_head(const Layer& layer, const Inputs& in, std::uint32_t head) {
  const std::uint32_t key_head =
      layer.interleaved ? head * layer.key_heads / layer.value_heads : head % layer.key_heads;
  const std::size_t cols = 2 * layer.keys() + layer.values();
  std::vector<double> state(std::size_t{layer.key_dim} * layer.value_dim), out;
  for (std::size_t t = 0; t < layer.tokens; ++t) {
    const float* q = in.mixed.data() + t * cols + key_head * layer.key_dim;
    const float* k = q + layer.keys();
    const float* v = in.mixed.data() + t * cols + 2 * layer.keys() + head * layer.value_dim;
    const double beta = in.beta[t * layer.value_heads + head];
    for (std::size_t c = 0; c < layer.value_dim; ++c) {
      double recalled = 0, result = 0;
      for (std::size_t i = 0; i < layer.key_dim; ++i) {
        double& s = state[i * layer.value_dim + c];
        s *= in.decay[t * layer.decays() + (layer.channel_decay ? head * layer.key_dim + i : head)];
        recalled += k[i] * s;
      }
      for (std::size_t i = 0; i < layer.key_dim; ++i) {
        double& s = state[i * layer.value_dim + c];
        s += k[i] * beta * (v[c] - recalled);
        result += q[i] * s;
      }
      out.push_back(result);
    }
  }
  return out;
}

TEST(DeltaRule, agrees_with_the_plain_recurrence_and_has_the_same_bits_for_any_threads_and_chunks) {
  const Layer layers[] = {
      {.key_heads = 2, .value_heads = 4, .key_dim = 16, .value_dim = 16, .interleaved = true},
      {.key_heads = 2, .value_heads = 4, .key_dim = 16, .value_dim = 16},
      {.key_heads = 3, .value_heads = 3, .key_dim = 19, .value_dim = 37, .channel_decay = true},
      {.key_heads = 2, .value_heads = 6, .key_dim = 1, .value_dim = 1, .interleaved = true},
      {.key_heads = 2, .value_heads = 2, .key_dim = 64, .value_dim = 48, .channel_decay = true},
  };
  for (const Layer& layer : layers) {
    Inputs in(layer);
    const std::vector<float> out = run(layer, in, kWays[0]);
    for (const Way& way : kWays) ASSERT_EQ(run(layer, in, way), out) << way.threads << ' ' << way.chunk;
    for (std::uint32_t head = 0; head < layer.value_heads; ++head) {
      const std::vector<double> plain = plain_head(layer, in, head);
      for (std::size_t i = 0; i < plain.size(); ++i) {
        const std::size_t t = i / layer.value_dim, c = i % layer.value_dim;
        ASSERT_NEAR(out[t * layer.values() + head * layer.value_dim + c], plain[i], 1e-5) << head << ' ' << t;
      }
    }
  }
}

}  // namespace
}  // namespace cistern::ops
