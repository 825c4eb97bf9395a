#include "serve/answer_reader.h"

#include <functional>
#include <string>
#include <utility>

#include "base/rng.h"
#include "engine/model_sampling.h"
#include "sys/clock.h"

namespace cistern::serve {
namespace {

Delta::Kind kind_of(text::Delta::Kind kind) {
  using Parsed = text::Delta::Kind;
  switch (kind) {
    case Parsed::kReasoning:
      return Delta::Kind::kReasoning;
    case Parsed::kContent:
      return Delta::Kind::kContent;
    case Parsed::kCallBegin:
      return Delta::Kind::kCallBegin;
    case Parsed::kCallArguments:
      return Delta::Kind::kCallArguments;
    case Parsed::kCallEnd:
      return Delta::Kind::kCallEnd;
  }
  return Delta::Kind::kContent;
}

// Nine letters and digits: Mistral's templates refuse other ids, and to everybody else they say nothing.
std::string new_call_id() {
  constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  constexpr std::size_t kLength = 9;
  const auto seed = engine::random_seed();
  Rng random(seed ? *seed : std::hash<double>{}(sys::steady_seconds()));
  std::string id(kLength, ' ');
  for (char& c : id) c = kAlphabet[random.next() % kAlphabet.size()];
  return id;
}

}  // namespace

AnswerReader::AnswerReader(const AnswerPlan& plan) : one_call_(plan.one_call), reasoning_(plan.in_reasoning) {
  if (plan.format == nullptr) return;
  parser_ = std::make_unique<text::AnswerParser>(
      text::AnswerOptions{.format = plan.format, .tools = plan.tools, .in_reasoning = plan.in_reasoning});
}

std::vector<Delta> AnswerReader::push(std::string_view text) {
  if (text.empty()) return {};
  if (parser_ != nullptr) return taken(parser_->push(text));
  return {Delta{.text = std::string(text), .name = {}, .id = {}}};
}

std::vector<Delta> AnswerReader::finish() {
  return parser_ == nullptr ? std::vector<Delta>() : taken(parser_->finish());
}

std::vector<Delta> AnswerReader::taken(std::vector<text::Delta> parsed) {
  std::vector<Delta> deltas;
  for (text::Delta& piece : parsed) {
    if (is_complete()) break;
    Delta delta{.kind = kind_of(piece.kind),
                .text = std::move(piece.text),
                .call = piece.call,
                .name = std::move(piece.name),
                .id = std::move(piece.id)};
    if (delta.kind == Delta::Kind::kCallBegin && delta.id.empty()) delta.id = new_call_id();
    if (delta.kind == Delta::Kind::kCallEnd) ++calls_;
    reasoning_ = delta.kind == Delta::Kind::kReasoning;
    deltas.push_back(std::move(delta));
  }
  return deltas;
}

}  // namespace cistern::serve
