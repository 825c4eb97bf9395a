#include "fetch/http.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace cistern::fetch {
namespace {

constexpr int kMaxRedirects = 8;
constexpr std::size_t kMaxIgnoredBytes = std::size_t{1}
                                         << 20U;  // of the body of an answer that is not wanted

bool is_success(int status) {
  return status >= 200 && status < 300;
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

struct StatusRow {
  int status;
  ErrorCode code;
  HttpFailure::Kind kind;
  std::string_view message;
};

constexpr std::string_view kWantsToken =
    "the server wants to know who asks, or has no such model: is the name right? If it is, accept the "
    "model's conditions "
    "on its page and set HF_TOKEN to an access token of the hub";
constexpr std::string_view kTokenRefused =
    "the server refuses HF_TOKEN: has the token expired, and has its owner accepted the model's conditions?";

constexpr StatusRow kStatusRows[] = {
    {400, ErrorCode::kIo, HttpFailure::Kind::kFinal, "the server does not understand the request"},
    {401, ErrorCode::kUsage, HttpFailure::Kind::kFinal, kWantsToken},
    {403, ErrorCode::kUsage, HttpFailure::Kind::kFinal, kWantsToken},
    {404, ErrorCode::kNotFound, HttpFailure::Kind::kFinal, "there is no such model or file"},
    {408, ErrorCode::kTimeout, HttpFailure::Kind::kBusy, "the server waited too long for the request"},
    {410, ErrorCode::kNotFound, HttpFailure::Kind::kFinal, "the file has been removed"},
    {416, ErrorCode::kIo, HttpFailure::Kind::kFinal, "the server does not have the rest of the file"},
    {429, ErrorCode::kBusy, HttpFailure::Kind::kBusy,
     "the server has had too many requests: try again later"},
    {500, ErrorCode::kIo, HttpFailure::Kind::kBusy, "the server failed"},
    {502, ErrorCode::kIo, HttpFailure::Kind::kBusy, "the server behind the gateway failed"},
    {503, ErrorCode::kBusy, HttpFailure::Kind::kBusy, "the server is not available now"},
    {504, ErrorCode::kTimeout, HttpFailure::Kind::kBusy, "the server behind the gateway did not answer"},
};

}  // namespace

std::string_view HttpHead::header(std::string_view name) const {
  std::string_view value;
  for (const auto& [key, text] : headers) {
    if (key == name) value = text;
  }
  return value;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<ContentRange> parse_content_range(std::string_view text) {
  constexpr std::string_view kUnit = "bytes ";
  const std::size_t dash = text.find('-');
  const std::size_t slash = text.find('/');
  if (!text.starts_with(kUnit) || dash == std::string_view::npos || slash == std::string_view::npos ||
      slash < dash)
    return std::nullopt;
  const auto begin = parse_size(text.substr(kUnit.size(), dash - kUnit.size()));
  const auto last = parse_size(text.substr(dash + 1, slash - dash - 1));
  const auto total = parse_size(text.substr(slash + 1));
  if (!begin || !last || !total || *begin > *last || *last >= *total) return std::nullopt;
  return ContentRange{*begin, *total};
}

HttpFailure failure_of(const HttpHead& head, const Url& url, bool with_token) {
  const auto* row = std::ranges::find(kStatusRows, head.status, &StatusRow::status);
  HttpFailure failure{
      .error = {ErrorCode::kIo, "the server's answer is of no use here", url.origin() + url.path()},
      .status = head.status};
  if (row != std::end(kStatusRows)) {
    failure.error.code = row->code;
    failure.error.message = with_token && row->message == kWantsToken ? kTokenRefused : row->message;
    failure.kind = row->kind;
  } else if (head.status >= 500) {
    failure.error.message = "the server failed";
    failure.kind = HttpFailure::Kind::kBusy;
  }
  failure.error.message += fmt::format(" (HTTP {})", head.status);
  if (const auto seconds = parse_size(head.header("retry-after")))
    failure.wait_s = static_cast<double>(*seconds);
  return failure;
}

HttpResult<HttpHead> get_following(HttpClient& client, HttpRequest request, const Credentials& credentials,
                                   const HttpReceiver& receiver) {
  for (int hop = 0; hop <= kMaxRedirects; ++hop) {
    request.bearer = request.url.origin() == credentials.origin ? credentials.token : std::string();
    HttpHead seen;
    std::size_t ignored_bytes = 0;
    const HttpReceiver picky = {.on_head = [&](const HttpHead& head) -> Result<void> {
                                  seen = head;
                                  return is_success(head.status) ? receiver.on_head(head) : Result<void>();
                                },
                                .on_body = [&](std::span<const std::byte> bytes) -> Result<void> {
                                  if (is_success(seen.status)) return receiver.on_body(bytes);
                                  ignored_bytes += bytes.size();
                                  if (ignored_bytes <= kMaxIgnoredBytes) return {};
                                  return fail(ErrorCode::kIo, "the answer has no end", request.url.origin());
                                }};
    auto head = client.get(request, picky);
    if (seen.status != 0 && !is_success(seen.status) && !is_redirect(seen.status)) {
      return std::unexpected(failure_of(seen, request.url, !request.bearer.empty()));
    }
    if (!head || is_success(head->status)) return head;
    auto next = redirect_target(request.url, head->redirect);
    if (!next) return std::unexpected(HttpFailure{.error = next.error(), .status = head->status});
    request.url = *std::move(next);
  }
  return std::unexpected(
      HttpFailure{.error = {ErrorCode::kIo, fmt::format("redirects more than {} times", kMaxRedirects),
                            request.url.origin()}});
}

}  // namespace cistern::fetch
