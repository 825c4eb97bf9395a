// What fetch/ needs of HTTP: one GET whose answer is handed over as it comes, and the rules around it, which
// redirects are followed, who gets the token, what a status means. HttpClient is the seam: curl_client.h is
// the one that connects, tests have one that does not. Single-threaded.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "fetch/url.h"

namespace cistern::fetch {

struct HttpRequest {
  Url url;
  std::string bearer;           // token to send; empty: none
  std::uint64_t from_byte = 0;  // > 0: the rest of the file from here on
  std::string if_range;         // entity tag: the rest only if it is still this file, else the whole
};

struct HttpHead {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string redirect;                                      // where a redirect leads, as a whole address

  std::string_view header(std::string_view name) const;  // of the last one of that name; empty: none
};

// Why a file, or the rest of it, did not come.
struct HttpFailure {
  enum class Kind {
    kFinal,        // trying again would end the same
    kUnreachable,  // no connection
    kCut,          // the connection ended or stalled
    kBusy,         // the server is not well, or we ask too often
  };
  Error error;
  Kind kind = Kind::kFinal;
  int status = 0;     // of the answer; 0: none came
  double wait_s = 0;  // how long the server asks to wait
};

template <class T>
using HttpResult = std::expected<T, HttpFailure>;

// Takes the answer. An error of either ends the exchange and is its result.
struct HttpReceiver {
  std::function<Result<void>(const HttpHead&)> on_head;             // before the first byte
  std::function<Result<void>(std::span<const std::byte>)> on_body;  // in order
};

class HttpClient {
 public:
  virtual ~HttpClient() = default;
  // One exchange; redirects are not followed. The head of the answer, whatever its status.
  virtual HttpResult<HttpHead> get(const HttpRequest& request, const HttpReceiver& receiver) = 0;
};

// A token and the only server that is shown it.
struct Credentials {
  std::string token;   // empty: none
  std::string origin;  // Url::origin()
};

// GETs `request` through at most a few redirects. `receiver` sees only an answer with status 2xx; every other
// one is a failure whose message says what to do.
HttpResult<HttpHead> get_following(HttpClient& client, HttpRequest request, const Credentials& credentials,
                                   const HttpReceiver& receiver);

// What an answer that is no success means.
HttpFailure failure_of(const HttpHead& head, const Url& url, bool with_token);

// "bytes 100-199/200" as {100, 200}; nothing: malformed, or the total is not said.
struct ContentRange {
  std::uint64_t begin = 0;
  std::uint64_t total = 0;
};
std::optional<ContentRange> parse_content_range(std::string_view text);

// A number that is the whole text; nothing: it is none.
std::optional<std::uint64_t> parse_size(std::string_view text);

}  // namespace cistern::fetch
