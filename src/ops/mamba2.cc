// The recurrent form of the state space of Mamba 2 (Dao & Gu 2024, section 2): a decay of one value per head.
#include "ops/mamba2.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace cistern::ops {
namespace {

// Rows of a head that are computed together: their state stays in the first cache while the tokens pass.
constexpr std::uint32_t kRows = 32;

// ln(1 + e^x); e^-x is lost in rounding where x is returned.
float softplus(float x) {
  constexpr float kLinear = 20.0F;
  return x > kLinear ? x : std::log1p(std::exp(x));
}

void advance_rows(const Exec& exec, const StateSpace& args, std::uint32_t hi, std::uint32_t first) {
  const std::uint32_t head_dim = args.x.head_dim;
  const std::uint32_t n_rows = std::min(kRows, head_dim - first);
  const std::uint64_t n = args.b.head_dim;
  const std::uint32_t group = hi / (args.x.n_heads / args.b.n_heads);
  const float dt_bias = args.dt_bias.f32()[hi];
  const float a = args.a.f32()[hi];
  const float d = args.d.f32()[hi];
  float* state = args.state.data() + (std::uint64_t{hi} * head_dim + first) * n;
  for (std::uint64_t t = 0; t < args.x.rows.shape.rows(); ++t) {
    const float step = softplus(*args.dt.head(t, hi) + dt_bias);
    const float* x = args.x.head(t, hi) + first;
    float* out = args.out.row(t) + std::uint64_t{hi} * head_dim + first;
    exec.kernels->advance_state({.state = state,
                                 .n_rows = n_rows,
                                 .n = n,
                                 .decay = std::exp(step * a),
                                 .step = step,
                                 .x = x,
                                 .b = args.b.head(t, group),
                                 .c = args.c.head(t, group),
                                 .out = out});
    for (std::uint32_t i = 0; i < n_rows; ++i) out[i] += d * x[i];
  }
}

}  // namespace

void state_space(const Exec& exec, const StateSpace& args) {
  const std::uint32_t n_heads = args.x.n_heads;
  const std::uint64_t inner = std::uint64_t{n_heads} * args.x.head_dim;
  CISTERN_CHECK(args.b.n_heads > 0 && n_heads % args.b.n_heads == 0 && args.c.n_heads == args.b.n_heads &&
                args.c.head_dim == args.b.head_dim);
  CISTERN_CHECK(args.dt.n_heads == n_heads && args.dt_bias.shape.elements() == n_heads &&
                args.a.shape.elements() == n_heads && args.d.shape.elements() == n_heads);
  CISTERN_CHECK(args.state.size() == inner * args.b.head_dim &&
                args.out.shape == Shape(inner, args.x.rows.shape.rows()));
  const std::uint32_t parts = (args.x.head_dim + kRows - 1) / kRows;
  for_shares(exec, std::uint64_t{n_heads} * parts, 1, [&](int, Range range) {
    for (std::uint64_t i = range.begin; i < range.end; ++i)
      advance_rows(exec, args, static_cast<std::uint32_t>(i / parts),
                   static_cast<std::uint32_t>(i % parts) * kRows);
  });
}

}  // namespace cistern::ops
