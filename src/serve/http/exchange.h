// One HTTP request and the answer to it: what handlers get from the server and what tests fake. A handler may
// answer at once or keep the exchange and answer later from any thread; writing never blocks. Knows nothing
// of models. Lifetime: shared by the server and the handler; an exchange that is dropped without an answer is
// answered with status 500 by the server.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cistern::serve::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;  // "GET"
  std::string path;    // decoded, without the query: "/v1/models"
  std::string query;   // as sent, without '?'
  Headers headers;     // names in lower case
  std::string body;    // complete, within the server's limit

  std::optional<std::string_view> header(std::string_view name) const;  // the first; name in lower case
};

struct Response {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  Headers headers = {};  // further ones
};

class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual const Request& request() const = 0;

  // The whole answer at once. REQUIRES: nothing was answered yet.
  virtual void respond(Response response) = 0;

  // Or piece by piece, without a known length: the head (its body is the first piece), pieces, the end. After
  // the client has gone they do nothing.
  virtual void begin_stream(Response head) = 0;
  virtual void write(std::string piece) = 0;
  virtual void end_stream() = 0;

  // Written and not yet taken by the network: of a client that reads slower than it is sent to.
  virtual std::size_t unsent_bytes() const = 0;

  // Whether the client has gone before its answer was complete; and a call when that happens (at once, if it
  // has happened), from a thread of the server, at most once.
  virtual bool is_closed() const = 0;
  virtual void on_closed(std::function<void()> call) = 0;
};

// Must not block and must not throw.
using Handler = std::function<void(std::shared_ptr<Exchange>)>;

}  // namespace cistern::serve::http
