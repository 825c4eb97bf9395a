#include "tools/bench_measure.h"

#include <algorithm>

#include "base/check.h"

namespace cistern::tools {
namespace {

// Seconds that the work takes at least, and what they go to.
struct Bound {
  double seconds = 0;
  bool reading = false;
};

Bound bound_of(const plan::StepWork& work, const MachineLimits& limits) {
  const double reading = static_cast<double>(work.weight_bytes + work.kv_bytes) / (limits.read_gbps() * 1e9);
  double computing = 0;
  for (int i = 0; i < kernels::kArithmeticCount; ++i) {
    const std::uint64_t macs = work.macs[static_cast<std::size_t>(i)];
    if (macs == 0) continue;
    computing += static_cast<double>(macs) / (limits.gmacs(static_cast<kernels::Arithmetic>(i)) * 1e9);
  }
  return {.seconds = std::max(reading, computing), .reading = reading > computing};
}

struct Repetition {
  double tok_s = 0;
  double limit_tok_s = 0;
  bool reading = false;
};

Result<Repetition> repeat(engine::BenchSession& session, const MachineLimits& limits, const BenchCase& c) {
  const bool prefill = c.what == BenchCase::What::kPrefill;
  const std::uint32_t tokens_per_step = prefill ? c.tokens : c.batch;
  const Bound bound = bound_of(session.work(prefill ? c.tokens : 1), limits);
  CISTERN_TRY(const double seconds, prefill ? session.prefill(c.tokens) : session.decode(c.tokens));
  return Repetition{.tok_s = tokens_per_step / seconds,
                    .limit_tok_s = tokens_per_step / bound.seconds,
                    .reading = bound.reading};
}

}  // namespace

Spread spread_of(std::vector<double> values) {
  CISTERN_CHECK(!values.empty());
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  const double median = values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {.median = median, .min = values.front(), .max = values.back()};
}

Result<std::vector<BenchResult>> run_bench(engine::BenchSession& session, const MachineLimits& limits,
                                           const BenchPlan& plan) {
  const auto steps = static_cast<std::size_t>(plan.repetitions) + 1;
  std::size_t done = 0;
  std::vector<BenchResult> results;
  for (const BenchCase& c : plan.cases) {
    CISTERN_TRY_VOID(session.fill(c.depth, c.batch));
    std::vector<double> tok_s, limit, share;
    bool reading = false;
    for (std::size_t i = 0; i < steps; ++i) {
      if (plan.progress) CISTERN_TRY_VOID(plan.progress(done++, steps * plan.cases.size()));
      CISTERN_TRY(const Repetition r, repeat(session, limits, c));
      if (i == 0) continue;  // warms caches and clocks
      tok_s.push_back(r.tok_s);
      limit.push_back(r.limit_tok_s);
      share.push_back(r.tok_s / r.limit_tok_s);
      reading = r.reading;
    }
    results.push_back({.measured = c,
                       .tok_s = spread_of(tok_s),
                       .limit_tok_s = spread_of(limit).median,
                       .share = spread_of(share).median,
                       .reading = reading});
  }
  return results;
}

}  // namespace cistern::tools
