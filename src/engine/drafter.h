// Where guesses of the next tokens come from (speculative decoding, Leviathan et al. 2023). A guess costs
// nothing but time: every token is still chosen from the model's own logits, and a guess that the choice does
// not confirm is thrown away. Used by Generation; not thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"
#include "engine/token_history.h"
#include "text/vocab.h"

namespace cistern::engine {

class Drafter {
 public:
  virtual ~Drafter() = default;
  // Up to `most` tokens that may follow those of `history`, which is the same object in all calls. Empty: no
  // idea. Valid until the next call.
  virtual Result<std::span<const text::TokenId>> propose(const TokenHistory& history, std::uint32_t most) = 0;
};

}  // namespace cistern::engine
