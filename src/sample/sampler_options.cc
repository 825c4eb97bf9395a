#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>

#include "sample/sampler.h"

namespace cistern::sample {
namespace {

constexpr float kMax = std::numeric_limits<float>::max();

struct Range {
  const char* name;
  float SamplerOptions::* value;
  float low;
  float high;
  bool low_allowed;
};

constexpr std::array kRanges = {
    Range{"temperature", &SamplerOptions::temperature, 0, kMax, true},
    Range{"top_p", &SamplerOptions::top_p, 0, 1, true},
    Range{"min_p", &SamplerOptions::min_p, 0, 1, true},
    Range{"typical_p", &SamplerOptions::typical_p, 0, 1, true},
    Range{"repetition_penalty", &SamplerOptions::repetition_penalty, 0, kMax, false},
    Range{"presence_penalty", &SamplerOptions::presence_penalty, -1000, 1000, true},
    Range{"frequency_penalty", &SamplerOptions::frequency_penalty, -1000, 1000, true},
    Range{"dry_multiplier", &SamplerOptions::dry_multiplier, 0, kMax, true},
    Range{"dry_base", &SamplerOptions::dry_base, 1, kMax, true},
    Range{"xtc_probability", &SamplerOptions::xtc_probability, 0, 1, true},
    Range{"xtc_threshold", &SamplerOptions::xtc_threshold, 0, 1, false},
    Range{"mirostat_tau", &SamplerOptions::mirostat_tau, 0, 1000, true},
    Range{"mirostat_eta", &SamplerOptions::mirostat_eta, 0, 1, true},
};

Result<void> check_id(text::TokenId id, std::uint32_t n_vocab, const char* name) {
  if (id < n_vocab) return {};
  return fail(ErrorCode::kUsage, fmt::format("token {} does not exist; the vocabulary has {}", id, n_vocab),
              name);
}

}  // namespace

Result<void> validate(const SamplerOptions& options, std::uint32_t n_vocab) {
  for (const Range& range : kRanges) {
    const float value = options.*range.value;
    const bool high_enough = range.low_allowed ? value >= range.low : value > range.low;
    if (high_enough && value <= range.high) continue;  // false for NaN
    std::string allowed = fmt::format("{} {}", range.low_allowed ? "at least" : "more than", range.low);
    if (range.high != kMax) allowed += fmt::format(" and at most {}", range.high);
    return fail(ErrorCode::kUsage, fmt::format("{} makes no sense here; give a number {}", value, allowed),
                range.name);
  }
  for (const auto& [id, bias] : options.logit_bias) {
    CISTERN_TRY_VOID(check_id(id, n_vocab, "logit_bias"));
    if (std::isnan(bias))
      return fail(ErrorCode::kUsage, fmt::format("the bias of token {} is not a number", id), "logit_bias");
  }
  for (const auto& breaker : options.dry_breakers) {
    if (breaker.empty())
      return fail(ErrorCode::kUsage, "a breaker must have at least one token", "dry_breakers");
    for (const text::TokenId id : breaker) CISTERN_TRY_VOID(check_id(id, n_vocab, "dry_breakers"));
  }
  return {};
}

}  // namespace cistern::sample
