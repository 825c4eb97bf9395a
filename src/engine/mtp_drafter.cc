#include "engine/mtp_drafter.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "engine/runtime.h"
#include "ops/elementwise.h"

namespace cistern::engine {
namespace {

// The layer works where the model does, with a layout of its own.
ops::Exec exec_of(const Runtime& runtime, std::span<std::byte> arena) {
  const plan::ComputeLayout& layout = runtime.plan.mtp->compute;
  ops::Exec exec = runtime.decoder->exec();
  exec.packed = arena.subspan(layout.packed, layout.packed_bytes);
  exec.scratch = {reinterpret_cast<float*>(arena.data() + layout.scratch),
                  layout.scratch_floats_per_thread * static_cast<std::size_t>(layout.threads)};
  exec.scratch_floats_per_thread = layout.scratch_floats_per_thread;
  return exec;
}

}  // namespace

MtpDrafter::MtpDrafter(Runtime& runtime, kv::Cache cache)
    : runtime_(runtime),
      cache_(std::move(cache)),
      layer_({.model = *runtime.model.mtp,
              .inventory = runtime.open.inventory(),
              .store = *runtime.store,
              .layout = runtime.plan.mtp->compute,
              .arena = runtime.arena.bytes(),
              .exec = exec_of(runtime, runtime.arena.bytes())}) {
  ids_.reserve(runtime.plan.mtp->hidden_rows);
}

Result<std::unique_ptr<MtpDrafter>> MtpDrafter::create(Runtime& runtime) {
  CISTERN_TRY(kv::Cache cache, kv::Cache::create(runtime.plan.mtp->cache));
  return std::unique_ptr<MtpDrafter>(new MtpDrafter(runtime, std::move(cache)));
}

TensorView MtpDrafter::hidden_rows(std::uint32_t first, std::uint32_t count) const {
  const plan::MtpPlan& plan = *runtime_.plan.mtp;
  CISTERN_CHECK(first + count <= plan.hidden_rows);
  const TensorView all{.dtype = DType::kF32,
                       .shape = Shape(runtime_.model.dim, plan.hidden_rows),
                       .data = runtime_.arena.bytes().data() + plan.hidden};
  return all.rows(first, count);
}

Result<void> MtpDrafter::read(std::span<const text::TokenId> ids, const TensorView& hidden) {
  const model::SequenceTokens next{.ids = ids, .cache = &cache_, .hidden = hidden};
  CISTERN_TRY_VOID(layer_.forward({&next, 1}));
  CISTERN_TRY_VOID(runtime_.open.files.check_intact());
  n_read_ = static_cast<std::uint32_t>(ids.size());
  return {};
}

// Reads all that waits: each hidden state with the token after it, the last one with `next`.
Result<void> MtpDrafter::catch_up(std::span<const text::TokenId> tokens, text::TokenId next) {
  CISTERN_CHECK(tokens.size() == end() && n_rows_ > 0 && cache_.length() >= first_);
  cache_.truncate(
      std::min(cache_.length(), end() - 1));  // where it was asked before, its answer was not used
  ids_.assign(tokens.begin() + cache_.length() + 1, tokens.end());
  ids_.push_back(next);
  std::span<const text::TokenId> ids = ids_;
  while (!ids.empty()) {
    const auto n = std::min<std::size_t>(ids.size(), runtime_.plan.mtp->compute.chunk_tokens);
    CISTERN_TRY_VOID(
        read(ids.first(n), hidden_rows(cache_.length() - first_, static_cast<std::uint32_t>(n))));
    ids = ids.subspan(n);
  }
  if (n_rows_ > 1) ops::copy(layer_.exec(), hidden_rows(n_rows_ - 1, 1), hidden_rows(0, 1));
  first_ += n_rows_ - 1;
  n_rows_ = 1;
  return {};
}

Result<std::span<const text::TokenId>> MtpDrafter::propose(const TokenHistory& history, std::uint32_t most) {
  const std::span<const text::TokenId> tokens = history.tokens();
  CISTERN_CHECK(!tokens.empty());
  CISTERN_TRY_VOID(catch_up(tokens.first(tokens.size() - 1), tokens.back()));
  const std::uint32_t length = cache_.length();
  const Result<void> guessed = guess(most);
  cache_.truncate(length);  // of what it read of itself; the model's hidden states follow
  CISTERN_TRY_VOID(guessed);
  return guesses_;
}

// From what was read last, and each time from the guess before.
Result<void> MtpDrafter::guess(std::uint32_t most) {
  guesses_.clear();
  while (guesses_.size() < most) {
    CISTERN_TRY(const std::span<const float> logits, layer_.logits(n_read_ - 1, 1));
    guesses_.push_back(static_cast<text::TokenId>(std::ranges::max_element(logits) - logits.begin()));
    if (guesses_.size() == most || cache_.length() == cache_.shape().context_tokens) break;
    CISTERN_TRY(const TensorView hidden, layer_.hidden(n_read_ - 1, 1));
    ops::copy(layer_.exec(), hidden, hidden_rows(1, 1));
    CISTERN_TRY_VOID(read({&guesses_.back(), 1}, hidden_rows(1, 1)));
  }
  return {};
}

Result<void> MtpDrafter::before_chunk(std::span<const text::TokenId> tokens,
                                      std::span<const text::TokenId> next) {
  const bool fits = n_rows_ + next.size() <= runtime_.plan.mtp->hidden_rows;
  return fits ? Result<void>() : catch_up(tokens, next.front());
}

Result<void> MtpDrafter::after_chunk(std::uint32_t n) {
  const std::uint32_t block = runtime_.decoder->block_tokens();
  for (std::uint32_t first = 0; first < n; first += block) {
    const std::uint32_t count = std::min(block, n - first);
    CISTERN_TRY(const TensorView hidden, runtime_.decoder->hidden(first, count));
    ops::copy(layer_.exec(), hidden, hidden_rows(n_rows_ + first, count));
  }
  n_rows_ += n;
  return {};
}

std::uint32_t MtpDrafter::can_keep(std::uint32_t length) const {
  return length == 0 || length > first_ ? length : length - 1;
}

void MtpDrafter::cut(std::uint32_t length) {
  CISTERN_CHECK(length <= end());
  const bool has_last = length > first_;  // the row before the next token, which may be another now
  cache_.truncate(std::min(cache_.length(), has_last ? length - 1 : length));
  n_rows_ = has_last ? length - first_ : 0;
  if (!has_last) first_ = length;
}

}  // namespace cistern::engine
