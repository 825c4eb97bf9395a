#include "sample/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/rng.h"

namespace cistern::sample {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Everything off but the temperature.
SamplerOptions plain(float temperature) {
  return {.temperature = temperature, .top_k = 0, .top_p = 1, .min_p = 0};
}

std::vector<text::TokenId> drawn(const SamplerOptions& options, std::span<const float> logits, int count,
                                 std::span<const text::TokenId> history = {}) {
  Sampler sampler(options, static_cast<std::uint32_t>(logits.size()), history);
  std::vector<text::TokenId> out;
  for (int i = 0; i < count; ++i) out.push_back(sampler.next(logits));
  return out;
}

std::vector<float> wavy_logits(std::size_t count) {
  std::vector<float> logits(count);
  Rng rng(7);
  for (float& x : logits) x = static_cast<float>(rng.uniform() * 10 - 5);
  return logits;
}

using Ids = std::vector<text::TokenId>;

TEST(Sampler, GreedyAtTemperatureZero) {
  EXPECT_EQ(drawn(plain(0), std::vector<float>{1, 4, 4, kNan}, 3), (Ids{1, 1, 1}));
}

TEST(Sampler, PenaltiesComeBeforeGreedy) {
  SamplerOptions options = plain(0);
  options.presence_penalty = 2;
  // 3 is taken and becomes 3 - 2 = 1; 2 and 1 follow, until the highest of the penalized is best again.
  EXPECT_EQ(drawn(options, std::vector<float>{3, 2, 1.5F}, 4), (Ids{0, 1, 2, 0}));
  const Ids prompt = {0};
  EXPECT_EQ(drawn(options, std::vector<float>{3, 2, 1.5F}, 1, prompt), (Ids{1}));
}

TEST(Sampler, BiasComesFirst) {
  SamplerOptions options = plain(0);
  options.logit_bias = {{0, -kInf}};
  EXPECT_EQ(drawn(options, std::vector<float>{3, 2, 1}, 1), (Ids{1}));
  options.logit_bias = {{2, kInf}};
  EXPECT_EQ(drawn(options, std::vector<float>{3, 2, 1}, 1), (Ids{2}));
}

TEST(Sampler, DryStopsALoop) {
  SamplerOptions options = plain(0);
  options.dry_multiplier = 100;
  const Ids prompt = {1, 2, 3, 1, 2, 3, 1, 2};
  EXPECT_EQ(drawn(options, std::vector<float>{0, 0, 0, 5, 1}, 1, prompt), (Ids{4}));
}

TEST(Sampler, SameSeedSameTokens) {
  const auto logits = wavy_logits(1000);
  SamplerOptions options{.seed = 99};
  const Ids first = drawn(options, logits, 200);
  EXPECT_EQ(drawn(options, logits, 200), first);
  options.seed = 100;
  EXPECT_NE(drawn(options, logits, 200), first);
}

// One uniform number per token, compared with the cumulative probabilities in order of id: nothing else is
// drawn.
TEST(Sampler, DrawsByTheGeneratorsUniformNumbers) {
  const std::vector<float> logits = {std::log(0.5F), std::log(0.3F), std::log(0.2F)};
  SamplerOptions options = plain(1);
  options.seed = 5;
  Rng rng(5);
  Ids expected;
  for (int i = 0; i < 100; ++i) {
    const double u = rng.uniform();
    expected.push_back(u < 0.5 ? 0U : u < 0.8 ? 1U : 2U);
  }
  EXPECT_EQ(drawn(options, logits, 100), expected);
}

TEST(Sampler, TopKOfOneIsGreedy) {
  const auto logits = wavy_logits(500);
  SamplerOptions options = plain(5);
  options.top_k = 1;
  EXPECT_EQ(drawn(options, logits, 5), drawn(plain(0), logits, 5));
}

TEST(Sampler, XtcNeverTakesTheTopWhenCertain) {
  SamplerOptions options = plain(1);
  options.xtc_probability = 1;
  options.xtc_threshold = 0.1F;
  const std::vector<float> logits = {std::log(0.6F), std::log(0.3F), std::log(0.1F)};
  for (const text::TokenId id : drawn(options, logits, 200)) EXPECT_NE(id, 0U);
  options.xtc_probability = 0;
  const Ids usual = drawn(options, logits, 200);
  EXPECT_NE(std::ranges::find(usual, 0U), usual.end());
}

TEST(Sampler, MirostatReplacesTruncation) {
  SamplerOptions options{.top_k = 1, .mirostat = true, .mirostat_tau = 5, .seed = 1};
  const Ids ids = drawn(options, std::vector<float>(64, 0.0F), 50);
  EXPECT_GT(std::ranges::max(ids), 0U);  // top_k = 1 would always give token 0
}

TEST(Sampler, SurvivesEveryKindOfLogit) {
  for (const auto& logits : std::vector<std::vector<float>>{{kNan, kNan, kNan},
                                                            {-kInf, -kInf, -kInf},
                                                            {kInf, kInf, kNan},
                                                            {3e38F, -3e38F, 0},
                                                            {kInf, -kInf, kNan}}) {
    for (const bool mirostat : {false, true}) {
      SamplerOptions options{.typical_p = 0.5F,
                             .repetition_penalty = 1.5F,
                             .dry_multiplier = 1,
                             .xtc_probability = 1,
                             .mirostat = mirostat};
      for (const text::TokenId id : drawn(options, logits, 20)) EXPECT_LT(id, 3U);
    }
  }
  EXPECT_EQ(drawn({}, std::vector<float>{0.5F}, 3), (Ids{0, 0, 0}));  // one token in the vocabulary
}

TEST(Sampler, NanIsNeverDrawn) {
  for (const text::TokenId id : drawn(plain(1), std::vector<float>{kNan, 0, kNan, 0}, 100))
    EXPECT_EQ(id % 2, 1U);
}

TEST(SamplerOptions, DefaultsAreValid) {
  EXPECT_TRUE(validate({}, 10));
}

TEST(SamplerOptions, RefusesNonsense) {
  const auto refused = [](const SamplerOptions& options) {
    const auto result = validate(options, 10);
    if (result) return std::string("accepted");
    EXPECT_EQ(result.error().code, ErrorCode::kUsage);
    return result.error().where;
  };
  EXPECT_EQ(refused({.temperature = -1}), "temperature");
  EXPECT_EQ(refused({.temperature = kNan}), "temperature");
  EXPECT_EQ(refused({.temperature = kInf}), "temperature");
  EXPECT_EQ(refused({.top_p = 1.5F}), "top_p");
  EXPECT_EQ(refused({.min_p = -0.1F}), "min_p");
  EXPECT_EQ(refused({.typical_p = kNan}), "typical_p");
  EXPECT_EQ(refused({.repetition_penalty = 0}), "repetition_penalty");
  EXPECT_EQ(refused({.presence_penalty = kInf}), "presence_penalty");
  EXPECT_EQ(refused({.dry_multiplier = -1}), "dry_multiplier");
  EXPECT_EQ(refused({.dry_base = 0.5F}), "dry_base");
  EXPECT_EQ(refused({.dry_breakers = {{}}}), "dry_breakers");
  EXPECT_EQ(refused({.dry_breakers = {{10}}}), "dry_breakers");
  EXPECT_EQ(refused({.xtc_threshold = 0}), "xtc_threshold");
  EXPECT_EQ(refused({.mirostat_eta = 2}), "mirostat_eta");
  EXPECT_EQ(refused({.logit_bias = {{10, 1.0F}}}), "logit_bias");
  EXPECT_EQ(refused({.logit_bias = {{1, kNan}}}), "logit_bias");
}

}  // namespace
}  // namespace cistern::sample
