#include "engine/served_sequence.h"

#include <algorithm>
#include <cmath>

#include "sys/clock.h"

namespace cistern::engine {
namespace {

// The logarithm of the sum that the softmax of these logits divides by.
double log_sum(std::span<const float> logits) {
  const double most = *std::ranges::max_element(logits);
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - most);
  return most + std::log(sum);
}

std::vector<Alternative> likeliest(std::span<const float> logits, std::uint32_t n, double log_of_sum) {
  std::vector<text::TokenId> ids(logits.size());
  for (text::TokenId id = 0; id < ids.size(); ++id) ids[id] = id;
  const auto end = ids.begin() + std::min<std::ptrdiff_t>(n, std::ssize(ids));
  std::ranges::partial_sort(ids, end, [&](text::TokenId a, text::TokenId b) {
    return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
  });
  std::vector<Alternative> best;
  for (auto id = ids.begin(); id != end; ++id)
    best.push_back({*id, static_cast<float>(logits[*id] - log_of_sum)});
  return best;
}

}  // namespace

ServedSequence::ServedSequence(RequestId with_id, const text::Tokenizer& tokenizer, std::uint32_t n_vocab,
                               ServedRequest request, std::shared_ptr<Listener> to)
    : id(with_id),
      asked(std::move(request)),
      listener(std::move(to)),
      tokens(asked.request.prompt),
      sampler(asked.request.sampling, n_vocab, asked.request.prompt, asked.request.grammar),
      text(tokenizer, asked.request.stop, asked.show_control),
      submitted_s(sys::steady_seconds()) {
  stats.prompt_tokens = static_cast<std::uint32_t>(tokens.size());
}

void ServedSequence::choose(std::span<const float> logits) {
  chosen = {.id = sampler.next(logits)};
  if (!asked.top_logprobs) return;
  const double sum = log_sum(logits);
  chosen.logprob = static_cast<float>(logits[chosen.id] - sum);
  chosen.top = likeliest(logits, *asked.top_logprobs, sum);
}

}  // namespace cistern::engine
