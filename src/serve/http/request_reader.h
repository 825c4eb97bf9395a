// Reads one request from bytes as they come, by Boost.Beast's parser and stricter than it: whatever two
// readers could understand differently (request smuggling) is refused. A session makes one per request. Has
// no sockets and no clock. Not thread-safe.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <string_view>

#include "serve/http/body_budget.h"
#include "serve/http/options.h"
#include "serve/http/refusal.h"

namespace cistern::serve::http {

class RequestReader {
 public:
  RequestReader(const Limits& limits, std::shared_ptr<BodyBudget> budget);
  ~RequestReader();
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;

  // Takes what belongs to the request and returns how much that was. Stops behind the head, so that it can be
  // judged before its body is read. After a refusal the reader is of no use but for head().
  std::expected<std::size_t, Refusal> feed(std::string_view bytes);

  bool has_head() const;  // head() is complete
  bool is_done() const;   // so is the body
  std::size_t body_bytes() const;

  struct Head {
    Request request;  // without its body
    bool http11 = false;
    bool keep_alive = false;
    bool expects_continue = false;
  };
  // As far as it has been read.
  const Head& head() const;

  // REQUIRES: is_done(). The request with its body, and the memory it is counted with.
  Request take_request();
  BodyLease take_lease();

 private:
  struct Parser;
  std::expected<std::size_t, Refusal> feed_head(std::string_view bytes);
  std::expected<std::size_t, Refusal> feed_body(std::string_view bytes);
  std::expected<void, Refusal> finish_head();
  std::expected<void, Refusal> check_framing();

  const std::size_t head_limit_;
  std::unique_ptr<Parser> parser_;
};

}  // namespace cistern::serve::http
