// What a handler and the session of its client share about one exchange: the request, and a mailbox for the
// answer. The handler's side (through ExchangeHandle) is called from any thread, the session's side from the
// connection's strand. Lives as long as either side needs it.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "serve/http/body_budget.h"
#include "serve/http/exchange.h"

namespace cistern::serve::http {

// Who is told that a mailbox has something: the connection. Called with the mailbox locked: must only post.
class Wakeable {
 public:
  virtual ~Wakeable() = default;
  virtual void wake() = 0;
};

class SharedExchange {
 public:
  struct Setup {
    Request request;
    BodyLease lease;
    Wakeable* connection = nullptr;  // outlives close() or complete(), one of which is always called
    std::size_t most_unsent_bytes = 0;
  };
  explicit SharedExchange(Setup setup);

  const Request& request() const { return request_; }

  // The handler's side, see exchange.h.
  void respond(Response response);
  void begin_stream(Response head);
  void write(std::string piece);
  void end_stream();
  void drop();  // the handler has let go of the exchange
  std::size_t unsent_bytes() const;
  bool is_closed() const;
  void on_closed(std::function<void()> call);

  // The session's side.
  struct Outgoing {
    std::optional<Response> head;
    bool streaming = false;  // of head
    std::string pieces;
    bool ended = false;
    bool lost = false;  // dropped before its end, or its client is too slow: nothing more can follow
  };
  Outgoing take();
  void set_queued_bytes(std::size_t bytes);  // taken and not yet sent
  void complete();                           // all is sent: on_closed() will not happen
  void close();                              // the client has gone

 private:
  enum class State { kOpen, kStreaming, kEnded, kDropped, kOverflown };
  void post();  // wakes the session, unless it is about to look anyway; with the lock held

  const Request request_;
  const BodyLease lease_;
  const std::size_t most_unsent_bytes_;

  mutable std::mutex mutex_;  // of all below
  Wakeable* connection_;
  State state_ = State::kOpen;
  bool streaming_ = false;
  bool closed_ = false;
  bool complete_ = false;
  bool woken_ = true;  // the session looks by itself when the handler returns
  std::optional<Response> head_;
  std::string pieces_;
  std::size_t queued_bytes_ = 0;
  std::function<void()> on_closed_;
};

// The Exchange that handlers get.
class ExchangeHandle final : public Exchange {
 public:
  explicit ExchangeHandle(std::shared_ptr<SharedExchange> shared) : shared_(std::move(shared)) {}
  ~ExchangeHandle() override { shared_->drop(); }
  ExchangeHandle(const ExchangeHandle&) = delete;
  ExchangeHandle& operator=(const ExchangeHandle&) = delete;

  const Request& request() const override { return shared_->request(); }
  void respond(Response response) override { shared_->respond(std::move(response)); }
  void begin_stream(Response head) override { shared_->begin_stream(std::move(head)); }
  void write(std::string piece) override { shared_->write(std::move(piece)); }
  void end_stream() override { shared_->end_stream(); }
  std::size_t unsent_bytes() const override { return shared_->unsent_bytes(); }
  bool is_closed() const override { return shared_->is_closed(); }
  void on_closed(std::function<void()> call) override { shared_->on_closed(std::move(call)); }

 private:
  const std::shared_ptr<SharedExchange> shared_;
};

}  // namespace cistern::serve::http
