#include "plan/forecast_score.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

namespace cistern::plan {
namespace {

constexpr std::array<std::string_view, kMetricCount> kNames = {"load_s", "prefill_tok_s", "first_token_s",
                                                               "decode_tok_s", "peak_bytes"};

// So many outcomes are trusted by half; four of them by a tenth, twelve by 0.9.
constexpr double kHalfTrusted = 7;
// A machine changes (drivers, neighbours, a fuller disk), so old outcomes of a model stop counting.
constexpr std::size_t kMostOwn = 32;
// A model that runs every day must not speak for all models of the machine.
constexpr std::size_t kMostLent = 6;
constexpr double kWantedCoverage = 0.9;
// An interval narrower than this on a side, as a logarithm, is taken to be this wide: powers of 1 widen
// nothing.
constexpr double kLeastHalfWidth = 0.01;
// Beyond these an outcome tells of a fault rather than of the machine.
constexpr double kMostLogFactor = 2.7725887222397811;      // ln 16
constexpr double kLeastLogWidening = -1.3862943611198906;  // ln (1 / 4)
constexpr double kMostLogWidening = 4.1588830833596719;    // ln 64

// Figures outside of this are no seconds, tokens per second or bytes of any machine.
constexpr double kLeastFigure = 1e-12;
constexpr double kMostFigure = 1e24;

double log_ratio(double numerator, double denominator) {
  return std::log(numerator) - std::log(denominator);
}

double half_width_below(const Interval& interval) {
  return std::max(kLeastHalfWidth, log_ratio(interval.mid, interval.low));
}
double half_width_above(const Interval& interval) {
  return std::max(kLeastHalfWidth, log_ratio(interval.high, interval.mid));
}

// REQUIRES: values is not empty.
double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : values[half - 1] + (values[half] - values[half - 1]) / 2;
}

// The smallest value that at least the wanted share of further values should stay below: counted as if the
// next one had a place of its own among them, so the largest for up to eight. REQUIRES: not empty.
double covering_quantile(std::vector<double> values) {
  std::ranges::sort(values);
  const double rank = std::ceil(kWantedCoverage * static_cast<double>(values.size() + 1));
  return values[std::min(values.size(), static_cast<std::size_t>(rank)) - 1];
}

double trust(std::size_t count) {
  const double square = std::pow(static_cast<double>(count) / kHalfTrusted, 2);
  return square * square / (1 + square * square);
}

struct Fit {
  double log_factor = 0;
  double log_widening = 0;
};

double between(double otherwise, double learnt, double share) {
  return otherwise + share * (learnt - otherwise);
}

// What these outcomes call for, as far as they are trusted, and `otherwise` for the rest.
Fit fit(std::span<const Outcome* const> outcomes, const Fit& otherwise) {
  if (outcomes.empty()) return otherwise;
  std::vector<double> ratios;
  for (const Outcome* outcome : outcomes)
    ratios.push_back(log_ratio(outcome->actual, outcome->uncorrected.mid));
  const double trusted = trust(outcomes.size());
  Fit result;
  result.log_factor =
      std::clamp(between(otherwise.log_factor, median(ratios), trusted), -kMostLogFactor, kMostLogFactor);
  // How many times its half-width the corrected forecast was off.
  std::vector<double> misses;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const double miss = ratios[i] - result.log_factor;
    const Interval& interval = outcomes[i]->uncorrected;
    misses.push_back(miss < 0 ? -miss / half_width_below(interval) : miss / half_width_above(interval));
  }
  const double needed = std::clamp(std::log(covering_quantile(misses)), kLeastLogWidening, kMostLogWidening);
  result.log_widening = between(otherwise.log_widening, needed, trusted);
  return result;
}

Correction correction_for(std::span<const Outcome> outcomes, Metric metric, std::uint64_t place,
                          std::uint64_t model) {
  std::vector<const Outcome*> own;
  std::vector<const Outcome*> all;
  std::map<std::uint64_t, std::size_t> lent;  // outcomes in `all` by model; no choice of hashes slows a map
  for (std::size_t i = outcomes.size(); i-- > 0;) {
    const Outcome& outcome = outcomes[i];
    if (outcome.metric != metric || outcome.place != place || !is_usable(outcome)) continue;
    if (outcome.model == model && own.size() < kMostOwn) own.push_back(&outcome);
    if (lent[outcome.model]++ < kMostLent) all.push_back(&outcome);
  }
  const Fit fitted = fit(own, fit(all, {}));
  return {.factor = std::exp(fitted.log_factor),
          .widening = std::exp(fitted.log_widening),
          .own_count = own.size(),
          .place_count = all.size()};
}

}  // namespace

std::string_view name_of(Metric metric) {
  return kNames[static_cast<std::size_t>(metric)];
}

std::optional<Metric> find_metric(std::string_view name) {
  for (const Metric metric : kAllMetrics)
    if (name_of(metric) == name) return metric;
  return std::nullopt;
}

bool is_usable(const Outcome& outcome) {
  const auto in_range = [](const Interval& interval) {
    return is_usable(interval) && interval.low >= kLeastFigure && interval.high <= kMostFigure;
  };
  return in_range(outcome.predicted) && in_range(outcome.uncorrected) && outcome.actual >= kLeastFigure &&
         outcome.actual <= kMostFigure;
}

Scores score(std::span<const Outcome> outcomes) {
  Scores scores;
  for (const Metric metric : kAllMetrics) {
    std::vector<double> errors;
    std::vector<double> ratios;
    std::size_t covered = 0;
    for (const Outcome& outcome : outcomes) {
      if (outcome.metric != metric || !is_usable(outcome)) continue;
      const Interval& told = outcome.predicted;
      errors.push_back(std::abs(told.mid - outcome.actual) / outcome.actual);
      ratios.push_back(log_ratio(outcome.actual, told.mid));
      if (outcome.actual >= told.low && outcome.actual <= told.high) ++covered;
    }
    if (errors.empty()) continue;
    const std::size_t count = errors.size();
    scores[static_cast<std::size_t>(metric)] = {
        .count = count,
        .median_error = median(std::move(errors)),
        .bias = median(std::move(ratios)),
        .coverage = static_cast<double>(covered) / static_cast<double>(count)};
  }
  return scores;
}

Interval Correction::apply(const Interval& interval) const {
  if (is_neutral() || !is_usable(interval)) return interval;
  Interval corrected{.mid = interval.mid * factor};
  corrected.low = corrected.mid * std::exp(-widening * half_width_below(interval));
  corrected.high = corrected.mid * std::exp(widening * half_width_above(interval));
  // Out of the range of numbers: nothing that a machine does.
  return is_usable(corrected) ? corrected : interval;
}

Corrections corrections_for(std::span<const Outcome> outcomes, std::uint64_t place, std::uint64_t model) {
  Corrections corrections;
  for (const Metric metric : kAllMetrics) {
    corrections.by_metric[static_cast<std::size_t>(metric)] = correction_for(outcomes, metric, place, model);
  }
  return corrections;
}

}  // namespace cistern::plan
