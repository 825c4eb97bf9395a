// One request in the scheduler's hands: its tokens, how many of them the cache holds, what makes an answer of
// the logits, and whom it is told to. Internal to engine/.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "engine/answer_text.h"
#include "engine/draft_length.h"
#include "engine/prefix_cache.h"
#include "engine/prompt_lookup.h"
#include "engine/service.h"
#include "sample/sampler.h"

namespace cistern::engine {

// Guesses of what follows, by repetition: for a sequence that runs alone.
struct Guesses {
  TokenHistory history;
  PromptLookup lookup;
  DraftLength length;
};

struct ServedSequence {
  // REQUIRES: check_request() let the request pass.
  ServedSequence(RequestId with_id, const text::Tokenizer& tokenizer, std::uint32_t n_vocab,
                 ServedRequest request, std::shared_ptr<Listener> to);

  // Tokens that are known and not in the cache yet.
  std::uint32_t left() const {
    return static_cast<std::uint32_t>(tokens.size()) - (cache == nullptr ? 0 : cache->length());
  }
  bool is_decoding() const { return started && left() == 1 && stats.generated_tokens > 0; }
  std::span<const text::TokenId> next(std::uint32_t n) const {
    return std::span(tokens).subspan(cache->length(), n);
  }

  // Chooses a token by the logits after the last one. Touches nothing but the sampler, and `chosen`.
  void choose(std::span<const float> logits);

  RequestId id;
  ServedRequest asked;
  std::shared_ptr<Listener> listener;
  std::vector<text::TokenId> tokens;  // the prompt, then what was chosen
  sample::Sampler sampler;
  AnswerText text;
  ServedToken chosen;

  kv::Cache* cache = nullptr;  // null: it waits for one
  bool started = false;        // it has begun with what the prefix cache knew
  bool long_rope = false;
  PrefixCache::Node* node = nullptr;     // of its last page that is in the prefix cache
  std::uint32_t n_shared_pages = 0;      // up to there
  PrefixCache::Node* rolling = nullptr;  // where its latest checkpoint while decoding is
  std::unique_ptr<Guesses> guesses;      // of all its tokens; null: it was not alone lately

  Stats stats;
  double submitted_s, began_s = 0, first_token_s = 0;
};

}  // namespace cistern::engine
