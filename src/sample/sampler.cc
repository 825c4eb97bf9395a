#include "sample/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "base/check.h"
#include "base/rng.h"
#include "sample/draw.h"
#include "sample/dry.h"
#include "sample/grammar.h"
#include "sample/penalties.h"
#include "sample/truncation.h"

namespace cistern::sample {

struct Sampler::Impl {
  SamplerOptions options;
  std::vector<text::TokenId> history;
  Rng rng;
  MirostatState mirostat;
  Dry dry;
  std::optional<GrammarState> grammar;
  std::vector<float> logits;          // scratch: the row, changed by the steps that look back
  std::vector<std::uint32_t> counts;  // scratch of the penalties
  Candidates candidates;              // scratch

  Impl(SamplerOptions given, std::uint32_t n_vocab, std::span<const text::TokenId> seen, GrammarPtr with)
      : options(std::move(given)),
        history(seen.begin(), seen.end()),
        rng(options.seed),
        mirostat{.mu = 2.0 * options.mirostat_tau},
        dry(options, n_vocab),
        logits(n_vocab),
        counts(n_vocab) {
    if (with) grammar.emplace(std::move(with));
  }

  text::TokenId choose();
  void truncate();
};

Sampler::Sampler(SamplerOptions options, std::uint32_t n_vocab, std::span<const text::TokenId> history,
                 GrammarPtr grammar)
    : impl_(std::make_unique<Impl>(std::move(options), n_vocab, history, std::move(grammar))) {}
Sampler::Sampler(Sampler&&) noexcept = default;
Sampler::~Sampler() = default;

text::TokenId Sampler::next(std::span<const float> logits) {
  Impl& s = *impl_;
  CISTERN_CHECK(!logits.empty() && logits.size() == s.logits.size());
  constexpr float kNever = -std::numeric_limits<float>::infinity();
  std::ranges::transform(logits, s.logits.begin(), [](float x) { return std::isnan(x) ? kNever : x; });
  apply_bias(s.logits, s.options.logit_bias);
  apply_penalties(s.logits, s.history, s.options, s.counts);
  s.dry.apply(s.logits, s.history);
  if (s.grammar) s.grammar->mask(s.logits);
  const text::TokenId id = s.choose();
  if (s.grammar) s.grammar->accept(id);
  s.history.push_back(id);
  return id;
}

text::TokenId Sampler::Impl::choose() {
  if (options.temperature == 0) return greedy(logits);
  if (options.mirostat) {
    take_top_k(logits, 0, candidates);
    apply_temperature(candidates, options.temperature);
    return draw_mirostat(candidates, options.mirostat_tau, options.mirostat_eta, mirostat, rng);
  }
  truncate();
  apply_temperature(candidates, options.temperature);
  return draw(candidates, rng).id;
}

void Sampler::Impl::truncate() {
  take_top_k(logits, options.top_k, candidates);
  keep_typical(candidates, options.typical_p);
  keep_top_p(candidates, options.top_p);
  keep_min_p(candidates, options.min_p);
  if (options.xtc_probability > 0 && rng.uniform() < options.xtc_probability) {
    exclude_top_choices(candidates, options.xtc_threshold);
  }
}

}  // namespace cistern::sample
