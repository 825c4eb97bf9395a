// The last steps of the chain: from candidates to one token. Pure functions but for the random number
// generator and mirostat's running target that they are handed.
#pragma once

#include <span>

#include "base/rng.h"
#include "sample/candidates.h"

namespace cistern::sample {

// The highest logit; the lowest id on a tie. NaN counts as minus infinity. REQUIRES: not empty.
text::TokenId greedy(std::span<const float> logits);

// logit / temperature. Shifts all by the largest one before, so that a tiny temperature cannot overflow.
void apply_temperature(Candidates& candidates, float temperature);

// A token by its probability among the candidates.
Candidate draw(Candidates& candidates, Rng& rng);

struct MirostatState {
  double mu;  // largest allowed surprise, bits; starts at 2 tau
};

// Mirostat 2.0 (Basu et al. 2021, algorithm 2): removes candidates more surprising than mu (never all),
// draws, and moves mu by eta * (surprise of the drawn token - tau). Surprise is -log2 of the probability
// before the cut.
text::TokenId draw_mirostat(Candidates& candidates, float tau, float eta, MirostatState& state, Rng& rng);

}  // namespace cistern::sample
