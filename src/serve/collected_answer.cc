#include "serve/collected_answer.h"

namespace cistern::serve {

void CollectedAnswer::add(const std::vector<Delta>& deltas, const std::vector<ChosenLogprob>& more_logprobs) {
  for (const Delta& delta : deltas) {
    const auto call = [&]() -> CollectedCall& {
      if (calls.size() <= delta.call) calls.resize(std::size_t{delta.call} + 1);
      return calls[delta.call];
    };
    switch (delta.kind) {
      case Delta::Kind::kReasoning:
        reasoning += delta.text;
        break;
      case Delta::Kind::kContent:
        content += delta.text;
        break;
      case Delta::Kind::kCallBegin:
        call().id = delta.id;
        call().name = delta.name;
        break;
      case Delta::Kind::kCallArguments:
        call().arguments += delta.text;
        break;
      case Delta::Kind::kCallEnd:
        break;
    }
  }
  logprobs.insert(logprobs.end(), more_logprobs.begin(), more_logprobs.end());
}

}  // namespace cistern::serve
