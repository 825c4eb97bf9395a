// A smaller model that guesses what a larger one of the same vocabulary will say: always its own likeliest
// tokens. Owned by the larger one's Runtime.
#pragma once

#include <memory>

#include "engine/drafter.h"
#include "engine/runtime.h"

namespace cistern::engine {

class DraftModel final : public Drafter {
 public:
  explicit DraftModel(std::unique_ptr<Runtime> runtime) : runtime_(std::move(runtime)) {}
  Result<std::span<const text::TokenId>> propose(const TokenHistory& history, std::uint32_t most) override;

 private:
  std::unique_ptr<Runtime> runtime_;
  std::vector<text::TokenId> guesses_;
};

// kUsage when the vocabularies differ.
Result<void> check_same_vocabulary(const OpenModel& model, const OpenModel& draft);

}  // namespace cistern::engine
