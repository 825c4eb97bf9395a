// Steps that look back: they change the logits of tokens that the text already has. They work on the whole
// row of logits, indexed by token id, before candidates are chosen. Pure functions over row and history but
// for the counting scratch; NaN never arises from finite options. Formulas: repetition penalty, Keskar et al.
// 2019
// ("CTRL", section 4.1); presence and frequency penalty, as in OpenAI's API reference.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sample/sampler.h"

namespace cistern::sample {

using LogitBias = std::span<const std::pair<text::TokenId, float>>;

// logit += bias. A bias of minus infinity bans a token, of plus infinity forces it.
void apply_bias(std::span<float> logits, LogitBias bias);

// For every token among the last options.penalty_window of `history`, seen n times:
// a positive logit is divided by the repetition penalty, another multiplied; then presence + n * frequency is
// subtracted. `counts` is scratch: one zero per token of the vocabulary, and zero again afterwards.
void apply_penalties(std::span<float> logits, std::span<const text::TokenId> history,
                     const SamplerOptions& options, std::vector<std::uint32_t>& counts);

}  // namespace cistern::sample
