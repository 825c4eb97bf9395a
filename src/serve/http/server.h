// An HTTP/1.1 server on threads of its own: it listens, applies limits and access rules, and hands complete
// requests to a handler. Knows nothing of models. start() and stop() are for one owner; the handler is called
// from the server's threads, several at a time. Handlers may keep exchanges longer than the server lives.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "serve/http/exchange.h"
#include "serve/http/options.h"

namespace cistern::serve::http {

class Server {
 public:
  // Listens when it returns.
  static Result<std::unique_ptr<Server>> start(ServerOptions options, Handler handler);
  ~Server();  // stop(0)
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // No new connections; idle ones are closed; exchanges that run may finish until `grace` has passed, then
  // they are closed, too. Returns when all is ended. REQUIRES: not called by a handler.
  void stop(std::chrono::milliseconds grace);

  std::uint16_t port() const;
  std::vector<std::string> urls() const;  // "http://127.0.0.1:8080"
  std::size_t connection_count() const;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cistern::serve::http
