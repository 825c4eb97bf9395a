#include "serve/http/router.h"

#include <gtest/gtest.h>

#include "serve/http/error_body.h"
#include "serve/http/shared_exchange.h"
#include "serve/http/sse.h"

namespace cistern::serve::http {
namespace {

class RouterTest : public testing::Test {
 protected:
  RouterTest() {
    add("GET", "/v1/models");
    add("GET", "/v1/models/{id}");
    add("DELETE", "/v1/models/{id}");
    add("POST", "/v1/models/{id}/load");
    add("POST", "/v1/messages");
    add("GET", "/v1/models/special");
  }

  // "METHOD PATTERN parameter" of the route taken, or the status.
  std::string route(std::string method, std::string path) {
    const auto shared = std::make_shared<SharedExchange>(
        SharedExchange::Setup{.request = {.method = std::move(method), .path = std::move(path)}});
    taken_.clear();
    router_.handle(std::make_shared<ExchangeHandle>(shared));
    if (!taken_.empty()) return taken_;
    answer_ = shared->take().head.value_or(Response{.status = 0});
    return std::to_string(answer_.status);
  }

  std::string taken_;
  Response answer_;

 private:
  void add(std::string method, std::string pattern) {
    router_.add(method, pattern,
                [this, method, pattern](const std::shared_ptr<Exchange>&, const std::string& parameter) {
                  taken_ = method + " " + pattern + " " + parameter;
                });
  }
  Router router_{error_body};
};

TEST_F(RouterTest, PrefersExactPathsAndLongPatterns) {
  EXPECT_EQ(route("GET", "/v1/models"), "GET /v1/models ");
  EXPECT_EQ(route("GET", "/v1/models/a"), "GET /v1/models/{id} a");
  EXPECT_EQ(route("GET", "/v1/models/org/name"), "GET /v1/models/{id} org/name");
  EXPECT_EQ(route("GET", "/v1/models/special"), "GET /v1/models/special ");
  EXPECT_EQ(route("POST", "/v1/models/org/name/load"), "POST /v1/models/{id}/load org/name");
  EXPECT_EQ(route("HEAD", "/v1/models"), "GET /v1/models ");
  EXPECT_EQ(route("DELETE", "/v1/models/a/load"), "DELETE /v1/models/{id} a/load");
}

TEST_F(RouterTest, UnknownPathsAreNotFoundInTheShapeOfTheirProtocol) {
  EXPECT_EQ(route("GET", "/v1/model"), "404");
  EXPECT_EQ(answer_.body, error_body(404, "there is nothing at this path", "/v1/model"));
  EXPECT_EQ(route("GET", "/v1/models/"), "404");
  EXPECT_EQ(route("POST", "/api/chat"), "404");
  EXPECT_EQ(answer_.body, R"({"error":"there is nothing at this path"})");
}

TEST_F(RouterTest, UnknownMethodsAreToldTheKnownOnes) {
  EXPECT_EQ(route("PUT", "/v1/models/a"), "405");
  EXPECT_EQ(answer_.headers, (Headers{{"Allow", "GET, HEAD, DELETE, OPTIONS"}}));
  EXPECT_EQ(route("GET", "/v1/messages"), "405");
  EXPECT_EQ(answer_.headers, (Headers{{"Allow", "POST, OPTIONS"}}));
  EXPECT_EQ(route("OPTIONS", "/v1/messages"), "204");
  EXPECT_EQ(answer_.headers, (Headers{{"Allow", "POST, OPTIONS"}}));
}

TEST(ErrorBody, HasTheShapeOfTheProtocolOfThePath) {
  EXPECT_EQ(error_body(404, "no \"x\"", "/api/show"), R"({"error":"no \"x\""})");
  EXPECT_EQ(error_body(413, "big", "/v1/messages"),
            R"({"type":"error","error":{"type":"request_too_large","message":"big"}})");
  EXPECT_EQ(error_body(503, "later", "/v1/messages/count_tokens"),
            R"({"type":"error","error":{"type":"overloaded_error","message":"later"}})");
  EXPECT_EQ(error_body(400, "bad", "/v1/messagesx"),
            R"({"error":{"message":"bad","type":"invalid_request_error","param":null,"code":null}})");
  EXPECT_EQ(error_body(500, "bad", ""),
            R"({"error":{"message":"bad","type":"server_error","param":null,"code":null}})");
}

TEST(Sse, WritesOneFieldPerLine) {
  EXPECT_EQ(sse_event("x"), "data: x\n\n");
  EXPECT_EQ(sse_event(""), "data: \n\n");
  EXPECT_EQ(sse_event("message_start", "{}"), "event: message_start\ndata: {}\n\n");
  EXPECT_EQ(sse_event("a\nb\r\nc\rd"), "data: a\ndata: b\ndata: c\ndata: d\n\n");
  EXPECT_EQ(sse_event("a\n"), "data: a\ndata: \n\n");
}

}  // namespace
}  // namespace cistern::serve::http
