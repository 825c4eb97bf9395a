#include "serve/http/access.h"

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>

namespace cistern::serve::http {
namespace {

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

std::string lower(std::string_view text) {
  std::string lowered(text);
  std::ranges::transform(lowered, lowered.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lowered;
}

bool is_digits(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// The name of "name:port" and "[v6]:port", without brackets and in lower case; empty if it is malformed.
std::string host_name(std::string_view host) {
  std::string_view name = host, port;
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    if (end == std::string_view::npos) return {};
    name = host.substr(1, end - 1);
    port = host.substr(end + 1);
  } else if (const std::size_t colon = host.find(':'); colon != std::string_view::npos) {
    name = host.substr(0, colon);
    port = host.substr(colon);
  }
  if (!port.empty() && (port[0] != ':' || port.size() > 6 || !is_digits(port.substr(1)))) return {};
  return lower(name);
}

bool is_ip_address(const std::string& name) {
  boost::system::error_code error;
  boost::asio::ip::make_address(name, error);
  return !error;
}

std::optional<Refusal> check_host(const AccessRules& rules, const Request& request, bool http11) {
  const auto host = request.header("host");
  if (!host) {
    if (http11) return Refusal{400, "a Host header is required"};
    return std::nullopt;  // no browser speaks HTTP/1.0
  }
  const std::string name = host_name(*host);
  if (name.empty()) return Refusal{400, "bad Host header"};
  if (is_ip_address(name) || name == "localhost") return std::nullopt;
  if (contains(rules.host_names, "*") || contains(rules.host_names, name)) return std::nullopt;
  return Refusal{403, "requests for this host name are not allowed: add it to the allowed hosts"};
}

bool is_allowed_origin(const AccessRules& rules, std::string_view origin) {
  return contains(rules.cors_origins, "*") || contains(rules.cors_origins, origin);
}

// A page that this server itself has sent; a proxy before it may have added TLS.
bool is_own_origin(const Request& request, std::string_view origin) {
  const std::string host = lower(request.header("host").value_or(""));
  const std::string lowered = lower(origin);
  return !host.empty() && (lowered == "http://" + host || lowered == "https://" + host);
}

bool changes_state(std::string_view method) {
  constexpr std::array<std::string_view, 3> kSafe = {"GET", "HEAD", "OPTIONS"};
  return std::ranges::find(kSafe, method) == kSafe.end();
}

std::optional<Refusal> check_origin(const AccessRules& rules, const Request& request) {
  const auto origin = request.header("origin");
  if (!origin || is_own_origin(request, *origin) || is_allowed_origin(rules, *origin)) return std::nullopt;
  if (!changes_state(request.method) && !is_preflight(request)) return std::nullopt;
  return Refusal{403, "requests of pages of this origin are not allowed: add it to the CORS origins"};
}

// Takes as long for a wrong first byte as for a wrong last one.
bool equal_in_constant_time(std::string_view given, std::string_view key) {
  auto difference = static_cast<unsigned>(given.size() != key.size());
  for (std::size_t i = 0; i < given.size(); ++i) {
    const char of_key = key.empty() ? '\0' : key[i % key.size()];
    difference |= static_cast<unsigned char>(given[i] ^ of_key);
  }
  return difference == 0;
}

std::string_view given_key(const Request& request) {
  constexpr std::string_view kScheme = "bearer ";
  const std::string_view authorization = request.header("authorization").value_or("");
  if (lower(authorization.substr(0, kScheme.size())) == kScheme) {
    const std::size_t begin = authorization.find_first_not_of(' ', kScheme.size());
    return begin == std::string_view::npos ? std::string_view() : authorization.substr(begin);
  }
  return request.header("x-api-key").value_or("");
}

std::optional<Refusal> check_key(const AccessRules& rules, const Request& request) {
  if (rules.api_keys.empty() || contains(rules.open_paths, request.path)) return std::nullopt;
  const std::string_view given = given_key(request);
  bool known = false;
  for (const std::string& key : rules.api_keys) known |= equal_in_constant_time(given, key);
  if (known && !given.empty()) return std::nullopt;
  return Refusal{
      401,
      given.empty() ? "an API key is required: send it as \"Authorization: Bearer KEY\" or \"x-api-key: KEY\""
                    : "this API key is not known",
      {{"WWW-Authenticate", "Bearer"}}};
}

}  // namespace

std::optional<Refusal> check_access(const AccessRules& rules, const Request& request, bool http11) {
  if (auto refusal = check_host(rules, request, http11)) return refusal;
  if (auto refusal = check_origin(rules, request)) return refusal;
  if (is_preflight(request)) return std::nullopt;
  return check_key(rules, request);
}

bool is_preflight(const Request& request) {
  return request.method == "OPTIONS" && request.header("origin") &&
         request.header("access-control-request-method");
}

Response preflight_answer(const Request& request) {
  Response answer{.status = 204, .content_type = {}, .body = {}};
  answer.headers = {{"Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE, OPTIONS"},
                    {"Access-Control-Max-Age", "600"}};
  // Whatever the page wants to send: which headers mean something is the business of the protocols.
  if (const auto wanted = request.header("access-control-request-headers"))
    answer.headers.emplace_back("Access-Control-Allow-Headers", std::string(*wanted));
  return answer;
}

Headers cors_headers(const AccessRules& rules, const Request& request) {
  const auto origin = request.header("origin");
  if (rules.cors_origins.empty()) return {};
  if (!origin || !is_allowed_origin(rules, *origin)) return {{"Vary", "Origin"}};
  return {{"Access-Control-Allow-Origin", std::string(*origin)},
          {"Access-Control-Expose-Headers", "*"},
          {"Vary", "Origin"}};
}

}  // namespace cistern::serve::http
