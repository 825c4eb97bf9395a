#include "serve/page/page.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/check.h"

namespace cistern::serve::page {
namespace {

class FakeExchange final : public http::Exchange {
 public:
  explicit FakeExchange(http::Request request) : request_(std::move(request)) {}

  const http::Request& request() const override { return request_; }
  void respond(http::Response response) override { answer = std::move(response); }
  void begin_stream(http::Response) override { FAIL(); }
  void write(std::string) override { FAIL(); }
  void end_stream() override { FAIL(); }
  std::size_t unsent_bytes() const override { return 0; }
  bool is_closed() const override { return false; }
  void on_closed(std::function<void()>) override {}

  std::optional<http::Response> answer;

 private:
  http::Request request_;
};

http::Response get(const std::string& path, http::Headers headers = {}) {
  auto exchange = std::make_shared<FakeExchange>(
      http::Request{.method = "GET", .path = path, .query = "", .headers = std::move(headers), .body = ""});
  for (const http::Route& route : routes())
    if (route.method == "GET" && route.path == path) route.handler(exchange);
  return exchange->answer.value_or(http::Response{.status = 404, .content_type = "", .body = ""});
}

std::string header(const http::Response& response, const std::string& name) {
  for (const auto& [header_name, value] : response.headers)
    if (header_name == name) return value;
  return "";
}

// The text between `begin` and `end`, once.
std::string_view between(std::string_view text, std::string_view begin, std::string_view end) {
  const std::size_t from = text.find(begin) + begin.size();
  return text.substr(from, text.find(end, from) - from);
}

TEST(Page, IsOneWholeDocument) {
  const http::Response page = get("/");
  EXPECT_EQ(page.status, 200U);
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_TRUE(page.body.starts_with("<!doctype html>"));
  EXPECT_TRUE(page.body.ends_with("</html>\n"));
  EXPECT_EQ(get("/index.html").body, page.body);
}

TEST(Page, LoadsNothingButItsIcon) {
  const std::string_view head = between(html(), "<head>", "<style>");
  const std::string_view body = between(html(), "<body>", "<script type=\"module\">");
  for (const std::string_view markup : {head, body})
    for (const char* address : {"//", " src=", "url("})
      EXPECT_EQ(markup.find(address), std::string_view::npos) << address;
  EXPECT_EQ(between(head, "<link ", ">"), R"(rel="icon" href="favicon.svg" type="image/svg+xml" /)");
}

TEST(Page, HasAPolicyThatNamesItsOwnScriptAlone) {
  const std::string policy = header(get("/"), "Content-Security-Policy");
  EXPECT_TRUE(policy.starts_with("default-src 'none'; script-src 'sha256-"));
  EXPECT_EQ(between(policy, "script-src ", ";").find(' '), std::string_view::npos);  // one hash
  EXPECT_NE(policy.find("connect-src 'self';"), std::string::npos);
  EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos);
  for (const char* loose : {"unsafe", "http", "data:", "blob:", "*"})
    EXPECT_EQ(policy.find(loose), std::string::npos) << loose;
}

TEST(Page, IsNotSentTwiceToABrowserThatHasIt) {
  const std::string tag = header(get("/"), "ETag");
  EXPECT_EQ(tag.size(), 34U);
  const http::Response same = get("/", {{"if-none-match", "W/" + tag}});
  EXPECT_EQ(same.status, 304U);
  EXPECT_EQ(same.body, "");
  EXPECT_EQ(header(same, "ETag"), tag);
  EXPECT_EQ(get("/", {{"if-none-match", "\"another\""}}).status, 200U);
}

TEST(Page, HasAnIcon) {
  const http::Response icon = get("/favicon.svg");
  EXPECT_EQ(icon.content_type, "image/svg+xml");
  EXPECT_TRUE(icon.body.starts_with("<svg "));
  EXPECT_TRUE(icon.body.ends_with("</svg>"));
}

}  // namespace
}  // namespace cistern::serve::page
