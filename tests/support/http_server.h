// An HTTP server on this machine for tests, on a port that the system picks, that answers as its handler
// says: whole, cut, stalled, wrong. Every connection carries one request and has a thread of its own; the
// handler is called on it. All threads end with the object, whatever a handler waits for.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace cistern::testing {

struct ServerRequest {
  std::string target;                          // "/api/models/..."
  std::map<std::string, std::string> headers;  // names in lower case

  std::string header(const std::string& name) const;  // empty: absent
};

class ServerConnection {
 public:
  explicit ServerConnection(int socket) : socket_(socket) {}
  bool send(std::string_view bytes) const;  // false: the client is gone
  void hold() const;                        // until the client goes or the server ends

 private:
  int socket_;
};

class HttpServer {
 public:
  using Handler = std::function<void(const ServerRequest&, const ServerConnection&)>;

  explicit HttpServer(Handler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::string url(std::string_view target = "") const;  // "http://127.0.0.1:PORT" + target
  std::vector<ServerRequest> requests() const;          // so far

 private:
  void accept_all();
  void serve(int socket);

  Handler handler_;
  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  bool stopping_ = false;
  std::vector<ServerRequest> requests_;
  std::vector<int> open_;
  std::list<std::thread> threads_;
  std::thread acceptor_;
};

// "HTTP/1.1 STATUS ...", these lines ("ETag: x"), Connection: close and an empty line.
std::string http_head(int status, const std::vector<std::string>& headers);
// A whole answer with its Content-Length.
std::string http_answer(int status, std::string_view body, const std::vector<std::string>& headers = {});
// `file`, or the rest of it that the request asks for (206), as servers of files do; If-Range is honoured.
std::string file_answer(const ServerRequest& request, std::string_view file, const std::string& etag = {});

}  // namespace cistern::testing
