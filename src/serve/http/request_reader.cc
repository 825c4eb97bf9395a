#include "serve/http/request_reader.h"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <optional>
#include <string>
#include <utility>

#include "serve/http/request_target.h"

namespace cistern::serve::http {
namespace {

namespace beast_http = boost::beast::http;
using boost::system::error_code;

// A body for Beast's parser that is counted and grows as bytes arrive, never because a header announces them.
struct CountedBody {
  // NOLINTBEGIN(readability-identifier-naming): Beast asks for these names.
  struct value_type {
    std::string text;
    BodyLease lease;
    bool out_of_budget = false;
  };

  class reader {
   public:
    template <bool kIsRequest, class Fields>
    reader(beast_http::header<kIsRequest, Fields>&, value_type& body) : body_(body) {}

    void init(const boost::optional<std::uint64_t>&, error_code& error) { error = {}; }

    template <class Buffers>
    std::size_t put(const Buffers& buffers, error_code& error) {
      const std::size_t bytes = boost::asio::buffer_size(buffers);
      if (!body_.lease.grow(bytes)) {
        body_.out_of_budget = true;
        error = beast_http::error::body_limit;
        return 0;
      }
      for (auto part = boost::asio::buffer_sequence_begin(buffers);
           part != boost::asio::buffer_sequence_end(buffers); ++part) {
        const boost::asio::const_buffer view = *part;
        body_.text.append(static_cast<const char*>(view.data()), view.size());
      }
      error = {};
      return bytes;
    }

    void finish(error_code& error) { error = {}; }

   private:
    value_type& body_;
  };
  // NOLINTEND(readability-identifier-naming)
};

struct ErrorRow {
  beast_http::error error;
  unsigned status;
  std::string_view message;
};

constexpr std::array kErrors = {
    ErrorRow{beast_http::error::header_limit, 431, "the headers are too large"},
    ErrorRow{beast_http::error::body_limit, 413, "the body is too large"},
    ErrorRow{beast_http::error::bad_method, 400, "bad method in the request line"},
    ErrorRow{beast_http::error::bad_target, 400, "bad target in the request line"},
    ErrorRow{beast_http::error::bad_version, 505, "HTTP/1.1 and HTTP/1.0 are spoken here"},
    ErrorRow{beast_http::error::bad_content_length, 400, "bad Content-Length"},
    ErrorRow{beast_http::error::multiple_content_length, 400, "more than one Content-Length"},
    ErrorRow{beast_http::error::bad_transfer_encoding, 400, "bad Transfer-Encoding"},
    ErrorRow{beast_http::error::bad_chunk, 400, "bad size or end of a chunk"},
    ErrorRow{beast_http::error::bad_chunk_extension, 400, "bad chunk extension"},
};

std::unexpected<Refusal> refuse(unsigned status, std::string message) {
  return std::unexpected(Refusal{status, std::move(message)});
}

std::unexpected<Refusal> refusal_of(const error_code& error) {
  const auto row = std::ranges::find_if(kErrors, [&](const ErrorRow& r) { return error == r.error; });
  if (row == kErrors.end()) return refuse(400, "malformed request");
  return refuse(row->status, std::string(row->message));
}

// Finds the end of a head byte by byte, and refuses what Beast lets pass and others read differently: line
// ends that are not CRLF, folded lines, control bytes.
class HeadScanner {
 public:
  // How many of the bytes belong to the head; nothing if they cannot.
  std::optional<std::size_t> scan(std::string_view bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const char c = bytes[i];
      const auto byte = static_cast<unsigned char>(c);
      if ((last_ == '\r') != (c == '\n')) return std::nullopt;
      if (last_ == '\n' && (c == ' ' || c == '\t')) return std::nullopt;
      if ((byte < 0x20 && c != '\t' && c != '\r' && c != '\n') || byte == 0x7f) return std::nullopt;
      if (c != '\r' && c != '\n') line_bytes_ += 1;
      last_ = c;
      if (c != '\n') continue;
      at_end_ = line_bytes_ == 0;
      line_bytes_ = 0;
      if (at_end_) return i + 1;
    }
    return bytes.size();
  }
  bool at_end() const { return at_end_; }

 private:
  char last_ = 0;
  std::size_t line_bytes_ = 0;
  bool at_end_ = false;
};

bool is_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// Headers that must not be there twice: a proxy might believe the other one.
constexpr std::array<std::string_view, 7> kSingleHeaders = {
    "host",          "content-length", "transfer-encoding", "content-type", "content-encoding",
    "authorization", "origin"};

std::expected<void, Refusal> check_headers(const Request& request) {
  for (const std::string_view name : kSingleHeaders) {
    const auto has_name = [&](const auto& header) { return header.first == name; };
    if (std::ranges::count_if(request.headers, has_name) > 1)
      return refuse(400, "more than one header " + std::string(name));
  }
  const auto length = request.header("content-length");
  if (length && !is_digits(*length)) return refuse(400, "bad Content-Length");
  const auto encoding = request.header("content-encoding");
  if (encoding && !encoding->empty() && !boost::beast::iequals(*encoding, "identity"))
    return refuse(415, "compressed bodies are not accepted: send the body without Content-Encoding");
  return {};
}

}  // namespace

struct RequestReader::Parser {
  beast_http::request_parser<CountedBody> beast;
  HeadScanner scanner;
  std::size_t blank_bytes = 0;  // line ends before the request line
  std::string kept;             // the beginning of a head or of a chunk's line that is not complete yet
  Head head;
  bool has_head = false;
};

RequestReader::RequestReader(const Limits& limits, std::shared_ptr<BodyBudget> budget)
    : head_limit_(limits.head_bytes), parser_(std::make_unique<Parser>()) {
  parser_->beast.header_limit(static_cast<std::uint32_t>(limits.head_bytes));
  parser_->beast.body_limit(static_cast<std::uint64_t>(limits.body_bytes));
  parser_->beast.get().body().lease = BodyLease(std::move(budget));
}

RequestReader::~RequestReader() = default;

bool RequestReader::has_head() const {
  return parser_->has_head;
}
bool RequestReader::is_done() const {
  return parser_->has_head && parser_->beast.is_done();
}
std::size_t RequestReader::body_bytes() const {
  return parser_->beast.get().body().text.size();
}
const RequestReader::Head& RequestReader::head() const {
  return parser_->head;
}

std::expected<std::size_t, Refusal> RequestReader::feed(std::string_view bytes) {
  return parser_->has_head ? feed_body(bytes) : feed_head(bytes);
}

std::expected<std::size_t, Refusal> RequestReader::feed_head(std::string_view bytes) {
  Parser& parser = *parser_;
  std::string_view input = bytes;
  // A line end or two before the request line are the careless end of a body.
  while (parser.kept.empty() && parser.blank_bytes < 4 && !input.empty() &&
         input[0] == "\r\n"[parser.blank_bytes % 2]) {
    ++parser.blank_bytes;
    input.remove_prefix(1);
  }
  if (parser.blank_bytes % 2 == 1 && !input.empty())
    return refuse(400, "malformed line end before the request line");
  const std::size_t room = head_limit_ - parser.kept.size();
  const auto scanned = parser.scanner.scan(input.substr(0, room));
  if (!scanned) return refuse(400, "malformed line end or control byte in the head");
  parser.kept.append(input.substr(0, *scanned));
  input.remove_prefix(*scanned);
  if (parser.scanner.at_end()) {
    const auto finished = finish_head();
    if (!finished) return std::unexpected(finished.error());
  } else if (parser.kept.size() == head_limit_) {
    return refuse(431, "the headers are too large");
  }
  return bytes.size() - input.size();
}

std::expected<std::size_t, Refusal> RequestReader::feed_body(std::string_view bytes) {
  Parser& parser = *parser_;
  std::string_view input = bytes;
  if (!parser.kept.empty()) {
    parser.kept.append(bytes);
    input = parser.kept;
  }
  // As long as a chunked body has not ended at least this much follows, and Beast counts on it: given four
  // bytes that begin with the last chunk's line it fails an assertion.
  const std::size_t least = parser.beast.chunked() ? std::string_view("0\r\n\r\n").size() : 1;
  while (!input.empty() && !is_done()) {
    if (input.size() < least) {
      parser.kept = std::string(input);
      return bytes.size();
    }
    error_code error;
    input.remove_prefix(parser.beast.put(boost::asio::buffer(input.data(), input.size()), error));
    if (error == beast_http::error::need_more) {
      // The rest has to be seen again together with what follows: a chunk's line or the trailers.
      if (input.size() > head_limit_) return refuse(400, "a chunk's line or the trailers are too large");
      parser.kept = std::string(input);
      return bytes.size();
    }
    if (parser.beast.get().body().out_of_budget)
      return refuse(503, "too many large requests at the same time: try again later");
    if (error) return refusal_of(error);
  }
  // What is left over lies within the new bytes: what was kept before was not complete.
  const std::size_t left = input.size();
  parser.kept.clear();
  return bytes.size() - left;
}

std::expected<void, Refusal> RequestReader::finish_head() {
  Parser& parser = *parser_;
  error_code error;
  parser.beast.put(boost::asio::buffer(parser.kept), error);
  std::string().swap(parser.kept);
  const auto& message = parser.beast.get();
  Head& head = parser.head;
  head.request.method = message.method_string();
  for (const auto& field : message) {
    std::string name(field.name_string());
    std::ranges::transform(name, name.begin(), boost::beast::detail::ascii_tolower);
    head.request.headers.emplace_back(std::move(name), std::string(field.value()));
  }
  const std::string target(message.target());
  if (auto parsed = parse_target(target)) {
    head.request.path = std::move(parsed->path);
    head.request.query = std::move(parsed->query);
  } else if (!error) {
    return std::unexpected(parsed.error());
  }
  if (error) return refusal_of(error);
  head.http11 = message.version() == 11;
  head.keep_alive = parser.beast.keep_alive();
  parser.has_head = true;
  return check_framing();
}

// Both ways to give a body's length, or one in a way that leaves room for another reading, are refused.
std::expected<void, Refusal> RequestReader::check_framing() {
  Head& head = parser_->head;
  if (auto checked = check_headers(head.request); !checked) return checked;
  if (const auto coding = head.request.header("transfer-encoding")) {
    if (!head.http11) return refuse(400, "Transfer-Encoding in a request of HTTP/1.0");
    if (!boost::beast::iequals(*coding, "chunked"))
      return refuse(501, "of transfer codings only chunked is known");
  }
  if (const auto expectation = head.request.header("expect")) {
    if (!boost::beast::iequals(*expectation, "100-continue")) return refuse(417, "unknown expectation");
    head.expects_continue = head.http11;
  }
  return {};
}

Request RequestReader::take_request() {
  parser_->head.request.body = std::move(parser_->beast.get().body().text);
  return std::move(parser_->head.request);
}

BodyLease RequestReader::take_lease() {
  return std::move(parser_->beast.get().body().lease);
}

}  // namespace cistern::serve::http
