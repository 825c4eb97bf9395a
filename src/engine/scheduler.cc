#include "engine/scheduler.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "sys/clock.h"
#include "sys/memory_limits.h"

namespace cistern::engine {
namespace {

// Tokens of prompts in a step in which answers are decoded, too: what they wait for beside their own token.
constexpr std::uint32_t kPromptTokensBesideDecoding = 128;

}  // namespace

Scheduler::Scheduler(Runtime& runtime, PrefixCache prefixes)
    : runtime_(runtime), prefixes_(std::move(prefixes)) {
  // The first is for what runs between steps.
  for (std::size_t i = runtime.caches.size(); i > 1; --i) free_caches_.push_back(&runtime.caches[i - 1]);
}

Result<std::unique_ptr<Scheduler>> Scheduler::create(Runtime& runtime) {
  CISTERN_CHECK(runtime.plan.paged && runtime.pages != nullptr);
  CISTERN_TRY(PrefixCache prefixes, PrefixCache::create(*runtime.pages, kv::own_bytes(runtime.plan.cache),
                                                        runtime.plan.paged->checkpoints));
  return std::unique_ptr<Scheduler>(new Scheduler(runtime, std::move(prefixes)));
}

void Scheduler::cancel(RequestId id) {
  const auto is_it = [id](const auto& sequence) { return sequence->id == id; };
  if (const auto found = std::ranges::find_if(running_, is_it); found != running_.end())
    return end(**found, StopReason::kCancelled);
  if (const auto found = std::ranges::find_if(waiting_, is_it); found != waiting_.end())
    end(**found, StopReason::kCancelled);
}

void Scheduler::cancel_all() {
  while (!running_.empty()) end(*running_.back(), StopReason::kCancelled);
  while (!waiting_.empty()) end(*waiting_.back(), StopReason::kCancelled);
}

void Scheduler::expire() {
  const double now = sys::steady_seconds();
  std::vector<Sequence*> late;
  const auto look = [&](const std::unique_ptr<Sequence>& sequence) {
    const std::optional<double> most = sequence->asked.timeout_s;
    if (most && now - sequence->submitted_s > *most) late.push_back(sequence.get());
  };
  std::ranges::for_each(running_, look);
  std::ranges::for_each(waiting_, look);
  for (Sequence* sequence : late)
    fail_with(*sequence,
              {ErrorCode::kTimeout,
               fmt::format("the answer took longer than the {} s allowed", *sequence->asked.timeout_s),
               {}});
}

void Scheduler::admit() {
  while (!waiting_.empty() && !free_caches_.empty()) {
    running_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    running_.back()->cache = free_caches_.back();
    free_caches_.pop_back();
  }
}

// What the prefix cache knows of its tokens is taken when their turn has come, not before: another request
// may have read more of them by then.
void Scheduler::begin(Sequence& sequence) {
  sequence.long_rope = runtime_.model.needs_long_rope(sequence.tokens.size());
  sequence.node = prefixes_.begin(*sequence.cache, sequence.tokens, sequence.long_rope);
  sequence.n_shared_pages = sequence.cache->length() / kv::kPageTokens;
  sequence.started = true;
  if (sequence.began_s > 0) return;  // it was put off
  sequence.began_s = sys::steady_seconds();
  sequence.stats.reused_tokens = sequence.cache->length();
  counts_.reused_tokens += sequence.cache->length();
}

// Whether another request is reading what this one begins with, too, and has not got through it.
bool Scheduler::waits_for_another(const Sequence& sequence) const {
  std::optional<std::uint32_t> known;
  for (const auto& other : running_) {
    if (!other->started || other.get() == &sequence) continue;
    const auto [mine, theirs] = std::ranges::mismatch(sequence.tokens, other->tokens);
    const auto common =
        static_cast<std::uint32_t>(mine - sequence.tokens.begin()) / kv::kPageTokens * kv::kPageTokens;
    if (other->cache->length() >= common) continue;
    if (!known)
      known = prefixes_.find(sequence.tokens, runtime_.model.needs_long_rope(sequence.tokens.size()));
    if (common > *known) return true;
  }
  return false;
}

bool Scheduler::make_room(std::uint32_t pages) {
  while (!prefixes_.make_room(pages)) {
    const auto latest = std::ranges::max_element(
        running_, {}, [](const auto& sequence) { return sequence->started ? sequence->id : 0; });
    if (latest == running_.end() || !(*latest)->started) return false;
    put_off(**latest);
  }
  return true;
}

// Pages for its next tokens; false: it is the one that had to be put off.
bool Scheduler::reserve(Sequence& sequence, std::uint32_t n_tokens) {
  while (!sequence.cache->reserve(n_tokens)) {
    const auto wanted = kv::pages_of(std::uint64_t{sequence.cache->length()} + n_tokens) -
                        static_cast<std::uint32_t>(sequence.cache->pages().size());
    if (prefixes_.make_room(wanted)) continue;
    Sequence* latest = &sequence;
    for (const auto& other : running_) {
      if (other->started && other->id > latest->id) latest = other.get();
    }
    put_off(*latest);
    if (latest == &sequence) return false;
  }
  return true;
}

// Its tokens are read again later; what it has sent stays sent.
void Scheduler::put_off(Sequence& sequence) {
  sequence.cache->truncate(0);
  sequence.started = false;
  sequence.node = sequence.rolling = nullptr;
  sequence.n_shared_pages = 0;
}

// Beyond the original context all keys have the long frequencies: they are computed anew.
void Scheduler::follow_long_rope(Sequence& sequence) {
  if (runtime_.model.needs_long_rope(sequence.tokens.size()) != sequence.long_rope) put_off(sequence);
}

void Scheduler::add_decodes(std::vector<Part>& parts) {
  std::vector<Sequence*> decoding;
  for (const auto& sequence : running_) {
    if (sequence->is_decoding()) decoding.push_back(sequence.get());
  }
  for (Sequence* sequence : decoding) {
    // It may have been put off for one before it.
    if (sequence->is_decoding() && reserve(*sequence, 1)) parts.push_back({sequence, 1, true});
  }
  drop_put_off(parts);
}

// Parts of sequences that were put off for those after them.
void Scheduler::drop_put_off(std::vector<Part>& parts) {
  std::erase_if(parts, [](const Part& part) { return !part.sequence->started; });
}

// A chunk of one prompt, of whole pages unless it ends the prompt. Logits of a step are those of its last
// rows, so at most one part of several tokens gives one: another leaves its last token to the next step.
void Scheduler::add_prompt(Sequence& sequence, std::uint32_t budget, std::vector<Part>& parts) {
  if (!sequence.started) begin(sequence);
  std::uint32_t n = std::min(sequence.left(), budget);
  bool gives_token = n == sequence.left();
  if (gives_token) {
    const bool other_does =
        std::ranges::any_of(parts, [](const Part& part) { return part.gives_token && part.n_tokens > 1; });
    if (n > 1 && other_does) {
      --n;
      gives_token = false;
    }
  } else if (const std::uint32_t beyond_page = (sequence.cache->length() + n) % kv::kPageTokens;
             n > beyond_page) {
    n -= beyond_page;
  }
  const bool has_pages = reserve(sequence, n);
  drop_put_off(parts);
  if (has_pages) parts.push_back({&sequence, n, gives_token});
}

void Scheduler::add_prompts(std::vector<Part>& parts) {
  const auto decodes = static_cast<std::uint32_t>(parts.size());
  std::uint32_t budget =
      runtime_.plan.cache.chunk_tokens - std::min(decodes, runtime_.plan.cache.chunk_tokens);
  if (decodes > 0) budget = std::min(budget, kPromptTokensBesideDecoding);
  std::vector<Sequence*> reading;
  for (const auto& sequence : running_) {
    if (sequence->is_decoding()) continue;
    if (sequence->started || !waits_for_another(*sequence)) reading.push_back(sequence.get());
  }
  if (reading.empty() || budget == 0) return;
  std::ranges::stable_sort(reading, {}, &Sequence::id);
  Sequence* first = reading.front();
  Sequence* shortest = *std::ranges::min_element(reading, {}, &Sequence::left);
  const std::uint32_t half = shortest == first ? budget : std::max(budget / 2, 1U);
  const std::uint32_t least = std::min(half, shortest->left());
  add_prompt(*shortest, least, parts);
  // The rest is the first one's, or, if that is the same, the next ones'.
  const auto used = [&] {
    std::uint32_t sum = 0;
    for (const Part& part : parts) sum += part.n_tokens;
    return sum - std::min(sum, decodes);
  };
  for (Sequence* sequence : reading) {
    if (sequence == shortest || used() >= budget) continue;
    if (!sequence->started && waits_for_another(*sequence)) continue;
    add_prompt(*sequence, budget - used(), parts);
  }
}

void Scheduler::step() {
  expire();
  admit();
  for (const auto& sequence : running_) {
    if (sequence->started) follow_long_rope(*sequence);
  }
  const double start = sys::steady_seconds();
  if (Sequence* alone = lone_guesser()) {
    if (const auto ran = run_alone(*alone); !ran) fail_with(*alone, ran.error());
  } else {
    for (const auto& sequence : running_) sequence->guesses.reset();  // they would miss what comes now
    std::vector<Part> parts;
    add_decodes(parts);
    add_prompts(parts);
    if (parts.empty()) return;
    if (const auto ran = run(parts); !ran) {
      for (const Part& part : parts) fail_with(*part.sequence, ran.error());
    }
  }
  ++counts_.steps;
  counts_.busy_s += sys::steady_seconds() - start;
}

Result<void> Scheduler::run(std::vector<Part>& parts) {
  // Those that give a token last, so that their logits are the last rows; of them the one with several tokens
  // first, whose last row is the one that counts.
  std::ranges::stable_sort(parts, {}, [](const Part& part) {
    if (!part.gives_token) return 0;
    return part.n_tokens == 1 ? 2 : 1;
  });
  std::vector<model::SequenceTokens> tokens;
  std::vector<Sequence*> giving;
  std::uint32_t n_rows = 0;
  for (const Part& part : parts) {
    tokens.push_back({.ids = part.sequence->next(part.n_tokens),
                      .cache = part.sequence->cache,
                      .long_rope = part.sequence->long_rope});
    n_rows += part.n_tokens;
    if (part.gives_token) giving.push_back(part.sequence);
    if (part.sequence->first_token_s == 0) counts_.prompt_tokens += part.n_tokens;
  }
  CISTERN_TRY_VOID(runtime_.decoder->forward(tokens));
  CISTERN_TRY_VOID(runtime_.open.files.check_intact());
  for (const Part& part : parts) remember(*part.sequence);
  const auto n_giving = static_cast<std::uint32_t>(giving.size());
  if (n_giving == 0) return {};
  CISTERN_TRY(const std::span<const float> logits, runtime_.decoder->logits(n_rows - n_giving, n_giving));
  CISTERN_TRY_VOID(runtime_.open.files.check_intact());
  const std::size_t n_vocab = runtime_.model.n_vocab;
  runtime_.pool->run_chunks(n_giving, [&](int, std::uint32_t i) noexcept {
    giving[i]->choose(logits.subspan(i * n_vocab, n_vocab));
  });
  for (Sequence* sequence : giving) give_token(*sequence);
  return {};
}

// The one that is decoded while nothing else is to be done; null when there are others, or it cannot take
// guesses back.
ServedSequence* Scheduler::lone_guesser() const {
  if (running_.size() != 1 || !waiting_.empty()) return nullptr;
  Sequence& s = *running_.front();
  const bool can_take_back = s.cache->own_bytes() == 0;
  return s.is_decoding() && can_take_back && s.asked.request.speculate ? &s : nullptr;
}

std::uint32_t Scheduler::most_guesses(const Sequence& s) const {
  const std::uint64_t left = runtime_.plan.cache.context_tokens - s.tokens.size();
  std::uint64_t most = std::min<std::uint64_t>(left, runtime_.plan.compute.logit_rows - 1);
  if (const std::uint32_t limit = s.asked.request.max_tokens; limit > 0)
    most = std::min<std::uint64_t>(most, limit - s.stats.generated_tokens - 1);
  while (most > 0 && runtime_.model.needs_long_rope(s.tokens.size() + most) != s.long_rope) --most;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(most, runtime_.plan.cache.chunk_tokens - 1));
}

// One pass over the pending token and guesses: those that are what was chosen count, the others are taken
// back.
Result<void> Scheduler::run_alone(Sequence& s) {
  const double start = sys::steady_seconds();
  if (s.guesses == nullptr) {
    s.guesses = std::make_unique<Guesses>();
    s.guesses->history.start(s.tokens);
  }
  Guesses& g = *s.guesses;
  CISTERN_TRY(std::span<const text::TokenId> guessed, g.lookup.propose(g.history, most_guesses(s)));
  guessed = guessed.first(g.length.best(static_cast<std::uint32_t>(guessed.size())));
  std::vector<text::TokenId> ids{s.tokens.back()};
  ids.insert(ids.end(), guessed.begin(), guessed.end());
  const auto n = static_cast<std::uint32_t>(ids.size());
  if (!reserve(s, n))
    return fail(ErrorCode::kMemory, "there is no room for the keys and values of an answer");
  const std::uint32_t length = s.cache->length();
  const model::SequenceTokens tokens{.ids = ids, .cache = s.cache, .long_rope = s.long_rope};
  CISTERN_TRY_VOID(runtime_.decoder->forward({&tokens, 1}));
  CISTERN_TRY(const std::span<const float> logits, runtime_.decoder->logits(0, n));
  CISTERN_TRY_VOID(runtime_.open.files.check_intact());
  std::vector<ServedToken> chosen;
  do {
    s.choose(logits.subspan(chosen.size() * runtime_.model.n_vocab, runtime_.model.n_vocab));
    chosen.push_back(std::move(s.chosen));
  } while (chosen.size() < n && chosen.back().id == ids[chosen.size()]);
  s.cache->truncate(length + static_cast<std::uint32_t>(chosen.size()));
  g.length.add_step(n - 1, static_cast<std::uint32_t>(chosen.size()) - 1, sys::steady_seconds() - start);
  s.stats.drafted_tokens += n - 1;
  s.stats.accepted_tokens += static_cast<std::uint32_t>(chosen.size()) - 1;
  s.stats.decode_steps -= static_cast<std::uint32_t>(chosen.size()) - 1;  // it is one, for all of them
  for (ServedToken& token : chosen) {
    g.history.append(token.id);
    s.chosen = std::move(token);
    if (!give_token(s)) return {};
  }
  remember(s);
  return {};
}

// Puts its new whole pages into the prefix cache.
void Scheduler::remember(Sequence& s) {
  const std::uint32_t length = s.cache->length();
  while ((s.n_shared_pages + 1) * kv::kPageTokens <= length) {
    const std::uint32_t i = s.n_shared_pages++;
    const auto tokens = std::span(s.tokens).subspan(std::size_t{i} * kv::kPageTokens, kv::kPageTokens);
    s.node = prefixes_.add(s.node, tokens, s.cache->pages()[i]);
    const kv::PageId known = PrefixCache::page_of(*s.node);
    if (known == s.cache->pages()[i]) continue;
    runtime_.pages->add_reference(known);  // another has read the same: the same bits
    s.cache->replace_page(i, known);
  }
  if (s.cache->own_bytes() == 0 || length % kv::kPageTokens != 0) return;
  const bool decoding = s.first_token_s > 0;
  const bool saved = prefixes_.save(s.node, *s.cache, decoding ? s.rolling : nullptr);
  if (decoding) s.rolling = saved ? s.node : nullptr;
}

// The token that was chosen goes to the answer; false: it has ended, and the sequence is gone.
bool Scheduler::give_token(Sequence& s) {
  const double now = sys::steady_seconds();
  if (s.first_token_s == 0) {
    s.first_token_s = now;
    s.stats.prefill_s = now - s.began_s;
    s.listener->on_prompt(s.stats.prompt_tokens, s.stats.reused_tokens);
  } else {
    ++s.stats.decode_steps;
    ++s.stats.decoded_tokens;
    s.stats.decode_s = now - s.first_token_s;
  }
  const engine::Request& request = s.asked.request;
  if (!request.ignore_end && runtime_.open.tokenizer->is_end(s.chosen.id)) {
    end(s, StopReason::kEnd);
    return false;
  }
  s.tokens.push_back(s.chosen.id);
  ++s.stats.generated_tokens;
  ++counts_.generated_tokens;
  s.chosen.text = s.text.push(s.chosen.id);
  s.listener->on_token(s.chosen);
  std::optional<StopReason> over;
  if (s.text.stopped()) {
    over = StopReason::kStopString;
  } else if (s.stats.generated_tokens == request.max_tokens) {
    over = StopReason::kLength;
  } else if (s.tokens.size() > runtime_.plan.cache.context_tokens) {
    over = StopReason::kContextFull;
  }
  if (over) end(s, *over);
  return !over;
}

std::unique_ptr<ServedSequence> Scheduler::take(const Sequence& sequence) {
  const auto is_it = [&](const auto& other) { return other.get() == &sequence; };
  std::unique_ptr<Sequence> taken;
  if (const auto found = std::ranges::find_if(running_, is_it); found != running_.end()) {
    taken = std::move(*found);
    running_.erase(found);
  } else {
    const auto queued = std::ranges::find_if(waiting_, is_it);
    taken = std::move(*queued);
    waiting_.erase(queued);
  }
  return taken;
}

// Gives its cache back; the page that is not full stays known, too.
void Scheduler::release(Sequence& s) {
  if (s.cache == nullptr) return;
  if (s.started) {
    // Of guesses that came true after the end of the answer nothing is kept.
    if (s.cache->length() > s.tokens.size()) s.cache->truncate(static_cast<std::uint32_t>(s.tokens.size()));
    remember(s);
    const std::uint32_t length = s.cache->length();
    if (const std::uint32_t rest = length % kv::kPageTokens; rest > 0) {
      const auto tokens = std::span(s.tokens).subspan(length - rest, rest);
      PrefixCache::Node* node = prefixes_.add(s.node, tokens, s.cache->pages().back());
      if (s.cache->own_bytes() > 0) prefixes_.save(node, *s.cache, s.rolling);
    }
  }
  s.cache->truncate(0);
  free_caches_.push_back(s.cache);
  s.cache = nullptr;
}

void Scheduler::end(Sequence& sequence, StopReason reason) {
  const std::unique_ptr<Sequence> taken = take(sequence);
  Sequence& s = *taken;
  ServedEnd ended{.tail = s.text.finish()};
  ended.reason = s.text.stopped() ? StopReason::kStopString : reason;
  ended.stop = s.text.stop();
  release(s);
  s.stats.load_s = runtime_.load_s;
  s.stats.planned_bytes = runtime_.plan.total_bytes();
  s.stats.streaming = runtime_.streaming != nullptr;
  ended.stats = s.stats;
  const double began = s.began_s > 0 ? s.began_s : sys::steady_seconds();
  ended.queued_s = began - s.submitted_s;
  ++(reason == StopReason::kCancelled ? counts_.cancelled : counts_.finished);
  s.listener->on_end(ended);
}

// What the cache holds is in doubt, so nothing of it is kept.
void Scheduler::fail_with(Sequence& sequence, const Error& error) {
  const std::unique_ptr<Sequence> taken = take(sequence);
  if (taken->cache != nullptr) put_off(*taken);
  release(*taken);
  ++counts_.failed;
  taken->listener->on_error(error);
}

ServiceState Scheduler::state() const {
  ServiceState state = counts_;
  state.running = static_cast<std::uint32_t>(running_.size());
  state.queued = static_cast<std::uint32_t>(waiting_.size());
  state.max_running = static_cast<std::uint32_t>(runtime_.caches.size()) - 1;
  state.pages_all = runtime_.pages->size();
  state.pages_cached = prefixes_.unused_pages();
  state.pages_used = state.pages_all - runtime_.pages->free_pages() - state.pages_cached;
  state.page_tokens = kv::kPageTokens;
  state.page_bytes = kv::page_bytes(runtime_.plan.cache);
  return state;
}

}  // namespace cistern::engine
