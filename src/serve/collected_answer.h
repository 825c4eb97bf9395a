// The text of one choice, put together from its deltas: for answers that are told at once. Used by the
// writers of the protocols. Plain values; not thread-safe.
#pragma once

#include <string>
#include <vector>

#include "serve/answer.h"

namespace cistern::serve {

struct CollectedCall {
  std::string id, name;
  std::string arguments;  // JSON
};

struct CollectedAnswer {
  std::string reasoning, content;
  std::vector<CollectedCall> calls;
  std::vector<ChosenLogprob> logprobs;
  Finish finish = Finish::kCancelled;  // until it is told
  std::string stop;                    // of Finish::kStop

  void add(const std::vector<Delta>& deltas, const std::vector<ChosenLogprob>& more_logprobs);
};

}  // namespace cistern::serve
