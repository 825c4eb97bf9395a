#include "serve/http/access.h"

#include <gtest/gtest.h>

namespace cistern::serve::http {
namespace {

unsigned status(const AccessRules& rules, const Request& request, bool http11 = true) {
  const auto refusal = check_access(rules, request, http11);
  return refusal ? refusal->status : 200;
}

Request with_headers(Headers headers, std::string method = "POST") {
  return {.method = std::move(method), .path = "/v1/models", .headers = std::move(headers)};
}

TEST(Access, HostIsAnAddressOrAKnownName) {
  const AccessRules rules{.host_names = {"box.lan"}};
  const struct {
    std::string_view host;
    unsigned status;
  } kRows[] = {
      {"localhost", 200},
      {"LOCALHOST:8080", 200},
      {"127.0.0.1:8080", 200},
      {"192.168.1.5", 200},
      {"[::1]:8080", 200},
      {"[::1]", 200},
      {"box.lan:1", 200},
      {"Box.Lan", 200},
      {"evil.example", 403},
      {"localhost.evil.example", 403},
      {"127.0.0.1.evil.example", 403},
      {"evil.example:8080", 403},
      {"xbox.lan", 403},
      {"", 400},
      {":8080", 400},
      {"localhost:", 200},
      {"localhost:80a", 400},
      {"localhost:123456", 400},
      {"[::1", 400},
      {"localhost@evil.example", 403},
      {"localhost, evil.example", 403},
  };
  for (const auto& row : kRows)
    EXPECT_EQ(status(rules, with_headers({{"host", std::string(row.host)}})), row.status) << row.host;
  EXPECT_EQ(status({.host_names = {"*"}}, with_headers({{"host", "evil.example"}})), 200U);
}

TEST(Access, HostIsRequiredOfHttp11) {
  EXPECT_EQ(status({}, with_headers({})), 400U);
  EXPECT_EQ(status({}, with_headers({}), false), 200U);
}

TEST(Access, PagesOfOtherSitesChangeNothing) {
  const AccessRules rules{.cors_origins = {"https://good.example"}};
  const struct {
    std::string_view method, host, origin;
    unsigned status;
  } kRows[] = {
      {"POST", "localhost:8080", "http://localhost:8080", 200},
      {"POST", "localhost:8080", "HTTP://LOCALHOST:8080", 200},
      {"POST", "127.0.0.1", "https://127.0.0.1", 200},
      {"POST", "localhost:8080", "http://localhost:9999", 403},
      {"POST", "localhost:8080", "http://evil.example", 403},
      {"POST", "localhost:8080", "null", 403},
      {"POST", "localhost:8080", "", 403},
      {"POST", "localhost:8080", "https://good.example", 200},
      {"POST", "localhost:8080", "http://good.example", 403},
      {"POST", "localhost:8080", "https://good.example.evil.example", 403},
      {"DELETE", "localhost:8080", "http://evil.example", 403},
      {"GET", "localhost:8080", "http://evil.example", 200},
      {"HEAD", "localhost:8080", "http://evil.example", 200},
  };
  for (const auto& row : kRows) {
    const Request request = with_headers(
        {{"host", std::string(row.host)}, {"origin", std::string(row.origin)}}, std::string(row.method));
    EXPECT_EQ(status(rules, request), row.status) << row.method << " " << row.origin;
  }
}

TEST(Access, OneOfTheKeysIsRequired) {
  const AccessRules rules{.api_keys = {"first", "second"}, .open_paths = {"/health"}};
  const struct {
    std::string_view header, value;
    unsigned status;
  } kRows[] = {
      {"authorization", "Bearer first", 200},
      {"authorization", "bearer  second", 200},
      {"x-api-key", "second", 200},
      {"authorization", "Bearer third", 401},
      {"authorization", "Bearer firs", 401},
      {"authorization", "Bearer firstfirst", 401},
      {"authorization", "Bearer ", 401},
      {"authorization", "Bearer", 401},
      {"authorization", "Basic first", 401},
      {"authorization", "first", 401},
      {"x-api-key", "", 401},
      {"x-other", "first", 401},
  };
  for (const auto& row : kRows) {
    const Request request =
        with_headers({{"host", "localhost"}, {std::string(row.header), std::string(row.value)}});
    EXPECT_EQ(status(rules, request), row.status) << row.header << ": " << row.value;
  }
  Request open = with_headers({{"host", "localhost"}}, "GET");
  open.path = "/health";
  EXPECT_EQ(status(rules, open), 200U);
  open.path = "/health/x";
  EXPECT_EQ(status(rules, open), 401U);
}

TEST(Access, PreflightsNeedAnAllowedOriginAndNoKey) {
  const AccessRules rules{.api_keys = {"key"}, .cors_origins = {"https://good.example"}};
  const auto preflight = [](std::string origin) {
    return with_headers({{"host", "localhost"},
                         {"origin", std::move(origin)},
                         {"access-control-request-method", "POST"},
                         {"access-control-request-headers", "content-type,x-a"}},
                        "OPTIONS");
  };
  EXPECT_EQ(status(rules, preflight("https://good.example")), 200U);
  EXPECT_EQ(status(rules, preflight("https://evil.example")), 403U);
  EXPECT_EQ(status({}, preflight("https://good.example")), 403U);
  const Response answer = preflight_answer(preflight("https://good.example"));
  EXPECT_EQ(answer.status, 204U);
  EXPECT_EQ(answer.headers.back().second, "content-type,x-a");
}

TEST(Access, AnswersAreReadableForAllowedOriginsOnly) {
  const Request request = with_headers({{"host", "localhost"}, {"origin", "https://good.example"}}, "GET");
  EXPECT_TRUE(cors_headers({}, request).empty());
  EXPECT_EQ(cors_headers({.cors_origins = {"https://other.example"}}, request),
            (Headers{{"Vary", "Origin"}}));
  for (const std::string allowed : {"*", "https://good.example"})
    EXPECT_EQ(cors_headers({.cors_origins = {allowed}}, request).front().second, "https://good.example");
}

}  // namespace
}  // namespace cistern::serve::http
