#include "support/fake_exchange.h"

#include <gtest/gtest.h>

#include <utility>

namespace cistern::testing {

namespace http = serve::http;

std::shared_ptr<FakeExchange> FakeExchange::get(std::string path) {
  return std::make_shared<FakeExchange>(http::Request{.method = "GET", .path = std::move(path)});
}

std::shared_ptr<FakeExchange> FakeExchange::post(std::string path, std::string body) {
  return std::make_shared<FakeExchange>(http::Request{.method = "POST",
                                                      .path = std::move(path),
                                                      .headers = {{"content-type", "application/json"}},
                                                      .body = std::move(body)});
}

void FakeExchange::respond(http::Response response) {
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(state_, State::kNothing) << "a second answer: " << response.body;
  state_ = State::kComplete;
  if (!closed_) head_ = std::move(response);
  completed_.notify_all();
}

void FakeExchange::begin_stream(http::Response head) {
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(state_, State::kNothing) << "a second answer";
  state_ = State::kStream;
  stream_ = true;
  if (closed_) return;
  if (!head.body.empty()) pieces_.push_back(std::exchange(head.body, {}));
  head_ = std::move(head);
}

void FakeExchange::write(std::string piece) {
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(state_, State::kStream) << "a piece outside of a stream: " << piece;
  if (!closed_ && !piece.empty()) pieces_.push_back(std::move(piece));
}

void FakeExchange::end_stream() {
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(state_, State::kStream) << "an end without a beginning";
  state_ = State::kComplete;
  completed_.notify_all();
}

std::size_t FakeExchange::unsent_bytes() const {
  const std::lock_guard lock(mutex_);
  return unsent_bytes_;
}

bool FakeExchange::is_closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

void FakeExchange::on_closed(std::function<void()> call) {
  {
    const std::lock_guard lock(mutex_);
    if (!closed_) {
      on_closed_ = std::move(call);
      return;
    }
  }
  call();
}

void FakeExchange::close() {
  std::function<void()> call;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(closed_, true) || state_ == State::kComplete) return;
    call = std::exchange(on_closed_, nullptr);
  }
  if (call) call();
}

void FakeExchange::set_unsent_bytes(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  unsent_bytes_ = bytes;
}

void FakeExchange::wait() {
  std::unique_lock lock(mutex_);
  completed_.wait(lock, [&] { return state_ == State::kComplete; });
}

bool FakeExchange::is_complete() const {
  const std::lock_guard lock(mutex_);
  return state_ == State::kComplete;
}

bool FakeExchange::is_stream() const {
  const std::lock_guard lock(mutex_);
  return stream_;
}

unsigned FakeExchange::status() const {
  const std::lock_guard lock(mutex_);
  return head_.status;
}

std::string FakeExchange::content_type() const {
  const std::lock_guard lock(mutex_);
  return head_.content_type;
}

std::string FakeExchange::header(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, value] : head_.headers)
    if (key == name) return value;
  return {};
}

std::string FakeExchange::body() const {
  const std::lock_guard lock(mutex_);
  std::string all = head_.body;
  for (const std::string& piece : pieces_) all += piece;
  return all;
}

std::vector<std::string> FakeExchange::pieces() const {
  const std::lock_guard lock(mutex_);
  return pieces_;
}

std::vector<SseEvent> sse_events(std::string_view body) {
  std::vector<SseEvent> events;
  SseEvent event;
  while (!body.empty()) {
    const std::size_t end = body.find('\n');
    if (end == std::string_view::npos) {
      ADD_FAILURE() << "an unfinished line: " << body;
      break;
    }
    const std::string_view line = body.substr(0, end);
    body.remove_prefix(end + 1);
    if (line.empty()) {
      events.push_back(std::exchange(event, {}));
    } else if (line.starts_with("event: ")) {
      event.event = line.substr(7);
    } else if (line.starts_with("data: ")) {
      event.data += (event.data.empty() ? "" : "\n") + std::string(line.substr(6));
    } else if (!line.starts_with(':')) {
      ADD_FAILURE() << "no field of an event: " << line;
    }
  }
  EXPECT_EQ(event, SseEvent()) << "an event without the empty line that ends it: " << event.data;
  return events;
}

}  // namespace cistern::testing
