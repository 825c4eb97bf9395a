#include "fetch/url.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "file/printable.h"

namespace cistern::fetch {
namespace {

constexpr std::size_t kMaxUrlBytes = 8192;  // signed addresses of storage servers have about 2,000
constexpr std::size_t kShown = 200;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_alnum(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return result;
}

std::unexpected<Error> refused(std::string_view url, std::string reason) {
  return fail(ErrorCode::kUsage, std::move(reason), file::printable(url, kShown));
}

bool is_host(std::string_view host) {
  if (host.starts_with('[')) {
    return host.size() > 3 && host.ends_with(']') &&
           std::ranges::all_of(host.substr(1, host.size() - 2), [](char c) {
             return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
           });
  }
  return !host.empty() && host.size() <= 253 && host.front() != '-' &&
         std::ranges::all_of(host, [](char c) { return is_alnum(c) || c == '-' || c == '.' || c == '_'; });
}

std::uint16_t default_port(std::string_view scheme) {
  return scheme == "https" ? 443 : 80;
}

// A number that fills `text`, at most `most`.
bool parse_number(std::string_view text, unsigned most, unsigned& number) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() && number <= most;
}

// "host", "host:port", "[v6]:port" into `url`.
Result<void> split_authority(std::string_view whole, std::string_view authority, Url& url) {
  if (authority.find('@') != std::string_view::npos) {
    return refused(whole, "an address with a user name or password is not taken");
  }
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  const std::string_view host = authority.substr(0, colon);
  if (!is_host(host)) return refused(whole, "names no host");
  url.host = lower(host);
  url.port = default_port(url.scheme);
  if (colon == std::string_view::npos) return {};
  unsigned port = 0;
  if (!parse_number(authority.substr(colon + 1), 65535, port) || port == 0) {
    return refused(whole, "has no valid port");
  }
  url.port = static_cast<std::uint16_t>(port);
  return {};
}

}  // namespace

std::string Url::origin() const {
  if (port == default_port(scheme)) return fmt::format("{}://{}", scheme, host);
  return fmt::format("{}://{}:{}", scheme, host, port);
}

std::string Url::text() const {
  return origin() + target;
}

std::string Url::path() const {
  return target.substr(0, target.find('?'));
}

bool is_loopback(const Url& url) {
  if (url.host == "localhost" || url.host == "[::1]") return true;
  std::string_view rest = url.host;
  for (int i = 0; i < 4; ++i) {
    const std::size_t dot = rest.find('.');
    unsigned number = 0;
    if ((dot == std::string_view::npos) != (i == 3) || !parse_number(rest.substr(0, dot), 255, number))
      return false;
    if (i == 0 && number != 127) return false;
    if (i < 3) rest.remove_prefix(dot + 1);
  }
  return true;
}

Result<Url> parse_url(std::string_view text) {
  if (text.size() > kMaxUrlBytes) return refused(text, fmt::format("is longer than {} bytes", kMaxUrlBytes));
  if (!std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7F && c != '\\'; })) {
    return refused(text, "has a space, a backslash or a byte that is no plain ASCII: encode it as %XX");
  }
  const std::size_t colon = text.find("://");
  Url url;
  url.scheme = lower(text.substr(0, colon));
  if (colon == std::string_view::npos || (url.scheme != "https" && url.scheme != "http")) {
    return refused(text, "is no https:// address");
  }
  std::string_view rest = text.substr(colon + 3);
  rest = rest.substr(0, rest.find('#'));
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  CISTERN_TRY_VOID(split_authority(text, rest.substr(0, end), url));
  url.target = rest.substr(end);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  if (url.scheme == "http" && !is_loopback(url)) {
    return refused(text, "plain http can be read and changed on the way: use https");
  }
  return url;
}

Result<Url> redirect_target(const Url& from, std::string_view location) {
  auto to = parse_url(location);
  if (!to) {
    return fail(ErrorCode::kIo,
                fmt::format("redirects to {}, which is not followed: {}", file::printable(location, kShown),
                            to.error().message),
                from.origin());
  }
  if (from.scheme == "https" && to->scheme != "https") {
    return fail(
        ErrorCode::kIo,
        fmt::format("redirects from https to {}, which is not followed", file::printable(location, kShown)),
        from.origin());
  }
  return to;
}

std::string percent_encoded(std::string_view path) {
  constexpr std::string_view kPlain = "/-._~";
  std::string result;
  for (const char c : path) {
    if (is_alnum(c) || kPlain.find(c) != std::string_view::npos) {
      result += c;
    } else {
      result += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return result;
}

Result<std::string> percent_decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    const std::string_view digits = text.substr(i + 1, 2);
    unsigned value = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 2 || parsed.ptr != digits.data() + 2) {
      return refused(text, "has a '%' without two hexadecimal digits behind it");
    }
    result += static_cast<char>(value);
    i += 2;
  }
  return result;
}

}  // namespace cistern::fetch
