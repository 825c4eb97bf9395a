#include "fetch/curl_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "fetch/curl_library.h"

namespace cistern::fetch {
namespace {

constexpr long kStallBytesPerSecond = 1000;
constexpr long kBufferBytes = 512L * 1024;

struct CodeRow {
  CURLcode curl;
  ErrorCode code;
  HttpFailure::Kind kind;
};

constexpr CodeRow kCodeRows[] = {
    {CURLE_COULDNT_RESOLVE_PROXY, ErrorCode::kIo, HttpFailure::Kind::kUnreachable},
    {CURLE_COULDNT_RESOLVE_HOST, ErrorCode::kIo, HttpFailure::Kind::kUnreachable},
    {CURLE_COULDNT_CONNECT, ErrorCode::kIo, HttpFailure::Kind::kUnreachable},
    {CURLE_SSL_CONNECT_ERROR, ErrorCode::kIo, HttpFailure::Kind::kUnreachable},
    {CURLE_OPERATION_TIMEDOUT, ErrorCode::kTimeout, HttpFailure::Kind::kCut},
    {CURLE_PARTIAL_FILE, ErrorCode::kIo, HttpFailure::Kind::kCut},
    {CURLE_GOT_NOTHING, ErrorCode::kIo, HttpFailure::Kind::kCut},
    {CURLE_RECV_ERROR, ErrorCode::kIo, HttpFailure::Kind::kCut},
    {CURLE_SEND_ERROR, ErrorCode::kIo, HttpFailure::Kind::kCut},
    {CURLE_HTTP2, ErrorCode::kIo, HttpFailure::Kind::kCut},
    {CURLE_HTTP2_STREAM, ErrorCode::kIo, HttpFailure::Kind::kCut},
};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\r' || text.back() == '\n' || text.back() == ' '))
    text.remove_suffix(1);
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return result;
}

// One exchange, as libcurl's callbacks see it.
struct Exchange {
  const HttpReceiver& receiver;
  const std::function<bool()>& cancelled;
  HttpHead head;
  bool head_complete = false;
  Result<void> refused;  // by the receiver

  // One line, the empty one at the end included. Interim answers (1xx) have heads, too.
  bool take_header(std::string_view line) {
    if (head_complete) return true;  // a trailer
    if (line.starts_with("HTTP/")) {
      const std::string_view status = line.substr(std::min(line.find(' ') + 1, line.size())).substr(0, 3);
      head = {.status = static_cast<int>(parse_size(status).value_or(0)), .headers = {}, .redirect = {}};
      return true;
    }
    if (const std::string_view text = trimmed(line); !text.empty()) {
      const std::size_t colon = text.find(':');
      if (colon != std::string_view::npos) {
        head.headers.emplace_back(lower(text.substr(0, colon)), trimmed(text.substr(colon + 1)));
      }
      return true;
    }
    if (head.status < 200) return true;
    head_complete = true;
    refused = receiver.on_head(head);
    return refused.has_value();
  }

  bool take_body(std::span<const std::byte> bytes) {
    refused = receiver.on_body(bytes);
    return refused.has_value();
  }
};

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* exchange) {
  const std::size_t bytes = size * count;
  return static_cast<Exchange*>(exchange)->take_header({data, bytes}) ? bytes : 0;
}

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* exchange) {
  const std::size_t bytes = size * count;
  return static_cast<Exchange*>(exchange)->take_body(std::as_bytes(std::span(data, bytes))) ? bytes : 0;
}

int on_progress(void* exchange, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto& cancelled = static_cast<Exchange*>(exchange)->cancelled;
  return cancelled && cancelled() ? 1 : 0;
}

class CurlClient : public HttpClient {
 public:
  CurlClient(std::unique_ptr<CurlLibrary> curl, ConnectOptions options)
      : curl_(std::move(curl)), options_(std::move(options)), easy_(curl_->easy_init()) {}
  CurlClient(const CurlClient&) = delete;
  CurlClient& operator=(const CurlClient&) = delete;
  ~CurlClient() override { curl_->easy_cleanup(easy_); }

  bool usable() const { return easy_ != nullptr; }

  HttpResult<HttpHead> get(const HttpRequest& request, const HttpReceiver& receiver) override {
    Exchange exchange{.receiver = receiver, .cancelled = options_.cancelled, .head = {}, .refused = {}};
    std::array<char, CURL_ERROR_SIZE> reason{};
    curl_slist* headers = nullptr;
    if (!request.if_range.empty())
      headers = curl_->slist_append(headers, ("If-Range: " + request.if_range).c_str());
    curl_->easy_reset(easy_);
    bool good = set_connection(request.url) && set(CURLOPT_ERRORBUFFER, reason.data()) &&
                set(CURLOPT_HTTPHEADER, headers) && set_callbacks(exchange);
    if (request.from_byte > 0)
      good = good && set(CURLOPT_RANGE, fmt::format("{}-", request.from_byte).c_str());
    if (!request.bearer.empty()) {
      good = good && set(CURLOPT_HTTPAUTH, CURLAUTH_BEARER) &&
             set(CURLOPT_XOAUTH2_BEARER, request.bearer.c_str());
    }
    const CURLcode code = good ? curl_->easy_perform(easy_) : CURLE_UNKNOWN_OPTION;
    curl_->slist_free_all(headers);
    curl_->easy_setopt(easy_, CURLOPT_ERRORBUFFER, static_cast<char*>(nullptr));
    if (code != CURLE_OK) return std::unexpected(explain(code, exchange, reason.data(), request.url));
    char* redirect = nullptr;
    curl_->easy_getinfo(easy_, CURLINFO_REDIRECT_URL, &redirect);
    if (redirect != nullptr) exchange.head.redirect = redirect;
    return std::move(exchange.head);
  }

 private:
  template <class Value>
  bool set(CURLoption option, Value value) {
    return curl_->easy_setopt(easy_, option, value) == CURLE_OK;
  }

  bool set_connection(const Url& url) {
    const auto stall_s = static_cast<long>(std::ceil(std::max(options_.stall_s, 1.0)));
    // What is plain text must not leave this machine, whatever a proxy variable says.
    const bool direct = url.scheme == "http";
    return set(CURLOPT_URL, url.text().c_str()) && set(CURLOPT_PROTOCOLS_STR, url.scheme.c_str()) &&
           set(CURLOPT_FOLLOWLOCATION, 0L) && set(CURLOPT_NOSIGNAL, 1L) &&
           set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2)) &&
           set(CURLOPT_USERAGENT, options_.user_agent.c_str()) && set(CURLOPT_CONNECTTIMEOUT, stall_s) &&
           set(CURLOPT_LOW_SPEED_LIMIT, kStallBytesPerSecond) && set(CURLOPT_LOW_SPEED_TIME, stall_s) &&
           set(CURLOPT_BUFFERSIZE, kBufferBytes) && set(CURLOPT_TCP_KEEPALIVE, 1L) &&
           set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) && (!direct || set(CURLOPT_PROXY, "")) &&
           (options_.ca_file.empty() || set(CURLOPT_CAINFO, options_.ca_file.c_str()));
  }

  bool set_callbacks(Exchange& exchange) {
    return set(CURLOPT_HEADERFUNCTION, &on_header) && set(CURLOPT_HEADERDATA, &exchange) &&
           set(CURLOPT_WRITEFUNCTION, &on_body) && set(CURLOPT_WRITEDATA, &exchange) &&
           set(CURLOPT_XFERINFOFUNCTION, &on_progress) && set(CURLOPT_XFERINFODATA, &exchange) &&
           set(CURLOPT_NOPROGRESS, 0L);
  }

  HttpFailure explain(CURLcode code, const Exchange& exchange, std::string_view reason,
                      const Url& url) const {
    const int status = exchange.head.status;
    if (!exchange.refused) return {.error = exchange.refused.error(), .status = status};
    if (code == CURLE_ABORTED_BY_CALLBACK) return {.error = {ErrorCode::kCancelled, "interrupted", {}}};
    const auto* row = std::ranges::find(kCodeRows, code, &CodeRow::curl);
    const bool known = row != std::end(kCodeRows);
    std::string message(reason.empty() ? std::string_view(curl_->easy_strerror(code)) : reason);
    if (code == CURLE_OPERATION_TIMEDOUT)
      message = fmt::format("next to nothing arrived for {:.0f} s", options_.stall_s);
    if (code == CURLE_PEER_FAILED_VERIFICATION)
      message = "the server's certificate is not accepted: " + message;
    return {.error = {known ? row->code : ErrorCode::kIo, std::move(message), url.origin()},
            .kind = known ? row->kind : HttpFailure::Kind::kFinal,
            .status = status};
  }

  std::unique_ptr<CurlLibrary> curl_;
  ConnectOptions options_;
  CURL* easy_;
};

}  // namespace

Result<std::unique_ptr<HttpClient>> make_curl_client(ConnectOptions options) {
  CISTERN_TRY(auto curl, CurlLibrary::load());
  auto client = std::make_unique<CurlClient>(std::move(curl), std::move(options));
  if (!client->usable()) return fail(ErrorCode::kMemory, "libcurl has no memory");
  return client;
}

}  // namespace cistern::fetch
