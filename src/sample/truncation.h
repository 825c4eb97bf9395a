// Steps that remove unlikely candidates. Each is a pure function over the list, never leaves it empty, and is
// off at the value that SamplerOptions names. Their order is the Sampler's business (sampler.cc).
#pragma once

#include <cstdint>
#include <span>

#include "sample/candidates.h"

namespace cistern::sample {

// Fills the list from a row of logits: the k highest in falling order, or all in order of id when k is 0 or
// not less than the vocabulary. REQUIRES: no NaN. Allocates only the first time.
void take_top_k(std::span<const float> logits, std::uint32_t k, Candidates& out);

// Locally typical sampling (Meister et al. 2022): orders by how far a token's surprise is from the expected
// one (the entropy) and keeps the shortest beginning with probability >= typical_p.
void keep_typical(Candidates& candidates, float typical_p);

// Nucleus sampling (Holtzman et al. 2019): orders by probability and keeps the shortest beginning with
// probability >= top_p.
void keep_top_p(Candidates& candidates, float top_p);

// Keeps what is at least min_p times as likely as the likeliest (Nguyen et al. 2024). Keeps the order.
void keep_min_p(Candidates& candidates, float min_p);

// Exclude top choices (p-e-w, text-generation-webui pull request 6335): of the candidates with probability >=
// threshold keeps only the least likely one, and all below. Called for the tokens that chance picked.
void exclude_top_choices(Candidates& candidates, float threshold);

}  // namespace cistern::sample
