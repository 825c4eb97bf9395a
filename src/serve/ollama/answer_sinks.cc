#include "serve/ollama/answer_sinks.h"

#include <boost/json/serialize.hpp>
#include <utility>
#include <vector>

#include "serve/error_status.h"
#include "serve/rfc3339.h"

namespace cistern::serve::ollama {
namespace {

namespace json = boost::json;

std::string error_object(const Error& error) {
  return json::serialize(json::object{{"error", client_message(error)}});
}

std::string line(const json::object& object) {
  return json::serialize(object) + "\n";
}

// What all of them do: remember how the answer ended, and take an error for the whole answer.
class Sink : public AnswerSink {
 public:
  explicit Sink(AnswerTo to) : to_(std::move(to)) {}

  void on_start(std::uint32_t, std::uint32_t) override {}
  void on_delta(std::uint32_t, const std::vector<Delta>&, const std::vector<ChosenLogprob>&) override {}
  void on_finish(std::uint32_t, Finish finish, const std::string&) final { finish_ = finish; }

  void on_done(const Usage& usage) final {
    // No "done_reason" tells of this; who has gone away does not read it.
    if (finish_ == Finish::kCancelled)
      return on_error({ErrorCode::kCancelled, "the answer was cancelled before it was complete", {}});
    finish(usage);
    to_.watch->finish();
  }
  void on_error(const Error& error) final {
    tell_error(error);
    to_.watch->finish();
  }

 protected:
  virtual void finish(const Usage& usage) = 0;
  virtual void tell_error(const Error& error) { respond_error(*to_.exchange, *to_.backend, error); }

  AnswerEnd end(const Usage& usage) const { return {finish_, usage, to_.passed_ns()}; }

  const AnswerTo to_;

 private:
  Finish finish_ = Finish::kCancelled;  // until it is told
};

class WholeSink final : public Sink {
 public:
  using Sink::Sink;

  void on_delta(std::uint32_t, const std::vector<Delta>& deltas,
                const std::vector<ChosenLogprob>& logprobs) override {
    answer_.append(collector_.collect(deltas, logprobs));
  }

 protected:
  void finish(const Usage& usage) override {
    answer_.append(collector_.rest());
    to_.exchange->respond(
        {.body = json::serialize(final_object(to_.head(), std::move(answer_), end(usage)))});
  }

 private:
  PieceCollector collector_;
  AnswerPiece answer_;
};

// The head is sent when the prompt has been read: what fails before has its own HTTP status.
class LinesSink final : public Sink {
 public:
  using Sink::Sink;

  void on_start(std::uint32_t, std::uint32_t) override { begin(); }
  void on_delta(std::uint32_t, const std::vector<Delta>& deltas,
                const std::vector<ChosenLogprob>& logprobs) override {
    begin();
    AnswerPiece piece = collector_.collect(deltas, logprobs);
    if (piece.empty()) return;
    to_.exchange->write(line(piece_object(to_.head(), std::move(piece))));
    to_.watch->check(*to_.exchange);
  }

 protected:
  void finish(const Usage& usage) override {
    begin();
    to_.exchange->write(line(final_object(to_.head(), collector_.rest(), end(usage))));
    to_.exchange->end_stream();
  }
  void tell_error(const Error& error) override {
    if (!begun_) return Sink::tell_error(error);
    to_.exchange->write(error_object(error) + "\n");
    to_.exchange->end_stream();
  }

 private:
  void begin() {
    if (!std::exchange(begun_, true)) to_.exchange->begin_stream({.content_type = "application/x-ndjson"});
  }

  PieceCollector collector_;
  bool begun_ = false;
};

class LoadSink final : public Sink {
 public:
  using Sink::Sink;

 protected:
  void finish(const Usage& usage) override {
    to_.exchange->respond(
        {.body = json::serialize(loaded_object(to_.head(), to_.passed_ns(), usage.load_s))});
  }
};

}  // namespace

AnswerHead AnswerTo::head() const {
  return {.endpoint = endpoint, .model = model, .created_at = rfc3339_us(std::chrono::system_clock::now())};
}

std::int64_t AnswerTo::passed_ns() const {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now() - begun).count();
}

std::shared_ptr<AnswerSink> make_whole_sink(AnswerTo to) {
  return std::make_shared<WholeSink>(std::move(to));
}

std::shared_ptr<AnswerSink> make_lines_sink(AnswerTo to) {
  return std::make_shared<LinesSink>(std::move(to));
}

std::shared_ptr<AnswerSink> make_load_sink(AnswerTo to) {
  return std::make_shared<LoadSink>(std::move(to));
}

void respond_error(http::Exchange& exchange, Backend& backend, const Error& error) {
  http::Response response = {.status = status_of(error.code).http, .body = error_object(error)};
  if (error.code == ErrorCode::kBusy)
    response.headers.emplace_back("Retry-After", std::to_string(backend.retry_after_s()));
  exchange.respond(std::move(response));
}

}  // namespace cistern::serve::ollama
