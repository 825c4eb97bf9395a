// The state of one answer: prompt, sampler, detokenizer and stop strings around the engine's sequence.
// Internal to engine/; front-ends see Generation in engine.h.
#pragma once

#include <string>

#include "engine/engine.h"
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
  text::TokenId pending = 0;  // sampled last, not yet in the cache

 private:
  Result<void> read_prompt();
  Result<void> feed_pending();
  Result<void> shift_context();
  std::optional<Step> finish(StopReason why);
};

}  // namespace cistern::engine
