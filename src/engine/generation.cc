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

double Stats::prefill_tok_s() const {
  return prefill_s > 0 ? (prompt_tokens - reused_tokens) / prefill_s : 0;
}

double Stats::decode_tok_s() const {
  return decode_s > 0 ? decode_steps / decode_s : 0;
}

Generation::Impl::Impl(Runtime& with, Request asked)
    : runtime(with),
      request(std::move(asked)),
      sampler(request.sampling, with.model.n_vocab, request.prompt),
      detokenizer(*with.open.tokenizer, {.hide_control = true, .continuation = true}),
      stops(request.stop) {
  stats.load_s = runtime.load_s;
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
  runtime.sequence->clear();
  return runtime.sequence->feed(kept, {.cancelled = &runtime.cancelled});
}

Result<void> Generation::Impl::feed_pending() {
  const double start = sys::steady_seconds();
  if (runtime.sequence->tokens().size() == runtime.plan.cache.context_tokens)
    CISTERN_TRY_VOID(shift_context());
  CISTERN_TRY_VOID(runtime.sequence->feed({&pending, 1}, {.cancelled = &runtime.cancelled}));
  stats.decode_s += sys::steady_seconds() - start;
  return {};
}

std::optional<Step> Generation::Impl::finish(StopReason why) {
  finished = true;
  reason = why;
  tail = stops.feed(detokenizer.flush());
  if (stops.matched()) {
    reason = StopReason::kStopString;
  } else {
    tail += stops.flush();
  }
  return std::nullopt;
}

Result<std::optional<Step>> Generation::Impl::next() {
  if (finished) return std::nullopt;
  if (stops.matched()) return finish(StopReason::kStopString);
  if (started && request.max_tokens > 0 && stats.generated_tokens >= request.max_tokens) {
    return finish(StopReason::kLength);
  }
  const bool is_full = runtime.sequence->tokens().size() == runtime.plan.cache.context_tokens;
  if (started && is_full && !request.context_shift) return finish(StopReason::kContextFull);

  auto fed = started ? feed_pending() : read_prompt();
  if (!fed) {
    if (fed.error().code == ErrorCode::kCancelled) return finish(StopReason::kCancelled);
    return std::unexpected(std::move(fed).error());
  }
  const double start = sys::steady_seconds();
  CISTERN_TRY(const std::span<const float> logits, runtime.sequence->last_logits());
  pending = sampler.next(logits);
  (started ? stats.decode_s : stats.prefill_s) += sys::steady_seconds() - start;
  if (started) ++stats.decode_steps;
  started = true;
  if (!request.ignore_end && runtime.open.tokenizer->is_end(pending)) return finish(StopReason::kEnd);
  ++stats.generated_tokens;
  return Step{.id = pending, .text = stops.feed(detokenizer.push(pending))};
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
