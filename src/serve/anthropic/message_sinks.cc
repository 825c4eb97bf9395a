#include "serve/anthropic/message_sinks.h"

#include <boost/json/serialize.hpp>
#include <utility>
#include <vector>

#include "serve/anthropic/error_document.h"
#include "serve/anthropic/message_document.h"
#include "serve/anthropic/message_events.h"
#include "serve/http/sse.h"

namespace cistern::serve::anthropic {
namespace {

// No reason to stop tells of this, so it is an error; who has gone away does not read it.
const Error& cancelled() {
  static const Error error = {ErrorCode::kCancelled, "the answer was cancelled before it was complete", {}};
  return error;
}

void respond_error(const AnswerTo& to, const Error& error) {
  to.exchange->respond(error_response(error, to.request_id, to.backend->retry_after_s()));
}

class DocumentSink final : public AnswerSink {
 public:
  explicit DocumentSink(AnswerTo to) : to_(std::move(to)), document_(to_.head) {}

  void on_start(std::uint32_t, std::uint32_t) override {}
  void on_delta(std::uint32_t, const std::vector<Delta>& deltas, const std::vector<ChosenLogprob>&) override {
    document_.add(deltas);
  }
  void on_finish(std::uint32_t, Finish finish, const std::string& stop) override { end_ = {finish, stop}; }

  void on_done(const Usage& usage) override {
    if (end_.finish == Finish::kCancelled) return on_error(cancelled());
    to_.exchange->respond({.body = boost::json::serialize(document_.finish(end_, usage)),
                           .headers = {{"request-id", to_.request_id}}});
    to_.watch->finish();
  }
  void on_error(const Error& error) override {
    respond_error(to_, error);
    to_.watch->finish();
  }

 private:
  const AnswerTo to_;
  MessageDocument document_;
  MessageEnd end_ = {.finish = Finish::kCancelled, .stop = {}};  // until it is told
};

// The head is sent when the prompt has been read: what fails before has its own HTTP status.
class StreamSink final : public AnswerSink {
 public:
  explicit StreamSink(AnswerTo to) : to_(std::move(to)), events_(to_.head) {}

  void on_start(std::uint32_t prompt_tokens, std::uint32_t cached_tokens) override {
    if (std::exchange(begun_, true)) return;
    http::Response head = http::sse_head();
    head.body = events_.start(prompt_tokens, cached_tokens);
    head.headers.emplace_back("request-id", to_.request_id);
    to_.exchange->begin_stream(std::move(head));
  }
  void on_delta(std::uint32_t, const std::vector<Delta>& deltas, const std::vector<ChosenLogprob>&) override {
    on_start(0, 0);
    std::string events = events_.deltas(deltas);
    if (events.empty()) return;
    to_.exchange->write(std::move(events));
    to_.watch->check(*to_.exchange);
  }
  void on_finish(std::uint32_t, Finish finish, const std::string& stop) override { end_ = {finish, stop}; }

  void on_done(const Usage& usage) override {
    if (end_.finish == Finish::kCancelled) return on_error(cancelled());
    on_start(usage.prompt_tokens, usage.cached_tokens);
    to_.exchange->write(events_.finish(end_, usage));
    end();
  }
  void on_error(const Error& error) override {
    if (!begun_) {
      respond_error(to_, error);
      return to_.watch->finish();
    }
    to_.exchange->write(error_event(error_document(error, to_.request_id)));
    end();
  }

 private:
  void end() {
    to_.exchange->end_stream();
    to_.watch->finish();
  }

  const AnswerTo to_;
  MessageEvents events_;
  MessageEnd end_ = {.finish = Finish::kCancelled, .stop = {}};  // until it is told
  bool begun_ = false;
};

}  // namespace

std::shared_ptr<AnswerSink> make_document_sink(AnswerTo to) {
  return std::make_shared<DocumentSink>(std::move(to));
}

std::shared_ptr<AnswerSink> make_stream_sink(AnswerTo to) {
  return std::make_shared<StreamSink>(std::move(to));
}

}  // namespace cistern::serve::anthropic
