#include "serve/http/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "serve/http/access.h"
#include "serve/http/response_head.h"

namespace cistern::serve::http {
namespace {

// Of requests that come before the answer to an earlier one; then nothing more is read.
constexpr std::size_t kMostPipelinedBytes = 64 << 10;
constexpr std::string_view kKeepAliveComment = ": keep-alive\n\n";

bool has_body(unsigned status) {
  return status >= 200 && status != 204 && status != 304;
}

}  // namespace

Session::Session(const Site& site, Wakeable& connection) : site_(site), connection_(connection) {}

Session::~Session() {
  close();
}

// --- What happened.

void Session::received(std::string_view bytes) {
  switch (phase_) {
    case Phase::kIdle:
    case Phase::kHead:
    case Phase::kBody:
      return consume(bytes);
    case Phase::kAnswering:
      pipelined_ += bytes;
      return;
    case Phase::kLingering:
    case Phase::kClosed:
      return;
  }
}

void Session::peer_closed() {
  peer_closed_ = true;
  if (phase_ != Phase::kAnswering) return close();
  pump();
  if (phase_ == Phase::kAnswering && !answer_->ended) close();
}

void Session::failed() {
  close();
}

void Session::woken() {
  if (phase_ == Phase::kAnswering) pump();
}

void Session::expired() {
  switch (phase_) {
    case Phase::kHead:
    case Phase::kBody:
      if (out_bytes_ > 0) return close();
      return refuse({408, "the request did not come in time"});
    case Phase::kAnswering:
      if (out_bytes_ > 0 || !answer_->is_sse) return close();
      return push_pieces(std::string(kKeepAliveComment));
    case Phase::kIdle:
    case Phase::kLingering:
    case Phase::kClosed:
      return close();
  }
}

void Session::stop() {
  stopping_ = true;
  if (phase_ != Phase::kAnswering && phase_ != Phase::kBody) close();
}

// --- What is wanted.

std::size_t Session::gather(std::span<std::string_view> views) const {
  std::size_t count = 0;
  for (auto piece = out_.begin(); piece != out_.end() && count < views.size(); ++piece) {
    views[count] = *piece;
    if (count == 0) views[0].remove_prefix(front_sent_);
    ++count;
  }
  return count;
}

void Session::written(std::size_t bytes) {
  if (phase_ == Phase::kClosed) return;
  since_ = Clock::now();
  out_bytes_ -= bytes;
  if (answer_) answer_->sent_bytes += bytes;
  bytes += front_sent_;
  while (!out_.empty() && bytes >= out_.front().size()) {
    bytes -= out_.front().size();
    out_.pop_front();
  }
  front_sent_ = bytes;
  if (exchange_) exchange_->set_queued_bytes(out_bytes_);
  if (out_bytes_ == 0 && phase_ == Phase::kAnswering && answer_->ended) finish_answer();
}

bool Session::wants_bytes() const {
  if (peer_closed_ || phase_ == Phase::kClosed) return false;
  return phase_ != Phase::kAnswering || pipelined_.size() < kMostPipelinedBytes;
}

Session::Clock::time_point Session::deadline() const {
  const Limits& limits = site_.limits;
  if (phase_ == Phase::kLingering) return since_ + limits.linger;
  if (out_bytes_ > 0) return since_ + limits.write_stall;
  switch (phase_) {
    case Phase::kIdle:
      return since_ + limits.idle_time;
    case Phase::kHead:
      return since_ + limits.head_time;
    case Phase::kBody:
      return since_ + limits.body_stall;
    case Phase::kAnswering:
      if (answer_->is_sse && answer_->at_event_end) return since_ + limits.sse_silence;
      return Clock::time_point::max();
    case Phase::kLingering:
    case Phase::kClosed:
      break;
  }
  return Clock::time_point::max();
}

// --- Requests.

void Session::consume(std::string_view bytes) {
  while (!bytes.empty() && (phase_ == Phase::kIdle || phase_ == Phase::kHead || phase_ == Phase::kBody)) {
    bytes.remove_prefix(feed(bytes));
  }
  if (phase_ == Phase::kAnswering) pipelined_ += bytes;
}

std::size_t Session::feed(std::string_view bytes) {
  if (phase_ == Phase::kIdle) {
    reader_ = std::make_unique<RequestReader>(site_.limits, site_.bodies);
    answer_ = std::make_unique<Answer>(Answer{.begin = Clock::now()});
    enter(Phase::kHead);
  }
  const auto taken = reader_->feed(bytes);
  if (!taken) {
    refuse(taken.error());
    return bytes.size();
  }
  if (phase_ == Phase::kHead && reader_->has_head()) judge_head();
  if (phase_ == Phase::kBody) {
    if (reader_->body_bytes() - body_mark_ >= site_.limits.body_progress_bytes) {
      body_mark_ = reader_->body_bytes();
      since_ = Clock::now();
    }
    if (reader_->is_done()) begin_exchange();
  }
  return *taken;
}

void Session::judge_head() {
  const RequestReader::Head& head = reader_->head();
  answer_->method = head.request.method;
  answer_->path = head.request.path;
  answer_->http11 = head.http11;
  answer_->cors = cors_headers(site_.access, head.request);
  // Without its body the next request could not be found.
  answer_->keep_alive = head.keep_alive && reader_->is_done();
  if (const auto refusal = check_access(site_.access, head.request, head.http11)) return refuse(*refusal);
  answer_->keep_alive = head.keep_alive;
  body_mark_ = 0;
  enter(Phase::kBody);
  if (head.expects_continue && !reader_->is_done()) push("HTTP/1.1 100 Continue\r\n\r\n");
}

void Session::begin_exchange() {
  const RequestReader::Head& head = reader_->head();
  enter(Phase::kAnswering);
  if (is_preflight(head.request) && !answer_->cors.empty()) {
    answer_whole(preflight_answer(head.request));
    reader_.reset();
    return;
  }
  exchange_ =
      std::make_shared<SharedExchange>(SharedExchange::Setup{.request = reader_->take_request(),
                                                             .lease = reader_->take_lease(),
                                                             .connection = &connection_,
                                                             .most_unsent_bytes = site_.limits.unsent_bytes});
  reader_.reset();
  site_.handler(std::make_shared<ExchangeHandle>(exchange_));
  pump();
}

// --- Answers.

void Session::refuse(const Refusal& refusal) {
  if (answer_->path.empty()) {  // the head was not judged
    answer_->method = reader_->head().request.method;
    answer_->path = reader_->head().request.path;
  }
  if (phase_ == Phase::kBody) answer_->keep_alive = false;
  reader_.reset();
  enter(Phase::kAnswering);
  answer_whole({.status = refusal.status,
                .body = site_.error_body(refusal.status, refusal.message, answer_->path),
                .headers = refusal.headers});
}

void Session::answer_whole(Response response) {
  begin_answer(std::move(response), false, {});
  end_answer();
}

void Session::begin_answer(Response head, bool streaming, std::string pieces) {
  Answer& answer = *answer_;
  answer.begun = true;
  answer.status = head.status;
  answer.is_sse = streaming && head.content_type.starts_with("text/event-stream");
  answer.chunked = streaming && answer.http11;
  // A client of HTTP/1.0 sees the end of a stream by the end of the connection.
  if (stopping_ || peer_closed_ || (streaming && !answer.http11)) answer.keep_alive = false;
  head.headers.insert(head.headers.end(), answer.cors.begin(), answer.cors.end());
  Framing framing{.content_length = {},
                  .chunked = answer.chunked,
                  .keep_alive = answer.keep_alive,
                  .http11 = answer.http11};
  if (!streaming && has_body(head.status)) framing.content_length = head.body.size();
  std::string text = response_head(head, framing);
  const bool sends_body = answer.method != "HEAD" && has_body(head.status);
  if (!sends_body) answer.chunked = answer.is_sse = false;
  constexpr std::size_t kCopiedBytes = 16 << 10;
  if (sends_body && head.body.size() <= kCopiedBytes) {
    text += head.body;
    head.body.clear();
  }
  push(std::move(text));
  if (sends_body && !head.body.empty()) push(std::move(head.body));
  if (sends_body) push_pieces(std::move(pieces));
}

void Session::push_pieces(std::string pieces) {
  if (pieces.empty()) return;
  answer_->at_event_end = pieces.ends_with("\n\n");
  if (!answer_->chunked) return push(std::move(pieces));
  push(fmt::format("{:x}\r\n{}\r\n", pieces.size(), pieces));
}

void Session::end_answer() {
  if (answer_->chunked) push("0\r\n\r\n");
  answer_->ended = true;
}

// Takes from the exchange what its handler has answered.
void Session::pump() {
  if (!exchange_ || answer_->ended) return;
  SharedExchange::Outgoing outgoing = exchange_->take();
  const bool sends_pieces = answer_->method != "HEAD" && (!answer_->begun || has_body(answer_->status));
  if (outgoing.head) {
    begin_answer(std::move(*outgoing.head), outgoing.streaming, std::move(outgoing.pieces));
  } else if (sends_pieces) {
    push_pieces(std::move(outgoing.pieces));
  }
  if (outgoing.ended) end_answer();
  if (outgoing.lost && answer_->begun) return close();
  if (outgoing.lost) {
    constexpr unsigned kInternalError = 500;
    answer_whole({.status = kInternalError,
                  .body = site_.error_body(kInternalError, "the request was not answered", answer_->path)});
  }
  exchange_->set_queued_bytes(out_bytes_);
}

void Session::finish_answer() {
  log();
  if (exchange_) exchange_->complete();
  exchange_.reset();
  const bool keep_alive = answer_->keep_alive && !stopping_ && !peer_closed_;
  answer_.reset();
  std::string next = std::exchange(pipelined_, {});
  if (!keep_alive) return peer_closed_ ? close() : enter(Phase::kLingering);
  enter(Phase::kIdle);
  consume(next);
}

void Session::log() const {
  if (!site_.access_log || !answer_) return;
  const std::chrono::duration<double> seconds = Clock::now() - answer_->begin;
  site_.access_log({.method = answer_->method,
                    .path = answer_->path,
                    .status = answer_->status,
                    .bytes = answer_->sent_bytes,
                    .seconds = seconds.count()});
}

void Session::push(std::string bytes) {
  if (out_bytes_ == 0) since_ = Clock::now();
  out_bytes_ += bytes.size();
  out_.push_back(std::move(bytes));
}

void Session::enter(Phase phase) {
  phase_ = phase;
  since_ = Clock::now();
}

void Session::close() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  if (answer_ && (answer_->begun || !answer_->path.empty())) log();
  reader_.reset();
  out_.clear();
  out_bytes_ = 0;
  std::string().swap(pipelined_);
  // Last: a handler's call may do anything.
  if (const auto exchange = std::exchange(exchange_, nullptr)) exchange->close();
}

}  // namespace cistern::serve::http
