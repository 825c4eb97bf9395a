#include "engine/sequence.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace cistern::engine {

Sequence::Sequence(model::Decoder& decoder, kv::Cache& cache, const spec::ModelSpec& model,
                   const file::ModelFiles& files)
    : decoder_(decoder), cache_(cache), model_(model), files_(files) {}

void Sequence::set_follower(Follower* follower) {
  CISTERN_CHECK(tokens_.empty());
  follower_ = follower;
}

std::uint32_t Sequence::keep_common_prefix(std::span<const std::uint32_t> prompt) {
  const auto [ours, theirs] = std::ranges::mismatch(tokens_, prompt);
  auto common = static_cast<std::uint32_t>(ours - tokens_.begin());
  common =
      std::min<std::uint32_t>(common, prompt.empty() ? 0 : static_cast<std::uint32_t>(prompt.size()) - 1);
  if (follower_ != nullptr) common = follower_->can_keep(common);
  if (model_.needs_long_rope(prompt.size()) != long_rope_ || !cache_.can_truncate(common)) common = 0;
  if (common == 0) {
    clear();
  } else {
    cache_.truncate(common);
    tokens_.resize(common);
    if (follower_ != nullptr) follower_->cut(common);
  }
  return common;
}

void Sequence::clear() {
  cache_.truncate(0);
  tokens_.clear();
  long_rope_ = false;
  if (follower_ != nullptr) follower_->cut(0);
}

Result<void> Sequence::feed(std::span<const std::uint32_t> ids, const Feeding& feeding) {
  const std::uint64_t total = tokens_.size() + ids.size();
  const std::uint32_t context = cache_.shape().context_tokens;
  if (total > context) {
    return fail(ErrorCode::kTooLong, fmt::format("{} tokens do not fit the context of {}", total, context));
  }
  if (model_.needs_long_rope(total) && !long_rope_) {
    std::vector<std::uint32_t> all = std::move(tokens_);
    all.insert(all.end(), ids.begin(), ids.end());
    clear();
    long_rope_ = true;
    return feed_chunks(all, feeding, follower_);
  }
  return feed_chunks(ids, feeding, follower_);
}

Result<void> Sequence::feed_chunks(std::span<const std::uint32_t> ids, const Feeding& feeding,
                                   Follower* follower) {
  const std::uint32_t planned = cache_.shape().chunk_tokens;
  const std::uint32_t chunk = feeding.chunk_tokens == 0 ? planned : std::min(planned, feeding.chunk_tokens);
  CISTERN_CHECK(model_.causal || (tokens_.empty() && ids.size() <= chunk));
  while (!ids.empty()) {
    if (feeding.cancelled != nullptr && feeding.cancelled->load(std::memory_order_relaxed)) {
      return fail(ErrorCode::kCancelled, "stopped");
    }
    const auto part = ids.first(std::min<std::size_t>(chunk, ids.size()));
    const model::SequenceTokens next{
        .ids = part, .cache = &cache_, .long_rope = long_rope_, .first_segment = feeding.first_segment};
    if (!cache_.reserve(static_cast<std::uint32_t>(part.size())))
      return fail(ErrorCode::kMemory, "other requests hold the memory for keys and values: try again later");
    if (follower != nullptr) CISTERN_TRY_VOID(follower->before_chunk(tokens_, part));
    if (auto fed = decoder_.forward({&next, 1}); !fed) {
      clear();  // some layers have seen these tokens, others not
      return fed;
    }
    CISTERN_TRY_VOID(files_.check_intact());
    tokens_.insert(tokens_.end(), part.begin(), part.end());
    last_chunk_ = static_cast<std::uint32_t>(part.size());
    if (follower != nullptr) {
      const Result<void> followed = follower->after_chunk(last_chunk_);
      if (!followed) clear();  // it is out of step
      CISTERN_TRY_VOID(followed);
    }
    if (feeding.after_chunk) CISTERN_TRY_VOID(feeding.after_chunk(last_chunk_));
    ids = ids.subspan(part.size());
  }
  return {};
}

bool Sequence::can_feed_tentatively(std::size_t n) const {
  const std::uint64_t total = tokens_.size() + n;
  return total <= cache_.shape().context_tokens && n <= cache_.shape().chunk_tokens &&
         model_.needs_long_rope(total) == long_rope_;
}

Result<void> Sequence::feed_tentatively(std::span<const std::uint32_t> ids, const Feeding& feeding) {
  CISTERN_CHECK(can_feed_tentatively(ids.size()));
  if (cache_.has_state()) cache_.save(checkpoint_);
  return feed_chunks(ids, feeding, follower_);
}

Result<void> Sequence::keep(std::uint32_t n, const Feeding& feeding) {
  CISTERN_CHECK(n > 0 && n <= last_chunk_);
  if (n == last_chunk_) return {};
  const auto begin = static_cast<std::uint32_t>(tokens_.size()) - last_chunk_;
  if (follower_ != nullptr) follower_->cut(begin + n);
  if (!cache_.has_state()) {
    CISTERN_CHECK(cache_.can_truncate(begin + n));  // a ring has room for a chunk beyond its window
    cache_.truncate(begin + n);
    tokens_.resize(begin + n);
    return {};
  }
  const std::vector<std::uint32_t> again(tokens_.begin() + begin, tokens_.begin() + begin + n);
  cache_.restore(checkpoint_);
  tokens_.resize(begin);
  return feed_chunks(again, feeding, nullptr);  // it has seen them
}

Result<std::span<const float>> Sequence::last_logits(std::uint32_t n) {
  CISTERN_TRY(const std::span<const float> logits, decoder_.logits(last_chunk_ - n, n));
  CISTERN_TRY_VOID(files_.check_intact());
  return logits;
}

}  // namespace cistern::engine
