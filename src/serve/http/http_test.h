// What tests of the server share: servers on a port that the system picks, and a client that says exactly the
// bytes that it is told. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <condition_variable>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "serve/http/server.h"

namespace cistern::serve::http {

// What a client has read of an answer.
struct Answer {
  unsigned status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;                            // chunks put together
  bool complete = false;                       // its framing says so
};

class TestClient {
 public:
  explicit TestClient(std::uint16_t port) : socket_(io_) {
    socket_.connect({boost::asio::ip::address_v4::loopback(), port});
    socket_.set_option(boost::asio::ip::tcp::no_delay(true));
  }

  // Errors are what the server does to the client: seen when it reads.
  void send(std::string_view bytes) {
    boost::system::error_code ignored;
    boost::asio::write(socket_, boost::asio::buffer(bytes), ignored);
  }

  // Until `mark` is in what was received, or the end of the connection.
  bool read_until(std::string_view mark) {
    while (received_.find(mark) == std::string::npos)
      if (!read_some()) return false;
    return true;
  }
  const std::string& received() const { return received_; }

  // The next answer; one that the connection ends in the middle of is not complete.
  Answer read_answer(bool of_head = false) {
    Answer answer;
    if (!read_until("\r\n\r\n")) return answer;
    parse_head(take(received_.find("\r\n\r\n") + 4), answer);
    if (answer.status == 100) return answer;
    if (of_head || answer.status == 204) {
      answer.complete = true;
    } else if (answer.headers.contains("transfer-encoding")) {
      read_chunks(answer);
    } else if (answer.headers.contains("content-length")) {
      const std::size_t bytes = std::stoul(answer.headers["content-length"]);
      while (received_.size() < bytes && read_some()) {
      }
      answer.complete = received_.size() >= bytes;
      answer.body = take(std::min(bytes, received_.size()));
    } else {
      while (read_some()) {
      }
      answer.body = take(received_.size());
      answer.complete = true;
    }
    return answer;
  }

  Answer ask(std::string_view request) {
    send(request);
    return read_answer();
  }

  // Nothing more comes: true when the server has ended the connection.
  bool is_at_end() { return received_.empty() && !read_some(); }

  void shut_down_sending() { socket_.shutdown(boost::asio::ip::tcp::socket::shutdown_send); }
  void close() { socket_.close(); }
  // The connection ends as if the program had crashed.
  void reset() {
    socket_.set_option(boost::asio::socket_base::linger(true, 0));
    socket_.close();
  }
  void set_receive_buffer(int bytes) {
    socket_.set_option(boost::asio::socket_base::receive_buffer_size(bytes));
  }

 private:
  bool read_some() {
    char bytes[16384];
    boost::system::error_code error;
    const std::size_t count = socket_.read_some(boost::asio::buffer(bytes), error);
    received_.append(bytes, count);
    return !error;
  }

  std::string take(std::size_t bytes) {
    std::string taken = received_.substr(0, bytes);
    received_.erase(0, bytes);
    return taken;
  }

  static void parse_head(std::string_view head, Answer& answer) {
    answer.status = static_cast<unsigned>(std::stoul(std::string(head.substr(9, 3))));
    for (std::size_t at = head.find("\r\n") + 2; at + 2 < head.size();) {
      const std::size_t end = head.find("\r\n", at), colon = head.find(": ", at);
      std::string name(head.substr(at, colon - at));
      for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      answer.headers[name] = head.substr(colon + 2, end - colon - 2);
      at = end + 2;
    }
  }

  void read_chunks(Answer& answer) {
    for (;;) {
      if (!read_until("\r\n")) return;
      const std::size_t size = std::stoul(take(received_.find("\r\n") + 2), nullptr, 16);
      while (received_.size() < size + 2)
        if (!read_some()) return;
      answer.body += take(size);
      take(2);
      if (size != 0) continue;
      answer.complete = true;
      return;
    }
  }

  boost::asio::io_context io_;
  boost::asio::ip::tcp::socket socket_;
  std::string received_;
};

// Exchanges that a handler has got and a test looks at.
class Exchanges {
 public:
  Handler keeper() {
    return [this](std::shared_ptr<Exchange> exchange) {
      const std::scoped_lock lock(mutex_);
      kept_.push_back(std::move(exchange));
      changed_.notify_all();
    };
  }
  // Waits for the next one.
  std::shared_ptr<Exchange> next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !kept_.empty(); });
    auto exchange = std::move(kept_.front());
    kept_.erase(kept_.begin());
    return exchange;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<Exchange>> kept_;
};

// Something that happens a number of times, waited for.
class Event {
 public:
  void happen() {
    const std::scoped_lock lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  void wait(int count = 1) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return count_ >= count; });
  }
  int count() const {
    const std::scoped_lock lock(mutex_);
    return count_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

// Answers with what it was asked.
inline void echo(const std::shared_ptr<Exchange>& exchange) {
  const Request& request = exchange->request();
  exchange->respond({.status = 200,
                     .content_type = "text/plain",
                     .body = request.method + " " + request.path + "?" + request.query + " " + request.body});
}

inline std::unique_ptr<Server> start_server(Handler handler, ServerOptions options = {}) {
  options.port = 0;
  auto server = Server::start(std::move(options), std::move(handler));
  EXPECT_TRUE(server) << describe(server.error());
  return std::move(*server);
}

inline std::string get(std::string_view path, std::string_view more_headers = {}) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(more_headers) + "\r\n";
}

inline std::string post(std::string_view path, std::string_view body, std::string_view more_headers = {}) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(more_headers) + "\r\n" + std::string(body);
}

}  // namespace cistern::serve::http
