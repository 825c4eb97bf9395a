#include "engine/generation.h"

#include <algorithm>
#include <utility>

#include "sys/clock.h"
#include "sys/memory_limits.h"

namespace cistern::engine {

const char* name_of(StopReason reason) {
  switch (reason) {
    case StopReason::kEnd:
      return "end";
    case StopReason::kLength:
      return "length";
    case StopReason::kStopString:
      return "stop";
    case StopReason::kContextFull:
      return "context";
    case StopReason::kCancelled:
      return "cancelled";
  }
  return "unknown";
}

double DiskUse::hit_rate() const {
  const std::uint64_t all = expert_hits + expert_misses;
  return all > 0 ? static_cast<double>(expert_hits) / static_cast<double>(all) : 0;
}

namespace {

DiskUse operator-(const DiskUse& now, const DiskUse& before) {
  return {.bytes_read = now.bytes_read - before.bytes_read,
          .waited_s = now.waited_s - before.waited_s,
          .expert_hits = now.expert_hits - before.expert_hits,
          .expert_misses = now.expert_misses - before.expert_misses};
}

}  // namespace

double Stats::prefill_tok_s() const {
  return prefill_s > 0 ? (prompt_tokens - reused_tokens) / prefill_s : 0;
}

double Stats::decode_tok_s() const {
  return decode_s > 0 ? decoded_tokens / decode_s : 0;
}

Generation::Impl::Impl(Runtime& with, Request asked)
    : runtime(with),
      request(std::move(asked)),
      sampler(request.sampling, with.model.n_vocab, request.prompt, request.grammar),
      text(*with.open.tokenizer, request.stop, false) {
  stats.load_s = runtime.load_s;
  stats.streaming = runtime.streaming != nullptr;
  start_use_ = runtime.disk_use();
  stats.planned_bytes = runtime.plan.total_bytes();
  stats.prompt_tokens = static_cast<std::uint32_t>(request.prompt.size());
}

Result<void> Generation::Impl::read_prompt() {
  const double start = sys::steady_seconds();
  stats.reused_tokens = runtime.sequence->keep_common_prefix(request.prompt);
  const auto rest = std::span(request.prompt).subspan(stats.reused_tokens);
  CISTERN_TRY_VOID(runtime.sequence->feed(rest, {.cancelled = &runtime.cancelled}));
  stats.prefill_s = sys::steady_seconds() - start;
  return {};
}

// Keeps the first keep_tokens and the later half of the rest. Keys carry their position, so what stays is
// read again at its new place: exactly what a fresh prompt of these tokens would give.
Result<void> Generation::Impl::shift_context() {
  const std::vector<text::TokenId> old(runtime.sequence->tokens().begin(), runtime.sequence->tokens().end());
  const std::size_t keep = std::min<std::size_t>(request.keep_tokens, old.size() / 2);
  const std::size_t drop = std::max<std::size_t>((old.size() - keep) / 2, 1);
  std::vector<text::TokenId> kept(old.begin(), old.begin() + static_cast<std::ptrdiff_t>(keep));
  kept.insert(kept.end(), old.begin() + static_cast<std::ptrdiff_t>(keep + drop), old.end());
  history_.start(kept);
  history_.append(pending);
  runtime.sequence->clear();
  return runtime.sequence->feed(kept, {.cancelled = &runtime.cancelled});
}

std::uint32_t Generation::Impl::most_guesses() const {
  if (!request.speculate) return 0;
  std::uint32_t most = runtime.plan.compute.logit_rows - 1;
  if (request.max_tokens > 0) most = std::min(most, request.max_tokens - stats.generated_tokens - 1);
  while (most > 0 && !runtime.sequence->can_feed_tentatively(most + 1)) --most;
  return most;
}

// Repetition costs nothing, so it is asked first; a model is where it knows nothing or is mostly wrong.
Result<Generation::Impl::Draft> Generation::Impl::draft() {
  Draft draft;
  const std::uint32_t most = most_guesses();
  if (most == 0) return draft;
  CISTERN_TRY(const std::span<const text::TokenId> repeated, lookup_.propose(history_, most));
  if (!repeated.empty()) {
    const std::uint32_t n = repetition_length_.best(static_cast<std::uint32_t>(repeated.size()));
    if (n > 0) {
      draft.guesses = repeated.first(n);
      draft.length = &repetition_length_;
      return draft;
    }
    draft.repeated_hint = repeated[0];
  }
  Drafter* drafter = runtime.draft_model ? runtime.draft_model.get() : runtime.mtp.get();
  if (drafter == nullptr) return draft;
  const DraftLength::Count n = runtime.computed_length.next(most);
  if (n.made == 0) return draft;
  CISTERN_TRY(const std::span<const text::TokenId> computed, drafter->propose(history_, n.made));
  draft.guesses = computed.first(std::min<std::size_t>(n.checked, computed.size()));
  draft.length = &runtime.computed_length;
  if (n.checked == 0 && !computed.empty()) draft.computed_hint = computed[0];
  return draft;
}

// What a step says of guesses. One that made a guess and did not check it says nothing of time.
void Generation::Impl::learn(const Draft& draft, std::uint32_t accepted, double seconds) {
  const auto n = static_cast<std::uint32_t>(draft.guesses.size());
  const text::TokenId first = history_.tokens()[history_.tokens().size() - 1 - accepted];
  if (draft.repeated_hint) repetition_length_.add_hint(*draft.repeated_hint == first);
  if (draft.computed_hint) runtime.computed_length.add_hint(*draft.computed_hint == first);
  if (n > 0) {
    draft.length->add_step(n, accepted, seconds);
  } else if (!draft.computed_hint) {
    repetition_length_.add_step(0, 0, seconds);
    runtime.computed_length.add_step(0, 0, seconds);
  }
  stats.decode_s += seconds;
  ++stats.decode_steps;
  stats.decoded_tokens += accepted + 1;
  stats.drafted_tokens += n;
  stats.accepted_tokens += accepted;
}

// One pass: the pending token and guesses go in, the tokens that the logits choose come out. A guess counts
// as long as it is what was chosen; the first choice that differs is the next pending token.
Result<void> Generation::Impl::decode() {
  const double start = sys::steady_seconds();
  Sequence& sequence = *runtime.sequence;
  const Sequence::Feeding feeding{.cancelled = &runtime.cancelled};
  if (sequence.tokens().size() == runtime.plan.cache.context_tokens) {
    CISTERN_TRY_VOID(shift_context());
  }
  CISTERN_TRY(const Draft drafted, draft());
  const auto n = static_cast<std::uint32_t>(drafted.guesses.size());

  std::vector<text::TokenId> ids{pending};
  ids.insert(ids.end(), drafted.guesses.begin(), drafted.guesses.end());
  CISTERN_TRY_VOID(n > 0 ? sequence.feed_tentatively(ids, feeding) : sequence.feed(ids, feeding));
  CISTERN_TRY(const std::span<const float> logits, sequence.last_logits(n + 1));
  std::uint32_t accepted = 0;
  for (std::uint32_t row = 0; row <= n; ++row) {
    const std::size_t n_vocab = runtime.model.n_vocab;
    chosen_.push_back(sampler.next(logits.subspan(row * n_vocab, n_vocab)));
    history_.append(chosen_.back());
    if (row == n || chosen_.back() != drafted.guesses[row]) break;
    ++accepted;
  }
  if (n > 0) {
    CISTERN_TRY_VOID(sequence.keep(accepted + 1, feeding));
  }
  pending = chosen_.back();
  learn(drafted, accepted, sys::steady_seconds() - start);
  stats.decode_disk = runtime.disk_use() - prompt_use_;
  return {};
}

// Reads the prompt, or decodes: then chosen_ has tokens.
Result<void> Generation::Impl::advance() {
  if (started) return decode();
  CISTERN_TRY_VOID(read_prompt());
  const double start = sys::steady_seconds();
  CISTERN_TRY(const std::span<const float> logits, runtime.sequence->last_logits());
  pending = sampler.next(logits);
  chosen_.push_back(pending);
  history_.start(runtime.sequence->tokens());
  history_.append(pending);
  stats.prefill_s += sys::steady_seconds() - start;
  prompt_use_ = runtime.disk_use();
  stats.prefill_disk = prompt_use_ - start_use_;
  started = true;
  return {};
}

std::optional<Step> Generation::Impl::finish(StopReason why) {
  finished = true;
  tail = text.finish();
  reason = text.stopped() ? StopReason::kStopString : why;
  return std::nullopt;
}

Result<std::optional<Step>> Generation::Impl::next() {
  if (finished) return std::nullopt;
  if (text.stopped()) return finish(StopReason::kStopString);
  if (started && request.max_tokens > 0 && stats.generated_tokens >= request.max_tokens) {
    return finish(StopReason::kLength);
  }
  if (chosen_.empty()) {
    const bool is_full = runtime.sequence->tokens().size() == runtime.plan.cache.context_tokens;
    if (started && is_full && !request.context_shift) return finish(StopReason::kContextFull);
    const auto advanced = advance();
    if (!advanced) {
      if (advanced.error().code == ErrorCode::kCancelled) return finish(StopReason::kCancelled);
      return std::unexpected(advanced.error());
    }
  }
  const text::TokenId id = chosen_.front();
  chosen_.pop_front();
  if (!request.ignore_end && runtime.open.tokenizer->is_end(id)) return finish(StopReason::kEnd);
  ++stats.generated_tokens;
  return Step{.id = id, .text = text.push(id)};
}

Generation::Generation(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Generation::Generation(Generation&&) noexcept = default;
Generation::~Generation() = default;

Result<std::optional<Step>> Generation::next() {
  return impl_->next();
}
std::string Generation::tail() {
  return std::exchange(impl_->tail, {});
}
StopReason Generation::stop_reason() const {
  return impl_->reason;
}

Stats Generation::stats() const {
  Stats stats = impl_->stats;
  stats.peak_rss_bytes = sys::peak_rss_bytes();
  return stats;
}

}  // namespace cistern::engine
