// The state of one answer: prompt, sampler, detokenizer and stop strings around the engine's sequence.
// Internal to engine/; front-ends see Generation in engine.h.
#pragma once

#include <deque>
#include <string>

#include "engine/draft_length.h"
#include "engine/engine.h"
#include "engine/prompt_lookup.h"
#include "engine/runtime.h"
#include "engine/stop_matcher.h"
#include "sample/sampler.h"
#include "text/detokenizer.h"

namespace cistern::engine {

struct Generation::Impl {
  Impl(Runtime& runtime, Request request);

  Result<std::optional<Step>> next();

  Runtime& runtime;
  Request request;
  sample::Sampler sampler;
  text::Detokenizer detokenizer;
  StopMatcher stops;
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
  Result<std::span<const text::TokenId>> draft();
  Result<void> shift_context();
  std::optional<Step> finish(StopReason why);

  DiskUse start_use_, prompt_use_;  // of the runtime, when this began and when the prompt was read
  PromptLookup lookup_;
  DraftLength draft_length_;
  std::vector<text::TokenId> history_;  // what guesses are made from
  std::deque<text::TokenId> chosen_;    // of the last pass, not yet given out
};

}  // namespace cistern::engine
