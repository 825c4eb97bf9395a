// The state of one answer: prompt, sampler, detokenizer and stop strings around the engine's sequence.
// Internal to engine/; front-ends see Generation in engine.h.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "engine/answer_text.h"
#include "engine/draft_length.h"
#include "engine/engine.h"
#include "engine/prompt_lookup.h"
#include "engine/runtime.h"
#include "sample/sampler.h"

namespace cistern::engine {

struct Generation::Impl {
  Impl(Runtime& runtime, Request request);

  Result<std::optional<Step>> next();

  Runtime& runtime;
  Request request;
  sample::Sampler sampler;
  AnswerText text;
  Stats stats;
  std::string tail;
  StopReason reason = StopReason::kLength;
  bool started = false;
  bool finished = false;
  text::TokenId pending = 0;  // chosen last, not yet in the cache

 private:
  Result<void> advance();
  Result<void> read_prompt();
  Result<void> decode();

  // Guesses of what follows the pending token.
  struct Draft {
    std::span<const text::TokenId> guesses;  // to be checked
    DraftLength* length = nullptr;           // whose number they are
    // First guesses that are not checked, only compared.
    std::optional<text::TokenId> repeated_hint;
    std::optional<text::TokenId> computed_hint;
  };
  Result<Draft> draft();
  std::uint32_t most_guesses() const;
  void learn(const Draft& draft, std::uint32_t accepted, double seconds);
  Result<void> shift_context();
  std::optional<Step> finish(StopReason why);

  DiskUse start_use_, prompt_use_;  // of the runtime, when this began and when the prompt was read
  PromptLookup lookup_;
  DraftLength repetition_length_;
  TokenHistory history_;              // the sequence's tokens, and the pending one
  std::deque<text::TokenId> chosen_;  // of the last pass, not yet given out
};

}  // namespace cistern::engine
