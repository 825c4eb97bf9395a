#include "serve/http/shared_exchange.h"

#include <utility>

#include "base/check.h"

namespace cistern::serve::http {

SharedExchange::SharedExchange(Setup setup)
    : request_(std::move(setup.request)),
      lease_(std::move(setup.lease)),
      most_unsent_bytes_(setup.most_unsent_bytes),
      connection_(setup.connection) {}

void SharedExchange::respond(Response response) {
  const std::scoped_lock lock(mutex_);
  CISTERN_CHECK(state_ == State::kOpen);  // else it is answered twice
  state_ = State::kEnded;
  if (closed_) return;
  head_ = std::move(response);
  post();
}

void SharedExchange::begin_stream(Response head) {
  const std::scoped_lock lock(mutex_);
  CISTERN_CHECK(state_ == State::kOpen);  // else it is answered twice
  state_ = State::kStreaming;
  streaming_ = true;
  if (closed_) return;
  pieces_ = std::exchange(head.body, {});
  head_ = std::move(head);
  post();
}

void SharedExchange::write(std::string piece) {
  const std::scoped_lock lock(mutex_);
  if (closed_ || state_ != State::kStreaming || piece.empty()) return;
  if (queued_bytes_ + pieces_.size() + piece.size() > most_unsent_bytes_) {
    state_ = State::kOverflown;
  } else if (pieces_.empty()) {
    pieces_ = std::move(piece);
  } else {
    pieces_ += piece;
  }
  post();
}

void SharedExchange::end_stream() {
  const std::scoped_lock lock(mutex_);
  if (state_ != State::kStreaming) return;
  state_ = State::kEnded;
  post();
}

void SharedExchange::drop() {
  const std::scoped_lock lock(mutex_);
  if (state_ != State::kOpen && state_ != State::kStreaming) return;
  state_ = State::kDropped;
  post();
}

std::size_t SharedExchange::unsent_bytes() const {
  const std::scoped_lock lock(mutex_);
  return queued_bytes_ + pieces_.size() + (head_ ? head_->body.size() : 0);
}

bool SharedExchange::is_closed() const {
  const std::scoped_lock lock(mutex_);
  return closed_;
}

void SharedExchange::on_closed(std::function<void()> call) {
  std::unique_lock lock(mutex_);
  if (complete_) return;
  if (!closed_) {
    on_closed_ = std::move(call);
    return;
  }
  lock.unlock();
  call();
}

SharedExchange::Outgoing SharedExchange::take() {
  const std::scoped_lock lock(mutex_);
  woken_ = false;
  Outgoing outgoing{.head = std::exchange(head_, std::nullopt),
                    .streaming = streaming_,
                    .pieces = std::exchange(pieces_, {}),
                    .ended = state_ == State::kEnded,
                    .lost = state_ == State::kDropped || state_ == State::kOverflown};
  queued_bytes_ += outgoing.pieces.size() + (outgoing.head ? outgoing.head->body.size() : 0);
  return outgoing;
}

void SharedExchange::set_queued_bytes(std::size_t bytes) {
  const std::scoped_lock lock(mutex_);
  queued_bytes_ = bytes;
}

void SharedExchange::complete() {
  std::function<void()> unused;  // may own the handle of this very exchange: destroyed without the lock
  const std::scoped_lock lock(mutex_);
  complete_ = true;
  connection_ = nullptr;
  unused = std::exchange(on_closed_, nullptr);
}

void SharedExchange::close() {
  std::unique_lock lock(mutex_);
  if (closed_ || complete_) return;
  closed_ = true;
  connection_ = nullptr;
  head_.reset();
  std::string().swap(pieces_);
  queued_bytes_ = 0;
  const std::function<void()> call = std::exchange(on_closed_, nullptr);
  lock.unlock();
  if (call) call();
}

void SharedExchange::post() {
  if (connection_ == nullptr || std::exchange(woken_, true)) return;
  connection_->wake();
}

}  // namespace cistern::serve::http
