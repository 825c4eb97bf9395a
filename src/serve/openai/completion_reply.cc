#include "serve/openai/completion_reply.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "serve/http/sse.h"
#include "serve/json_fields.h"
#include "serve/openai/chat_reply.h"
#include "text/utf8.h"

namespace cistern::serve::openai {
namespace {

namespace json = boost::json;

// The form of log-probabilities that completions have: an array of each thing.
struct TokenColumns {
  json::array tokens, token_logprobs, top_logprobs, text_offset;

  json::object to_json() && {
    return {{"tokens", std::move(tokens)},
            {"token_logprobs", std::move(token_logprobs)},
            {"top_logprobs", std::move(top_logprobs)},
            {"text_offset", std::move(text_offset)}};
  }
};

std::string column_text(std::string_view bytes) {
  return text::is_valid_utf8(bytes) ? std::string(bytes) : "bytes:" + token_text(bytes);
}

// Of the first token of a prompt there is none.
json::value column_logprob(const TokenLogprob& token) {
  return std::isnan(token.logprob) ? json::value() : json_number(token.logprob);
}

std::size_t count_characters(std::string_view bytes) {
  return static_cast<std::size_t>(
      std::ranges::count_if(bytes, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

// Adds tokens that begin `offset` characters behind the beginning of the text.
void append(TokenColumns& columns, const std::vector<ChosenLogprob>& tokens, std::size_t& offset) {
  for (const ChosenLogprob& token : tokens) {
    columns.tokens.emplace_back(column_text(token.chosen.bytes));
    columns.token_logprobs.emplace_back(column_logprob(token.chosen));
    if (std::isnan(token.chosen.logprob)) {
      columns.top_logprobs.emplace_back(nullptr);
    } else {
      json::object top;
      for (const TokenLogprob& alternative : token.top)
        top.emplace(column_text(alternative.bytes), column_logprob(alternative));
      top.emplace(column_text(token.chosen.bytes), column_logprob(token.chosen));
      columns.top_logprobs.emplace_back(std::move(top));
    }
    columns.text_offset.emplace_back(offset);
    offset += count_characters(token.chosen.bytes);
  }
}

std::string text_of(const std::vector<Delta>& deltas) {
  std::string text;
  for (const Delta& delta : deltas)
    if (delta.kind == Delta::Kind::kContent || delta.kind == Delta::Kind::kReasoning) text += delta.text;
  return text;
}

// Completions know no calls.
const char* completion_finish_reason(Finish finish) {
  return finish_reason(finish == Finish::kToolCalls ? Finish::kEnd : finish);
}

void add(Usage& sum, const Usage& usage) {
  sum.prompt_tokens += usage.prompt_tokens;
  sum.cached_tokens += usage.cached_tokens;
  sum.completion_tokens += usage.completion_tokens;
  sum.reasoning_tokens += usage.reasoning_tokens;
  sum.queue_s = std::max(sum.queue_s, usage.queue_s);
  sum.prefill_s += usage.prefill_s;
  sum.decode_s = std::max(sum.decode_s, usage.decode_s);
  sum.load_s = std::max(sum.load_s, usage.load_s);
}

}  // namespace

struct CompletionReply::Choice {
  std::string text;
  TokenColumns columns;
  std::size_t offset = 0;  // characters of the tokens so far
  Finish finish = Finish::kCancelled;
};

class CompletionReply::PromptSink final : public AnswerSink {
 public:
  PromptSink(std::shared_ptr<CompletionReply> reply, std::uint32_t first_index)
      : reply_(std::move(reply)), first_index_(first_index) {}

  void on_start(std::uint32_t, std::uint32_t) override { reply_->on_start(); }
  void on_delta(std::uint32_t choice, const std::vector<Delta>& deltas,
                const std::vector<ChosenLogprob>& logprobs) override {
    reply_->on_delta(first_index_ + choice, deltas, logprobs);
  }
  void on_finish(std::uint32_t choice, Finish finish, const std::string&) override {
    reply_->on_finish(first_index_ + choice, finish);
  }
  void on_done(const Usage& usage) override { reply_->on_done(usage); }
  void on_error(const Error& error) override { reply_->on_error(error); }

 private:
  const std::shared_ptr<CompletionReply> reply_;
  const std::uint32_t first_index_;
};

CompletionReply::CompletionReply(ReplyTo to, const CompletionReplyOptions& options)
    : to_(std::move(to)),
      options_(options),
      choices_(std::size_t{options.prompts} * options.choices),
      unfinished_(options.prompts) {}

CompletionReply::~CompletionReply() = default;

std::shared_ptr<AnswerSink> CompletionReply::sink_of_prompt(std::uint32_t prompt) {
  return std::make_shared<PromptSink>(shared_from_this(), prompt * options_.choices);
}

bool CompletionReply::is_complete() const {
  const std::lock_guard lock(mutex_);
  return complete_;
}

void CompletionReply::on_start() {
  const std::lock_guard lock(mutex_);
  if (options_.stream && !complete_) begin_stream();
}

void CompletionReply::begin_stream() {
  if (!std::exchange(begun_, true)) to_.exchange->begin_stream(http::sse_head());
}

void CompletionReply::on_delta(std::uint32_t index, const std::vector<Delta>& deltas,
                               const std::vector<ChosenLogprob>& logprobs) {
  {
    const std::lock_guard lock(mutex_);
    if (complete_) return;
    Choice& choice = choices_[index];
    if (!options_.stream) {
      choice.text += text_of(deltas);
      append(choice.columns, logprobs, choice.offset);
      return;
    }
    json::value columns;
    if (options_.logprobs) {
      TokenColumns piece;
      append(piece, logprobs, choice.offset);
      columns = std::move(piece).to_json();
    }
    const std::string text = text_of(deltas);
    if (!text.empty() || !logprobs.empty()) write(index, text, std::move(columns), nullptr);
  }
  to_.watch->check(*to_.exchange);  // not under the lock: what it cancels may call back
}

void CompletionReply::on_finish(std::uint32_t index, Finish finish) {
  const std::lock_guard lock(mutex_);
  if (complete_) return;
  choices_[index].finish = finish;
  if (options_.stream) write(index, "", nullptr, completion_finish_reason(finish));
}

void CompletionReply::on_done(const Usage& usage) {
  const std::lock_guard lock(mutex_);
  add(usage_, usage);
  if (--unfinished_ == 0 && !std::exchange(complete_, true)) complete();
}

void CompletionReply::on_error(const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(complete_, true)) return;
  }
  to_.watch->cancel();
  if (begun_) {
    to_.exchange->write(data_event(error_document(error)));
    to_.exchange->end_stream();
  } else {
    respond_error(*to_.exchange, *to_.backend, error);
  }
  to_.watch->finish();
}

json::object CompletionReply::document_json(json::array choices) const {
  return {{"id", to_.id},
          {"object", "text_completion"},
          {"created", to_.created},
          {"model", to_.model.id},
          {"system_fingerprint", fingerprint(to_.model)},
          {"choices", std::move(choices)}};
}

void CompletionReply::write(std::uint32_t index, const std::string& text, json::value logprobs,
                            json::value finish) {
  begin_stream();
  const json::object entry = {{"index", index},
                              {"text", text},
                              {"logprobs", std::move(logprobs)},
                              {"finish_reason", std::move(finish)}};
  json::object piece = document_json({entry});
  if (options_.include_usage) piece["usage"] = nullptr;
  to_.exchange->write(data_event(piece));
}

void CompletionReply::complete() {
  if (options_.stream) {
    begin_stream();
    if (options_.include_usage) {
      json::object piece = document_json({});
      piece["usage"] = usage_json(usage_);
      piece["timings"] = timings_json(usage_);
      to_.exchange->write(data_event(piece));
    }
    to_.exchange->write(std::string(kDoneEvent));
    to_.exchange->end_stream();
  } else {
    json::array choices;
    for (std::size_t i = 0; i < choices_.size(); ++i) {
      Choice& choice = choices_[i];
      choices.push_back(
          {{"index", i},
           {"text", choice.text},
           {"logprobs", options_.logprobs ? std::move(choice.columns).to_json() : json::value()},
           {"finish_reason", completion_finish_reason(choice.finish)}});
    }
    json::object document = document_json(std::move(choices));
    document["usage"] = usage_json(usage_);
    document["timings"] = timings_json(usage_);
    respond_json(*to_.exchange, document);
  }
  to_.watch->finish();
}

}  // namespace cistern::serve::openai
