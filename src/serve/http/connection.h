// A client's socket: moves bytes between it and its session. All of it runs on the connection's strand, which
// the socket completes on. Included by server.cc alone, for Asio compiles slowly. A connection is held by its
// pending operations and is gone when they end.
#pragma once

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/strand.hpp>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "serve/http/connection_table.h"
#include "serve/http/session.h"

namespace cistern::serve::http {

using Strand = boost::asio::strand<boost::asio::io_context::executor_type>;
using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Strand>;
using TlsStream = boost::asio::ssl::stream<Socket>;

// Stream: Socket or TlsStream.
template <class Stream>
class Connection final : public OpenConnection,
                         public Wakeable,
                         public std::enable_shared_from_this<Connection<Stream>> {
 public:
  Connection(Stream stream, const Site& site, ConnectionTable& table)
      : table_(table),
        handshake_time_(site.limits.head_time),
        stream_(std::move(stream)),
        session_(site, *this) {}
  ~Connection() override { table_.remove(this); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // REQUIRES: called once, on the strand, and the table knows the connection.
  void start() {
    if constexpr (kIsTls) {
      set_deadline(Clock::now() + handshake_time_);
      stream_.async_handshake(boost::asio::ssl::stream_base::server, [self = self()](const auto& error) {
        self->is_open_ = !error && self->stream_.lowest_layer().is_open();
        self->advance();
      });
    } else {
      is_open_ = true;
      advance();
    }
  }

  void wake() override {
    post([](Connection& c) { c.session_.woken(); });
  }
  void post_stop() override {
    post([](Connection& c) { c.session_.stop(); });
  }
  void post_close() override {
    set_idle_since(Clock::time_point::max());  // it is not to be chosen again
    post([](Connection& c) { c.session_.failed(); });
  }
  void post_expired() override {
    post([](Connection& c) {
      if (c.deadline() > Clock::now()) return;
      c.is_open_ ? c.session_.expired() : c.session_.failed();
    });
  }

 private:
  static constexpr bool kIsTls = std::is_same_v<Stream, TlsStream>;
  static constexpr std::size_t kLargeBufferBytes = 64 << 10;

  std::shared_ptr<Connection> self() { return this->shared_from_this(); }

  template <class Call>
  void post(Call call) {
    // Weak: whoever posts must not become the last owner, who may not be a thread of the server.
    boost::asio::post(stream_.get_executor(), [weak = this->weak_from_this(), call] {
      const auto self = weak.lock();
      if (!self) return;
      call(*self);
      self->advance();
    });
  }

  // Begins what the session wants after any event.
  void advance() {
    if (session_.is_closed() || !is_open_) return close();
    if (session_.is_lingering()) shut_down();
    begin_write();
    begin_read();
    set_deadline(session_.deadline());
    set_idle_since(session_.is_idle() ? session_.deadline() : Clock::time_point::max());
  }

  void begin_write() {
    if (is_writing_) return;
    std::array<std::string_view, 8> views;
    const std::size_t count = session_.gather(views);
    if (count == 0) return;
    std::array<boost::asio::const_buffer, 8> buffers;
    std::transform(views.begin(), views.begin() + count, buffers.begin(),
                   [](std::string_view view) { return boost::asio::const_buffer(view.data(), view.size()); });
    is_writing_ = true;
    stream_.async_write_some(buffers, [self = self()](const auto& error, std::size_t bytes) {
      self->is_writing_ = false;
      error ? self->session_.failed() : self->session_.written(bytes);
      self->advance();
    });
  }

  void begin_read() {
    if (is_reading_ || !session_.wants_bytes()) return;
    // A large buffer is worth its memory while a body comes; thousands of idle connections have the small
    // one.
    if (session_.is_reading_body()) {
      large_buffer_.resize(kLargeBufferBytes);
    } else {
      std::vector<char>().swap(large_buffer_);
    }
    const auto buffer =
        large_buffer_.empty() ? boost::asio::buffer(small_buffer_) : boost::asio::buffer(large_buffer_);
    is_reading_ = true;
    stream_.async_read_some(buffer, [self = self(), buffer](const auto& error, std::size_t bytes) {
      self->is_reading_ = false;
      if (bytes > 0) self->session_.received({static_cast<const char*>(buffer.data()), bytes});
      if (error) self->is_end(error) ? self->session_.peer_closed() : self->session_.failed();
      self->advance();
    });
  }

  static bool is_end(const boost::system::error_code& error) {
    return error == boost::asio::error::eof || error == boost::asio::ssl::error::stream_truncated;
  }

  // Tells the client that nothing more comes, so that it closes; what it has sent meanwhile is read and
  // thrown away, since an unread byte would make the system forget the answer.
  void shut_down() {
    if (std::exchange(is_shut_down_, true)) return;
    boost::system::error_code ignored;
    if constexpr (kIsTls) {
      stream_.async_shutdown([self = self()](const auto&) {
        self->session_.failed();
        self->advance();
      });
    } else {
      stream_.shutdown(Socket::shutdown_send, ignored);
    }
  }

  void close() {
    session_.failed();
    boost::system::error_code ignored;
    stream_.lowest_layer().close(ignored);
    is_open_ = false;
    table_.remove(this);
  }

  ConnectionTable& table_;
  const std::chrono::milliseconds handshake_time_;
  Stream stream_;
  Session session_;
  bool is_open_ = false;  // and the handshake done
  bool is_reading_ = false;
  bool is_writing_ = false;
  bool is_shut_down_ = false;
  std::array<char, 1024> small_buffer_;
  std::vector<char> large_buffer_;
};

}  // namespace cistern::serve::http
