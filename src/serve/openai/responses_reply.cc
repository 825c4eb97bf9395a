#include "serve/openai/responses_reply.h"

#include <string_view>
#include <utility>

#include "serve/error_status.h"
#include "serve/http/sse.h"
#include "serve/openai/response_items.h"

namespace cistern::serve::openai {
namespace {

namespace json = boost::json;

json::object usage_of(const Usage& usage) {
  return {{"input_tokens", usage.prompt_tokens},
          {"input_tokens_details", {{"cached_tokens", usage.cached_tokens}, {"cache_write_tokens", 0}}},
          {"output_tokens", usage.completion_tokens},
          {"output_tokens_details", {{"reasoning_tokens", usage.reasoning_tokens}}},
          {"total_tokens", std::uint64_t{usage.prompt_tokens} + usage.completion_tokens}};
}

// How a response ends: its status, which also names the last event.
struct Ending {
  std::string_view status;
  json::value error;
  json::value incomplete_details;
};

Ending ending_of(Finish finish) {
  if (finish == Finish::kLength)
    return {.status = "incomplete", .error = {}, .incomplete_details = {{"reason", "max_output_tokens"}}};
  if (finish == Finish::kCancelled)
    return {.status = "failed",
            .error = {{"code", "server_error"}, {"message", "the answer was cut off"}},
            .incomplete_details = {}};
  return {.status = "completed", .error = {}, .incomplete_details = {}};
}

class Response final : public AnswerSink {
 public:
  Response(ReplyTo to, json::object echo, bool stream)
      : to_(std::move(to)),
        echo_(std::move(echo)),
        stream_(stream),
        items_([this](std::string_view type, json::object fields) { emit(type, std::move(fields)); }) {}

  void on_start(std::uint32_t, std::uint32_t) override {
    if (!stream_ || std::exchange(begun_, true)) return;
    to_.exchange->begin_stream(http::sse_head());
    const json::object response =
        document({.status = "in_progress", .error = {}, .incomplete_details = {}}, {});
    emit("response.created", {{"response", response}});
    emit("response.in_progress", {{"response", response}});
  }

  void on_delta(std::uint32_t, const std::vector<Delta>& deltas,
                const std::vector<ChosenLogprob>& logprobs) override {
    items_.add(deltas, logprobs);
    if (stream_) to_.watch->check(*to_.exchange);
  }

  void on_finish(std::uint32_t, Finish finish, const std::string&) override { finish_ = finish; }

  void on_done(const Usage& usage) override {
    on_start(0, 0);  // one that was cancelled before may not have begun
    end(ending_of(finish_), usage_of(usage));
  }

  void on_error(const Error& error) override {
    if (begun_) {
      const bool busy = error.code == ErrorCode::kBusy;
      end({.status = "failed",
           .error = {{"code", busy ? "rate_limit_exceeded" : "server_error"},
                     {"message", client_message(error)}},
           .incomplete_details = {}},
          nullptr);
      return;
    }
    respond_error(*to_.exchange, *to_.backend, error);
    to_.watch->finish();
  }

 private:
  void end(const Ending& ending, json::value usage) {
    items_.close(ending.status == "completed" ? "completed" : "incomplete");
    const json::object response = document(ending, std::move(usage));
    if (stream_) {
      emit("response." + std::string(ending.status), {{"response", response}});
      to_.exchange->end_stream();
    } else {
      respond_json(*to_.exchange, response);
    }
    to_.watch->finish();
  }

  json::object document(const Ending& ending, json::value usage) const {
    json::object response = {{"id", to_.id},
                             {"object", "response"},
                             {"created_at", to_.created},
                             {"status", ending.status},
                             {"background", false},
                             {"error", ending.error},
                             {"incomplete_details", ending.incomplete_details},
                             {"model", to_.model.id},
                             {"output", items_.output()},
                             {"previous_response_id", nullptr},
                             {"store", false},
                             {"truncation", "disabled"},
                             {"usage", std::move(usage)}};
    if (ending.status == "completed") response["completed_at"] = unix_seconds();
    for (const auto& [name, value] : echo_) response[name] = value;
    return response;
  }

  void emit(std::string_view type, json::object fields) {
    if (!stream_) return;
    json::object event = {{"type", type}, {"sequence_number", sequence_++}};
    for (auto& [name, value] : fields) event[name] = std::move(value);
    to_.exchange->write(named_event(type, event));
  }

  const ReplyTo to_;
  const json::object echo_;
  const bool stream_;
  ResponseItems items_;
  Finish finish_ = Finish::kCancelled;
  std::uint64_t sequence_ = 0;
  bool begun_ = false;
};

}  // namespace

std::shared_ptr<AnswerSink> make_response(ReplyTo to, json::object echo, bool stream) {
  return std::make_shared<Response>(std::move(to), std::move(echo), stream);
}

}  // namespace cistern::serve::openai
