#include "tools/bench_measure.h"

#include <algorithm>

#include "base/check.h"

namespace cistern::tools {
namespace {

// Seconds that a step takes at least, and what they go to.
struct Limit {
  double seconds = 0;
  Bound bound = Bound::kArithmetic;
};

Limit limit_of(const plan::StepWork& work, const MachineLimits& limits) {
  const double reading = static_cast<double>(work.weight_bytes + work.kv_bytes) / (limits.read_gbps() * 1e9);
  double computing = 0;
  for (int i = 0; i < kernels::kArithmeticCount; ++i) {
    const std::uint64_t macs = work.macs[static_cast<std::size_t>(i)];
    if (macs == 0) continue;
    computing += static_cast<double>(macs) / (limits.gmacs(static_cast<kernels::Arithmetic>(i)) * 1e9);
  }
  return {.seconds = std::max(reading, computing),
          .bound = reading > computing ? Bound::kReading : Bound::kArithmetic};
}

struct Repetition {
  double tok_s = 0;
  double limit_tok_s = 0;
  Bound bound = Bound::kArithmetic;
  double disk_bytes_per_token = 0;
};

Result<Repetition> repeat(engine::BenchSession& session, const MachineLimits& limits, const BenchCase& c) {
  const bool prefill = c.what == BenchCase::What::kPrefill;
  const std::uint32_t tokens_per_step = prefill ? c.tokens : c.batch;
  const std::uint32_t steps = prefill ? 1 : c.tokens;
  Limit limit = limit_of(session.work(prefill ? c.tokens : 1), limits);
  const std::uint64_t before = session.disk_use().bytes_read;
  CISTERN_TRY(const double seconds, prefill ? session.prefill(c.tokens) : session.decode(c.tokens));
  const double disk_bytes = static_cast<double>(session.disk_use().bytes_read - before) / steps;
  if (session.plan().streaming && disk_bytes > 0) {
    const double disk = disk_bytes / (limits.disk_gbps() * 1e9);
    if (disk > limit.seconds) limit = {.seconds = disk, .bound = Bound::kDisk};
  }
  return Repetition{.tok_s = tokens_per_step / seconds,
                    .limit_tok_s = tokens_per_step / limit.seconds,
                    .bound = limit.bound,
                    .disk_bytes_per_token = disk_bytes / tokens_per_step};
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
    std::vector<double> tok_s, limit, share, disk_bytes;
    Bound bound = Bound::kArithmetic;
    for (std::size_t i = 0; i < steps; ++i) {
      if (plan.progress) CISTERN_TRY_VOID(plan.progress(done++, steps * plan.cases.size()));
      CISTERN_TRY(const Repetition r, repeat(session, limits, c));
      if (i == 0) continue;  // warms caches and clocks
      tok_s.push_back(r.tok_s);
      limit.push_back(r.limit_tok_s);
      share.push_back(r.tok_s / r.limit_tok_s);
      disk_bytes.push_back(r.disk_bytes_per_token);
      bound = r.bound;
    }
    results.push_back({.measured = c,
                       .tok_s = spread_of(tok_s),
                       .limit_tok_s = spread_of(limit).median,
                       .share = spread_of(share).median,
                       .bound = bound,
                       .disk_bytes_per_token = spread_of(disk_bytes).median});
  }
  return results;
}

}  // namespace cistern::tools
