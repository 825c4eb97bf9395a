#include "engine/draft_model.h"

#include <fmt/format.h>

#include <algorithm>

namespace cistern::engine {

Result<std::span<const text::TokenId>> DraftModel::propose(const TokenHistory& history, std::uint32_t most) {
  const std::span<const text::TokenId> tokens = history.tokens();
  Sequence& sequence = *runtime_->sequence;
  guesses_.clear();
  const std::uint32_t kept = sequence.keep_common_prefix(tokens);
  if (tokens.size() > runtime_->plan.cache.context_tokens) return guesses_;
  CISTERN_TRY_VOID(sequence.feed(tokens.subspan(kept), {}));
  while (guesses_.size() < most) {
    CISTERN_TRY(const std::span<const float> logits, sequence.last_logits());
    const auto likeliest = static_cast<text::TokenId>(std::ranges::max_element(logits) - logits.begin());
    guesses_.push_back(likeliest);
    const bool is_full = sequence.tokens().size() == runtime_->plan.cache.context_tokens;
    if (is_full || guesses_.size() == most) break;
    CISTERN_TRY_VOID(sequence.feed({&likeliest, 1}, {}));
  }
  return guesses_;
}

Result<void> check_same_vocabulary(const OpenModel& model, const OpenModel& draft) {
  constexpr const char* kKey = "tokenizer.ggml.tokens";
  CISTERN_TRY(const auto ours, model.inventory().metadata.strings(kKey));
  CISTERN_TRY(const auto theirs, draft.inventory().metadata.strings(kKey));
  const auto [a, b] = std::ranges::mismatch(ours, theirs);
  if (a == ours.end() && b == theirs.end()) return {};
  return fail(
      ErrorCode::kUsage,
      fmt::format("has another vocabulary ({} tokens, the model {}; the first that differs is token {}): "
                  "only a model of the same family can guess for it",
                  theirs.size(), ours.size(), a - ours.begin()),
      draft.path);
}

}  // namespace cistern::engine
