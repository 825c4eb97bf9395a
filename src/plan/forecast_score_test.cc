// Scores and corrections against values worked out by hand (the formulas are in docs/ledger.md), and against
// what they promise: corrected forecasts are unbiased and cover nine of ten outcomes.
#include "plan/forecast_score.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "base/rng.h"

namespace cistern::plan {
namespace {

constexpr std::uint64_t kHere = 1;
constexpr std::uint64_t kThere = 2;
constexpr Interval kForecast{.low = 8, .mid = 10, .high = 12.5};  // ln(5/4) on either side

Outcome outcome(double actual, std::uint64_t model = 7, std::uint64_t place = kHere,
                Metric metric = Metric::kDecode) {
  return {.metric = metric,
          .place = place,
          .model = model,
          .predicted = kForecast,
          .uncorrected = kForecast,
          .actual = actual};
}

std::vector<Outcome> outcomes(std::size_t count, double actual, std::uint64_t model = 7) {
  return std::vector<Outcome>(count, outcome(actual, model));
}

Correction decode_correction(const std::vector<Outcome>& all, std::uint64_t model = 7) {
  return corrections_for(all, kHere, model).of(Metric::kDecode);
}

TEST(Interval, IsUsableInOrderOnly) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(is_usable(kForecast));
  EXPECT_TRUE(is_usable(Interval{1, 1, 1}));
  for (const Interval& bad :
       {Interval{}, Interval{0, 1, 2}, Interval{2, 1, 3}, Interval{1, 3, 2}, Interval{-1, 1, 2},
        Interval{1, 2, kInf}, Interval{kNan, 1, 2}, Interval{1, kNan, 2}, Interval{1, 2, kNan}}) {
    EXPECT_FALSE(is_usable(bad)) << bad.low << " " << bad.mid << " " << bad.high;
  }
}

TEST(Metric, NamesAreFoundAgain) {
  for (const Metric metric : kAllMetrics) EXPECT_EQ(find_metric(name_of(metric)), metric);
  EXPECT_EQ(name_of(Metric::kPeakMemory), "peak_bytes");
  EXPECT_FALSE(find_metric("decode"));
  EXPECT_FALSE(find_metric(""));
}

TEST(Score, OfNothingIsNothing) {
  for (const Score& score : score({})) EXPECT_EQ(score.count, 0U);
}

TEST(Score, ByHand) {
  // Errors |10 - actual| / actual: 1, 0, 0.2, 0.5; of them the median is 0.35.
  // Ratios actual / 10: 0.5, 1, 1.25, 2; the middle two logarithms are 0 and ln 1.25.
  // Inside [8, 12.5]: 10 and 12.5.
  std::vector<Outcome> all = {outcome(5), outcome(10), outcome(12.5), outcome(20)};
  all.push_back(outcome(3, 7, kHere, Metric::kLoad));
  const Scores scores = score(all);
  const Score& decode = scores[static_cast<std::size_t>(Metric::kDecode)];
  EXPECT_EQ(decode.count, 4U);
  EXPECT_NEAR(decode.median_error, 0.35, 1e-12);
  EXPECT_NEAR(decode.bias, std::log(1.25) / 2, 1e-12);
  EXPECT_EQ(decode.coverage, 0.5);
  const Score& load = scores[static_cast<std::size_t>(Metric::kLoad)];
  EXPECT_EQ(load.count, 1U);
  EXPECT_NEAR(load.median_error, 7.0 / 3, 1e-12);
  EXPECT_NEAR(load.bias, std::log(0.3), 1e-12);
  EXPECT_EQ(load.coverage, 0);
  EXPECT_EQ(scores[static_cast<std::size_t>(Metric::kPrefill)].count, 0U);
}

TEST(Score, IsOfWhatWasTold) {
  Outcome corrected = outcome(20);
  corrected.predicted = {.low = 15, .mid = 20, .high = 25};
  const Score decode = score(std::vector{corrected})[static_cast<std::size_t>(Metric::kDecode)];
  EXPECT_EQ(decode.median_error, 0);
  EXPECT_EQ(decode.coverage, 1);
}

TEST(Correction, OfNothingIsNeutral) {
  const Correction none = decode_correction({});
  EXPECT_TRUE(none.is_neutral());
  EXPECT_EQ(none.apply(kForecast), kForecast);
  EXPECT_EQ(none.own_count, 0U);
}

TEST(Correction, NeedsAboutFiveOutcomesToSayMuch) {
  // Twice as fast as forecast, each time.
  EXPECT_LT(decode_correction(outcomes(1, 20)).factor, 1.01);
  EXPECT_LT(decode_correction(outcomes(4, 20)).factor, 1.15);
  EXPECT_LT(decode_correction(outcomes(4, 20)).widening, 1.25);
  EXPECT_GT(decode_correction(outcomes(12, 20)).factor, 1.5);
  EXPECT_GT(decode_correction(outcomes(32, 20)).factor, 1.85);
  EXPECT_LT(decode_correction(outcomes(1000, 20)).factor, 2);
}

TEST(Correction, ByHand) {
  // Eight outcomes of a model, all twice the forecast, h = ln(5/4). The place takes the last six, trusted by
  // p = 6^4 / (6^4 + 7^4): p ln 2, and (1 - p) ln 2 are missed. The model trusts its eight by w, so of that
  // remain (1 - w) (1 - p) ln 2.
  const Correction own = decode_correction(outcomes(8, 20));
  const double ln2 = std::numbers::ln2;
  const double h = std::log(1.25);
  const double p = 1296.0 / 3697;
  const double w = 4096.0 / 6497;
  const double rest = (1 - w) * (1 - p);
  EXPECT_NEAR(std::log(own.factor), ln2 * (1 - rest), 1e-12);
  const double of_place = p * std::log(ln2 * (1 - p) / h);
  EXPECT_NEAR(std::log(own.widening), w * std::log(ln2 * rest / h) + (1 - w) * of_place, 1e-12);
  EXPECT_EQ(own.own_count, 8U);
  EXPECT_EQ(own.place_count, 6U);

  const Correction of_another_model = decode_correction(outcomes(8, 20), 8);
  EXPECT_NEAR(std::log(of_another_model.factor), ln2 * p, 1e-12);
  EXPECT_NEAR(std::log(of_another_model.widening), of_place, 1e-12);
  EXPECT_EQ(of_another_model.own_count, 0U);
  EXPECT_EQ(of_another_model.place_count, 6U);
}

TEST(Correction, AppliesToTheMiddleAndTheWidth) {
  const Correction correction{.factor = 2, .widening = 3};
  const Interval corrected = correction.apply(kForecast);
  EXPECT_DOUBLE_EQ(corrected.mid, 20);
  EXPECT_NEAR(corrected.high, 20 * std::pow(1.25, 3), 1e-9);
  EXPECT_NEAR(corrected.low, 20 / std::pow(1.25, 3), 1e-9);
  // A point has a width too once it was missed.
  const Interval point = correction.apply({.low = 5, .mid = 5, .high = 5});
  EXPECT_NEAR(point.high, 10 * std::exp(0.03), 1e-9);
  EXPECT_NEAR(point.low, 10 * std::exp(-0.03), 1e-9);
  // What makes no sense is left alone, and nothing sensible becomes senseless.
  const Interval reversed{.low = 3, .mid = 2, .high = 1};
  EXPECT_EQ(correction.apply(reversed), reversed);
  const Interval enormous{.low = 1e307, .mid = 1e308, .high = 1.5e308};
  EXPECT_EQ(correction.apply(enormous), enormous);
}

TEST(Correction, KnowsPlacesAndMetricsApart) {
  std::vector<Outcome> all;
  for (int i = 0; i < 30; ++i) {
    all.push_back(outcome(40, 7, kThere));
    all.push_back(outcome(40, 7, kHere, Metric::kPrefill));
  }
  EXPECT_TRUE(decode_correction(all).is_neutral());
  EXPECT_GT(corrections_for(all, kThere, 7).of(Metric::kDecode).factor, 2);
  EXPECT_GT(corrections_for(all, kHere, 7).of(Metric::kPrefill).factor, 2);
}

TEST(Correction, OwnOutcomesWinOverThoseOfOthers) {
  std::vector<Outcome> all;
  for (std::uint64_t model = 100; model < 120; ++model) {
    for (int i = 0; i < 3; ++i) all.push_back(outcome(20, model));
  }
  const double by_others = decode_correction(all).factor;
  EXPECT_GT(by_others, 1.9);
  for (int i = 0; i < 40; ++i) all.push_back(outcome(5));
  EXPECT_LT(decode_correction(all).factor, 0.65);
  EXPECT_NEAR(decode_correction(all, 999).factor, by_others, 0.1) << "one model does not outvote twenty";
}

TEST(Correction, ForgetsWhatAModelDidLongAgo) {
  std::vector<Outcome> all = outcomes(500, 20);
  for (int i = 0; i < 32; ++i) all.push_back(outcome(10));
  EXPECT_NEAR(decode_correction(all).factor, 1, 1e-9);
}

TEST(Correction, DoesNotFeedOnItsOwnSuccess) {
  // Forecasts that earlier outcomes have corrected to a perfect 20; the machine still is twice as fast as
  // uncorrected ones say.
  std::vector<Outcome> all = outcomes(40, 20);
  for (Outcome& each : all) each.predicted = {.low = 16, .mid = 20, .high = 25};
  EXPECT_GT(decode_correction(all).factor, 1.85);
}

TEST(Correction, MakesForecastsUnbiasedAndNineOfTenCovered) {
  // A machine that is 0.7 times as fast as forecast, give or take 15%: intervals too narrow and too high.
  Rng rng(5);
  const auto draw = [&rng] {
    double sum = -6;  // about normal
    for (int i = 0; i < 12; ++i) sum += rng.uniform();
    return 10 * 0.7 * std::exp(0.15 * sum);
  };
  constexpr Interval kNarrow{.low = 9.5, .mid = 10, .high = 10.5};
  std::vector<Outcome> past;
  std::vector<Outcome> next;
  for (int round = 0; round < 2000; ++round) {
    Outcome each = outcome(draw());
    each.uncorrected = kNarrow;
    const std::span<const Outcome> seen = std::span(past).last(std::min<std::size_t>(past.size(), 40));
    each.predicted = corrections_for(seen, kHere, 7).apply(Metric::kDecode, kNarrow);
    past.push_back(each);
    if (round >= 100) next.push_back(each);
  }
  const Score score_after = score(next)[static_cast<std::size_t>(Metric::kDecode)];
  EXPECT_NEAR(score_after.coverage, 0.9, 0.03);
  EXPECT_NEAR(score_after.bias, 0, 0.02);
  for (Outcome& each : next) each.predicted = kNarrow;
  EXPECT_LT(score(next)[static_cast<std::size_t>(Metric::kDecode)].coverage, 0.1);
}

TEST(Correction, NarrowsWhatIsTooWide) {
  std::vector<Outcome> all = outcomes(40, 10);
  for (Outcome& each : all) each.uncorrected = {.low = 1, .mid = 10, .high = 100};
  const Correction correction = decode_correction(all);
  EXPECT_NEAR(correction.factor, 1, 1e-12);
  EXPECT_GE(correction.widening, 0.25);
  EXPECT_LT(correction.widening, 0.4);
}

TEST(Correction, HostileOutcomesDoNoHarm) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  std::vector<Outcome> all;
  for (const double actual : {0.0, -1.0, kInf, std::nan(""), 1e-300, 1e300})
    for (int i = 0; i < 40; ++i) all.push_back(outcome(actual));
  Outcome reversed = outcome(10);
  reversed.uncorrected = {.low = 3, .mid = 2, .high = 1};
  all.push_back(reversed);
  EXPECT_TRUE(decode_correction(all).is_neutral());
  EXPECT_EQ(score(all)[static_cast<std::size_t>(Metric::kDecode)].count, 0U);

  for (const double actual : {1e-12, 1e24}) {
    const Correction wild = decode_correction(outcomes(1000, actual));
    EXPECT_GE(wild.factor, 1.0 / 16 - 1e-12);
    EXPECT_LE(wild.factor, 16 + 1e-12);
    EXPECT_LE(wild.widening, 64 + 1e-9);
    EXPECT_TRUE(is_usable(wild.apply(kForecast)));
  }
}

}  // namespace
}  // namespace cistern::plan
