// One client's side of HTTP/1.1 without sockets: bytes in, bytes out, one request after the other, deadlines.
// A connection (connection.h) or a test moves the bytes, asks after every event what is wanted next, and
// calls expired() when the deadline has passed. Not thread-safe: all calls come from the connection's strand.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "serve/http/options.h"
#include "serve/http/request_reader.h"
#include "serve/http/shared_exchange.h"

namespace cistern::serve::http {

// What all sessions of a server share; outlives them.
struct Site {
  Limits limits;
  AccessRules access;
  ErrorBody error_body;
  AccessLog access_log;  // may be empty
  Handler handler;
  std::shared_ptr<BodyBudget> bodies;
};

class Session {
 public:
  using Clock = std::chrono::steady_clock;

  Session(const Site& site, Wakeable& connection);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // What happened.
  void received(std::string_view bytes);
  void peer_closed();  // no more bytes will come
  void failed();       // nor can any be sent
  void woken();        // the exchange has something to send
  void expired();      // deadline() has passed
  void stop();         // begin nothing new; what runs may finish

  // What is wanted. `views` are valid until the next event; returns how many there are.
  std::size_t gather(std::span<std::string_view> views) const;
  void written(std::size_t bytes);  // from the front of what gather() gave
  bool wants_bytes() const;
  bool is_reading_body() const { return phase_ == Phase::kBody; }
  bool is_idle() const { return phase_ == Phase::kIdle; }
  // All is sent: to be told to the client, whose close is awaited.
  bool is_lingering() const { return phase_ == Phase::kLingering; }
  bool is_closed() const { return phase_ == Phase::kClosed; }
  Clock::time_point deadline() const;

 private:
  enum class Phase { kIdle, kHead, kBody, kAnswering, kLingering, kClosed };

  void consume(std::string_view bytes);
  std::size_t feed(std::string_view bytes);
  void judge_head();
  void begin_exchange();
  void refuse(const Refusal& refusal);
  void answer_whole(Response response);
  void begin_answer(Response head, bool streaming, std::string pieces);
  void push_pieces(std::string pieces);
  void end_answer();
  void pump();
  void finish_answer();
  void log() const;
  void push(std::string bytes);
  void enter(Phase phase);
  void close();

  const Site& site_;
  Wakeable& connection_;
  Phase phase_ = Phase::kIdle;
  Clock::time_point since_ = Clock::now();  // of the phase, or of the last progress in it
  std::unique_ptr<RequestReader> reader_;   // of a request that is being read
  std::size_t body_mark_ = 0;               // bytes of the body at since_
  std::string pipelined_;                   // came while an answer was being given
  std::shared_ptr<SharedExchange> exchange_;

  struct Answer {
    std::string method, path;
    Headers cors;
    Clock::time_point begin;
    unsigned status = 0;
    std::uint64_t sent_bytes = 0;
    bool http11 = true;
    bool keep_alive = false;
    bool begun = false;
    bool chunked = false;
    bool is_sse = false;
    bool at_event_end = true;  // a comment may be sent here
    bool ended = false;        // all of it is in out_
  };
  std::unique_ptr<Answer> answer_;  // from the first byte of the request to the last of the answer
  std::list<std::string> out_;
  std::size_t front_sent_ = 0;  // of out_.front()
  std::size_t out_bytes_ = 0;
  bool peer_closed_ = false;
  bool stopping_ = false;
};

}  // namespace cistern::serve::http
