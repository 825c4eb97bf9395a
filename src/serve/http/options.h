// What a server is told when it starts: where it listens, what it allows and what it limits. The defaults are
// those of the command. Plain values; docs/http.md has the table of limits with reasons.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace cistern::serve::http {

struct Limits {
  std::size_t head_bytes = 16 << 10;         // request line and headers; 431
  std::size_t body_bytes = 64 << 20;         // 413
  std::size_t all_bodies_bytes = 512 << 20;  // bodies of all requests that run; 503
  std::size_t unsent_bytes = 8 << 20;        // of one stream, then its client is cut off
  std::size_t connections = 10'000;          // then the longest idle one is closed, or the new one gets a 503
  std::chrono::milliseconds head_time{10'000};  // from its first byte to its last; 408
  std::chrono::milliseconds body_stall{
      10'000};  // a body has to bring body_progress_bytes (or its end) in this
  std::size_t body_progress_bytes = 4 << 10;
  std::chrono::milliseconds idle_time{75'000};    // between requests
  std::chrono::milliseconds write_stall{60'000};  // a client takes nothing of what waits for it
  std::chrono::milliseconds linger{2'000};        // after the last answer, for the client to close
  std::chrono::milliseconds sse_silence{15'000};  // then a comment is sent, so that no proxy cuts the stream
};

// Who may ask. A browser is the adversary here: it runs pages of other sites on this machine.
struct AccessRules {
  std::vector<std::string> api_keys;      // any of them; none: no key is asked for
  std::vector<std::string> open_paths;    // answered without a key
  std::vector<std::string> host_names;    // of Host, beside IP addresses and localhost; "*": any
  std::vector<std::string> cors_origins;  // "https://example.org"; "*": any
};

// PEM files; both or none.
struct TlsFiles {
  std::string certificate;  // with the chain behind it
  std::string key;
};

// One line of the access log. There is no query and no body in it on purpose.
struct AccessRecord {
  std::string_view method;  // empty: the request could not be read
  std::string_view path;
  unsigned status = 0;      // 0: the client left before there was one
  std::uint64_t bytes = 0;  // sent, with heads
  double seconds = 0;       // from the first byte of the request to the last of the answer
};

// The body of an error, in the shape of the protocol that `path` belongs to: JSON. Thread-safe.
using ErrorBody =
    std::function<std::string(unsigned status, std::string_view message, std::string_view path)>;
using AccessLog = std::function<void(const AccessRecord&)>;

struct ServerOptions {
  std::string host = "127.0.0.1";  // an address, or "localhost": both loopback addresses
  std::uint16_t port = 8080;       // 0: one that is free
  unsigned threads = 2;
  Limits limits = {};
  AccessRules access = {};
  TlsFiles tls = {};
  ErrorBody error_body = {};  // nothing: error_body() of error_body.h
  AccessLog access_log = {};
};

}  // namespace cistern::serve::http
