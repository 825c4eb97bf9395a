// An Exchange without a network, for tests of handlers: it holds a request and keeps what is answered. A test
// may let the client go (close()) or read slowly (set_unsent_bytes()). What the contract of Exchange forbids
// (two answers, pieces before the head or behind the end) fails the test. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "serve/http/exchange.h"

namespace cistern::testing {

class FakeExchange final : public serve::http::Exchange {
 public:
  explicit FakeExchange(serve::http::Request request) : request_(std::move(request)) {}
  static std::shared_ptr<FakeExchange> get(std::string path);
  static std::shared_ptr<FakeExchange> post(std::string path, std::string body);

  // What the handler sees.
  const serve::http::Request& request() const override { return request_; }
  void respond(serve::http::Response response) override;
  void begin_stream(serve::http::Response head) override;
  void write(std::string piece) override;
  void end_stream() override;
  std::size_t unsent_bytes() const override;
  bool is_closed() const override;
  void on_closed(std::function<void()> call) override;

  // What a client does.
  void close();  // calls what on_closed() left, on this thread
  void set_unsent_bytes(std::size_t bytes);
  void wait();  // until the answer is complete

  // What was answered so far.
  bool is_complete() const;
  bool is_stream() const;
  unsigned status() const;  // 0: nothing yet
  std::string content_type() const;
  std::string header(std::string_view name) const;  // of the answer, as the handler spelled it; else empty
  std::string body() const;                         // pieces of a stream one behind the other
  std::vector<std::string> pieces() const;          // of a stream; none is empty

 private:
  enum class State { kNothing, kStream, kComplete };

  const serve::http::Request request_;
  mutable std::mutex mutex_;
  std::condition_variable completed_;
  State state_ = State::kNothing;
  bool stream_ = false;
  bool closed_ = false;
  std::size_t unsent_bytes_ = 0;
  serve::http::Response head_{.status = 0, .content_type = {}, .body = {}};
  std::vector<std::string> pieces_;
  std::function<void()> on_closed_;
};

// An event of a stream of server-sent events.
struct SseEvent {
  std::string event;  // empty: none was named
  std::string data;

  friend bool operator==(const SseEvent&, const SseEvent&) = default;
};

// The events of a whole stream. What is no complete event of such fields fails the test.
std::vector<SseEvent> sse_events(std::string_view body);

}  // namespace cistern::testing
