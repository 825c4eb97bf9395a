// Forecasts compared with what happened: how far off they were, and the correction that outcomes on this
// machine call for. `cistern plan --score` shows the scores; forecasts are made with the Corrections. Where
// outcomes come from is no matter of this file (engine/ledger.h keeps them). Pure functions; an outcome that
// makes no sense counts nowhere, so hostile numbers give no hostile result. The formulas are in
// docs/ledger.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "plan/interval.h"

namespace cistern::plan {

enum class Metric : std::uint8_t { kLoad, kPrefill, kFirstToken, kDecode, kPeakMemory };

inline constexpr std::array kAllMetrics = {Metric::kLoad, Metric::kPrefill, Metric::kFirstToken,
                                           Metric::kDecode, Metric::kPeakMemory};
inline constexpr std::size_t kMetricCount = kAllMetrics.size();

// As in JSON: "load_s", "prefill_tok_s", "first_token_s", "decode_tok_s", "peak_bytes".
std::string_view name_of(Metric metric);
std::optional<Metric> find_metric(std::string_view name);

// One figure that was forecast and then measured.
struct Outcome {
  Metric metric = Metric::kLoad;
  // What ran where. Only outcomes of the same place (machine, back-end, from memory or from disk) say
  // anything of each other, and those of the same model most. Hashes, any values.
  std::uint64_t place = 0;
  std::uint64_t model = 0;
  Interval predicted;    // as it was told to the user
  Interval uncorrected;  // before it was corrected by earlier outcomes; the same where it was not
  double actual = 0;
};

// Both intervals are in order, and they and the actual figure are from 1e-12 to 1e24.
bool is_usable(const Outcome& outcome);

// How good the forecasts of a metric were. All 0 when there were none.
struct Score {
  std::size_t count = 0;
  double median_error = 0;  // of |mid - actual| / actual
  double bias = 0;          // median of ln(actual / mid): above 0, more happened than was forecast
  double coverage = 0;      // the share of outcomes from low to high, ends included
};
using Scores = std::array<Score, kMetricCount>;  // by Metric

// Of what was predicted, over all usable outcomes given: choose those of a place or a model before.
Scores score(std::span<const Outcome> outcomes);

// What outcomes teach about the next forecast of a metric.
struct Correction {
  double factor = 1;            // what the middle is multiplied by
  double widening = 1;          // the power that high / mid and mid / low are raised to
  std::size_t own_count = 0;    // outcomes of the same model that it leans on
  std::size_t place_count = 0;  // outcomes of all models there that it leans on

  bool is_neutral() const { return factor == 1 && widening == 1; }
  // Usable and in order if `interval` is; what is not usable comes back as it is.
  Interval apply(const Interval& interval) const;
};

struct Corrections {
  std::array<Correction, kMetricCount> by_metric;

  const Correction& of(Metric metric) const { return by_metric[static_cast<std::size_t>(metric)]; }
  Interval apply(Metric metric, const Interval& interval) const { return of(metric).apply(interval); }
};

// For a run of that model in that place. `outcomes` are in the order in which they happened; the latest
// count. Learns from the uncorrected forecasts: a correction never feeds on its own success. Nearly neutral
// for fewer than five outcomes, neutral for none.
Corrections corrections_for(std::span<const Outcome> outcomes, std::uint64_t place, std::uint64_t model);

}  // namespace cistern::plan
