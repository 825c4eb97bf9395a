// The elementwise kernels of every ISA of this machine against double arithmetic, and half precision against
// its scalar reference, for lengths that do and do not fill vectors.
#include "kernels/elementwise_table.h"
#include "kernels/isa_test.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "base/half.h"
#include "base/rng.h"

namespace cistern::kernels {
namespace {

std::vector<float> random_values(std::size_t n, std::uint64_t seed, float scale) {
  Rng rng(seed);
  std::vector<float> values(n);
  for (float& v : values) v = static_cast<float>(rng.uniform() * 2 - 1) * scale;
  return values;
}

std::uint32_t float_bits(float x) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

class Elementwise : public ::testing::TestWithParam<sys::Isa> {
 protected:
  const ElementwiseKernels& kernels() const { return elementwise_kernels(GetParam()); }
};

double gelu_tanh(double x) {
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x)));
}

constexpr double kLimit = 1.5;

// What each function makes of a gate and of `up`, and the error that is its own beside rounding.
struct Formula {
  GateFn fn;
  double (*gate)(double);
  double (*up)(double) = [](double y) { return y; };
  double error = 0;
};
const Formula kFormulas[] = {
    {.fn = GateFn::kSigmoid, .gate = [](double x) { return 1 / (1 + std::exp(-x)); }},
    {.fn = GateFn::kSilu, .gate = [](double x) { return x / (1 + std::exp(-x)); }},
    // The tanh form cancels towards -infinity; it is the double formula that is wrong there.
    {.fn = GateFn::kGeluTanh, .gate = gelu_tanh, .error = 1e-7},
    {.fn = GateFn::kGeluErf,
     .gate = [](double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); },
     .error = 1e-6},
    {.fn = GateFn::kReluSquared, .gate = [](double x) { return x > 0 ? x * x : 0; }},
    {.fn = GateFn::kSwigluOai,
     .gate =
         [](double x) {
           const double g = std::min(x, kLimit);
           return g / (1 + std::exp(-1.702 * g));
         },
     .up = [](double y) { return std::clamp(y, -kLimit, kLimit) + 1; },
     .error = 1e-7},
    {.fn = GateFn::kSiluClamped,
     .gate =
         [](double x) {
           const double g = std::min(x, kLimit);
           return g / (1 + std::exp(-g));
         },
     .up = [](double y) { return std::clamp(y, -kLimit, kLimit); }},
};

TEST_P(Elementwise, gates_follow_their_formulas) {
  for (const Formula& formula : kFormulas) {
    for (const float scale : {0.01F, 1.0F, 8.0F, 60.0F, 1000.0F}) {
      for (const std::size_t n : {1U, 7U, 16U, 33U, 500U}) {
        const std::vector<float> gate = random_values(n, 1, scale), up = random_values(n, 2, 3);
        std::vector<float> joined(n), alone(n);
        const auto row = kernels().gate[static_cast<std::size_t>(formula.fn)];
        row(gate.data(), up.data(), joined.data(), n, kLimit);
        row(gate.data(), nullptr, alone.data(), n, kLimit);
        for (std::size_t i = 0; i < n; ++i) {
          const double x = gate[i];
          const double exact = formula.gate(x);
          // A float of |x| has an exponential that is |x| ulp wrong; below e^-87 the result is 0 in effect.
          const double unit = 0x1p-23 * (4 + 2 * std::fabs(x)) * 3;
          const double error = unit * std::fabs(exact) + formula.error * std::min(1.0, std::fabs(x)) + 1e-35;
          ASSERT_NEAR(joined[i], exact * formula.up(up[i]), error * (1 + std::fabs(formula.up(up[i]))))
              << static_cast<int>(formula.fn) << ' ' << x;
          ASSERT_NEAR(alone[i], exact, error) << static_cast<int>(formula.fn) << ' ' << x;
        }
      }
    }
  }
}

TEST_P(Elementwise, gates_of_what_is_not_finite) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> gate = {infinity, -1e30F, std::nanf("")}, up = {1, 1, 1};
  std::vector<float> out(3);
  kernels().gate[static_cast<std::size_t>(GateFn::kSilu)](gate.data(), up.data(), out.data(), 3, 0);
  EXPECT_EQ(out[0], infinity);
  EXPECT_EQ(out[1], 0.0F);
  EXPECT_TRUE(std::isnan(out[2]));
}

TEST_P(Elementwise, softcap_follows_its_formula) {
  for (const float cap : {1.0F, 30.0F}) {
    std::vector<float> x = random_values(77, 3, 5 * cap);
    const std::vector<float> before = x;
    kernels().softcap(cap, x.data(), x.size());
    for (std::size_t i = 0; i < x.size(); ++i)
      EXPECT_NEAR(x[i], cap * std::tanh(double{before[i]} / cap), cap * 2e-7);
  }
}

TEST_P(Elementwise, rotations_follow_their_formulas) {
  for (const std::size_t pairs : {1U, 5U, 16U, 32U, 48U}) {
    const std::vector<float> cosines = random_values(pairs, 4, 1), sines = random_values(pairs, 5, 1);
    const std::vector<float> before = random_values(2 * pairs, 6, 3);
    std::vector<float> halves = before, neighbours = before, cosines_twice, signed_sines;
    kernels().rotate(halves.data(), halves.data() + pairs, cosines.data(), sines.data(), pairs);
    for (std::size_t i = 0; i < pairs; ++i) {
      cosines_twice.insert(cosines_twice.end(), {cosines[i], cosines[i]});
      signed_sines.insert(signed_sines.end(), {-sines[i], sines[i]});
    }
    kernels().rotate_neighbours(neighbours.data(), cosines_twice.data(), signed_sines.data(), 2 * pairs);
    for (std::size_t i = 0; i < pairs; ++i) {
      const auto expect = [&](float a, float b, float new_a, float new_b) {
        EXPECT_NEAR(new_a, double{a} * cosines[i] - double{b} * sines[i], 1e-6);
        EXPECT_NEAR(new_b, double{a} * sines[i] + double{b} * cosines[i], 1e-6);
      };
      expect(before[i], before[i + pairs], halves[i], halves[i + pairs]);
      expect(before[2 * i], before[2 * i + 1], neighbours[2 * i], neighbours[2 * i + 1]);
    }
  }
}

TEST_P(Elementwise, half_precision_has_the_bits_of_the_reference) {
  std::vector<float> x = random_values(1000, 7, 2);
  for (const float scale : {1e-8F, 1e-6F, 1e-4F, 1e3F, 4e4F}) {
    const std::vector<float> more = random_values(301, 8, scale);
    x.insert(x.end(), more.begin(), more.end());
  }
  x.insert(x.end(),
           {0.0F, -0.0F, 65504.0F, 65519.9F, 65520.0F, -1e30F, std::numeric_limits<float>::infinity()});
  std::vector<std::uint16_t> out(x.size());
  kernels().to_half(x.data(), out.data(), x.size());
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_EQ(out[i], float_to_half(x[i])) << x[i];
}

TEST_P(Elementwise, halves_are_decoded_exactly) {
  std::vector<std::uint16_t> halves;
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    if ((bits & 0x7C00U) != 0x7C00U || (bits & 0x3FFU) == 0)
      halves.push_back(static_cast<std::uint16_t>(bits));
  }
  for (const std::size_t n : {std::size_t{1}, std::size_t{7}, std::size_t{16}, halves.size()}) {
    std::vector<float> out(n);
    kernels().from_half(reinterpret_cast<const std::byte*>(halves.data()), out.data(), n);
    for (std::size_t i = 0; i < n; ++i)
      ASSERT_EQ(float_bits(out[i]), float_bits(half_to_float(halves[i]))) << halves[i];
  }
}

TEST_P(Elementwise, the_delta_rule_forgets_then_learns) {
  for (const std::size_t n_keys : {1U, 6U, 64U}) {
    for (const std::size_t n_columns : {std::size_t{3}, kDeltaColumns}) {
      for (const bool differ : {false, true}) {
        const std::vector<float> query = random_values(n_keys, 11, 1), key = random_values(n_keys, 12, 0.3F);
        const std::vector<float> decay = random_values(n_keys, 13, 1),
                                 value = random_values(n_columns, 14, 1);
        std::vector<float> state = random_values(n_keys * kDeltaColumns, 15, 1), out(kDeltaColumns, 7);
        const std::vector<float> before = state;
        constexpr float kBeta = 0.7F;
        kernels().delta_rule({.state = state.data(),
                              .n_keys = n_keys,
                              .query = query.data(),
                              .key = key.data(),
                              .decay = decay.data(),
                              .decays_differ = differ,
                              .beta = kBeta,
                              .n_columns = n_columns,
                              .value = value.data(),
                              .out = out.data()});
        for (std::size_t c = 0; c < n_columns; ++c) {
          std::vector<double> kept;
          double recalled = 0, result = 0;
          for (std::size_t i = 0; i < n_keys; ++i) {
            kept.push_back(double{before[i * kDeltaColumns + c]} * decay[differ ? i : 0]);
            recalled += key[i] * kept[i];
          }
          for (std::size_t i = 0; i < n_keys; ++i) {
            const double updated = kept[i] + key[i] * kBeta * (value[c] - recalled);
            EXPECT_NEAR(state[i * kDeltaColumns + c], updated, 1e-5);
            result += query[i] * updated;
          }
          EXPECT_NEAR(out[c], result, 2e-5);
        }
        for (std::size_t c = n_columns; c < kDeltaColumns; ++c) EXPECT_EQ(out[c], 7);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, Elementwise, ::testing::ValuesIn(host_isas()), isa_test_name);

}  // namespace
}  // namespace cistern::kernels
