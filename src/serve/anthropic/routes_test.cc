#include "serve/anthropic/routes.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "serve/client_watch.h"
#include "support/fake_exchange.h"
#include "support/scripted_backend.h"

namespace cistern::serve::anthropic {
namespace {

namespace json = boost::json;
using testing::FakeExchange;
using testing::ScriptedBackend;

constexpr std::string_view kBody =
    R"({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}])";

std::string body(bool stream) {
  return fmt::format(R"({}, "stream": {}}})", kBody, stream);
}

std::vector<testing::Tell> small_answer() {
  return {testing::tell_start(10, 4), testing::tell_reasoning("hm"), testing::tell_content("Hello"),
          testing::tell_finish(Finish::kStop, 0, "###"),
          testing::tell_done({.prompt_tokens = 10, .cached_tokens = 4, .completion_tokens = 3})};
}

class AnthropicRoutes : public ::testing::Test {
 protected:
  std::shared_ptr<FakeExchange> post(const std::string& path, std::string body) {
    auto exchange = FakeExchange::post(path, std::move(body));
    for (const http::Route& route : routes(backend_))
      if (route.method == "POST" && route.path == path) route.handler(exchange);
    return exchange;
  }
  std::shared_ptr<FakeExchange> ask(bool stream) { return post("/v1/messages", body(stream)); }

  std::shared_ptr<ScriptedBackend> backend_ = std::make_shared<ScriptedBackend>();
};

std::string without_ids(const std::shared_ptr<FakeExchange>& exchange) {
  json::object document = json::parse(exchange->body()).as_object();
  EXPECT_TRUE(document.at("id").as_string().starts_with("msg_"));
  document.stable_erase("id");
  return json::serialize(document);
}

std::vector<std::string> event_names(const std::shared_ptr<FakeExchange>& exchange) {
  std::vector<std::string> names;
  for (const testing::SseEvent& event : testing::sse_events(exchange->body())) {
    EXPECT_EQ(json::parse(event.data).at("type"), event.event.c_str());
    names.push_back(event.event);
  }
  return names;
}

TEST_F(AnthropicRoutes, AnswerWithADocument) {
  backend_->script = small_answer();
  const auto exchange = ask(false);
  EXPECT_EQ(exchange->status(), 200U);
  EXPECT_EQ(exchange->content_type(), "application/json");
  EXPECT_TRUE(exchange->header("request-id").starts_with("req_"));
  EXPECT_EQ(
      without_ids(exchange),
      R"({"type":"message","role":"assistant","model":"m","stop_reason":"stop_sequence","stop_sequence":"###",)"
      R"("content":[{"type":"thinking","thinking":"hm","signature":"cistern"},{"type":"text","text":"Hello"}],)"
      R"("usage":{"input_tokens":6,"cache_creation_input_tokens":0,"cache_read_input_tokens":4,)"
      R"("output_tokens":3,"output_tokens_details":{"thinking_tokens":0}}})");
  ASSERT_EQ(backend_->generated.size(), 1U);
  EXPECT_EQ(backend_->generated[0].max_tokens, 9U);
}

TEST_F(AnthropicRoutes, StreamEvents) {
  backend_->script = small_answer();
  const auto exchange = ask(true);
  EXPECT_EQ(exchange->status(), 200U);
  EXPECT_TRUE(exchange->content_type().starts_with("text/event-stream"));
  EXPECT_TRUE(exchange->is_complete());
  EXPECT_EQ(event_names(exchange),
            (std::vector<std::string>{"message_start", "ping", "content_block_start", "content_block_delta",
                                      "content_block_delta", "content_block_stop", "content_block_start",
                                      "content_block_delta", "content_block_stop", "message_delta",
                                      "message_stop"}));
}

TEST_F(AnthropicRoutes, AStreamBeginsWhenThePromptWasRead) {
  backend_->script = small_answer();
  backend_->at_once = 0;
  const auto exchange = ask(true);
  EXPECT_EQ(exchange->status(), 0U);
  backend_->play(1);
  EXPECT_EQ(event_names(exchange), (std::vector<std::string>{"message_start", "ping"}));
  backend_->play();
  EXPECT_TRUE(exchange->is_complete());
}

TEST_F(AnthropicRoutes, ErrorsHaveTheirStatusAndType) {
  struct Case {
    ErrorCode code;
    unsigned status;
    std::string_view type;
  };
  for (const auto& [code, status, type] : {
           Case{ErrorCode::kNotFound, 404, "not_found_error"},
           Case{ErrorCode::kTooLong, 400, "invalid_request_error"},
           Case{ErrorCode::kBusy, 429, "rate_limit_error"},
           Case{ErrorCode::kMemory, 503, "overloaded_error"},
           Case{ErrorCode::kTimeout, 504, "timeout_error"},
           Case{ErrorCode::kIo, 500, "api_error"},
       })
    for (const bool at_once : {true, false})
      for (const bool stream : {true, false}) {
        backend_ = std::make_shared<ScriptedBackend>();
        backend_->retry_s = 7;
        const Error error = {code, "no", ""};
        if (at_once) {
          backend_->refusal = error;
        } else {
          backend_->script = {testing::tell_error(error)};
        }
        const auto exchange = ask(stream);
        EXPECT_EQ(exchange->status(), status) << type;
        const json::value document = json::parse(exchange->body());
        EXPECT_EQ(document.at("type"), "error");
        EXPECT_EQ(document.at("error"), json::value({{"type", type}, {"message", "no"}}));
        EXPECT_EQ(document.at("request_id"), exchange->header("request-id").c_str());
        EXPECT_EQ(exchange->header("Retry-After"), code == ErrorCode::kBusy ? "7" : "") << type;
        EXPECT_EQ(backend_->living_sinks(), 0U);
      }
}

TEST_F(AnthropicRoutes, AnErrorInAStreamIsItsLastEvent) {
  backend_->script = {testing::tell_start(1), testing::tell_content("a"),
                      testing::tell_error({ErrorCode::kIo, "the disk is gone", "/secret/path"})};
  const auto exchange = ask(true);
  EXPECT_TRUE(exchange->is_complete());
  const testing::SseEvent last = testing::sse_events(exchange->body()).back();
  EXPECT_EQ(last.event, "error");
  EXPECT_EQ(json::parse(last.data).at("error"),
            json::value({{"type", "api_error"}, {"message", "the disk is gone"}}));
}

TEST_F(AnthropicRoutes, WhatCannotBeReadIsNotAsked) {
  const auto exchange = post("/v1/messages", R"({"model": "m", "max_tokens": 1, "messages": 3})");
  EXPECT_EQ(exchange->status(), 400U);
  EXPECT_EQ(json::parse(exchange->body()).at("error").at("message"),
            "messages: has to be an array, not a number");
  EXPECT_TRUE(backend_->generated.empty());
}

TEST_F(AnthropicRoutes, AClientThatLeavesEndsItsTask) {
  for (const bool stream : {true, false}) {
    backend_ = std::make_shared<ScriptedBackend>();
    backend_->script = small_answer();
    backend_->at_once = 2;
    const auto exchange = ask(stream);
    EXPECT_EQ(backend_->living_sinks(), 1U);
    exchange->close();
    EXPECT_EQ(backend_->cancelled(), 1U);
    EXPECT_EQ(backend_->living_sinks(), 0U);
  }
}

TEST_F(AnthropicRoutes, AClientThatDoesNotReadEndsItsTask) {
  backend_->script = small_answer();
  backend_->at_once = 2;
  const auto exchange = ask(true);
  exchange->set_unsent_bytes(kMostUnsentBytes + 1);
  backend_->play(1);
  EXPECT_EQ(backend_->cancelled(), 1U);
  EXPECT_TRUE(exchange->is_complete());
  EXPECT_EQ(event_names(exchange).back(), "error");
}

TEST_F(AnthropicRoutes, AnAnswerThatWasCancelledIsAnError) {
  backend_->script = {testing::tell_start(1), testing::tell_content("a"),
                      testing::tell_finish(Finish::kCancelled), testing::tell_done({})};
  EXPECT_EQ(ask(false)->status(), 503U);
  EXPECT_EQ(event_names(ask(true)).back(), "error");
}

TEST_F(AnthropicRoutes, NothingOutlivesTheAnswer) {
  struct Case {
    std::vector<testing::Tell> script;
    std::optional<Error> refusal;
  };
  for (const auto& [script, refusal] : std::vector<Case>{
           {small_answer(), std::nullopt},
           {{testing::tell_start(1), testing::tell_error({ErrorCode::kIo, "no", ""})}, std::nullopt},
           {{}, Error{ErrorCode::kBusy, "no", ""}}})
    for (const bool stream : {true, false}) {
      backend_ = std::make_shared<ScriptedBackend>();
      backend_->script = script;
      backend_->refusal = refusal;
      std::weak_ptr<FakeExchange> exchange;
      {
        const auto alive = ask(stream);
        EXPECT_TRUE(alive->is_complete());
        exchange = alive;
      }
      EXPECT_TRUE(exchange.expired());
      EXPECT_EQ(backend_->living_sinks(), 0U);
      EXPECT_EQ(backend_.use_count(), 1);
    }
}

TEST_F(AnthropicRoutes, CountTokensOfAPrompt) {
  backend_->counted_tokens = 42;
  const auto exchange = post("/v1/messages/count_tokens", std::string(kBody) + "}");
  EXPECT_EQ(exchange->status(), 200U);
  EXPECT_EQ(exchange->body(), R"({"input_tokens":42})");
  ASSERT_TRUE(backend_->counted);
  EXPECT_EQ(backend_->counted->model, "m");
  backend_->refusal = Error{ErrorCode::kNotFound, "there is no model \"m\"", ""};
  EXPECT_EQ(post("/v1/messages/count_tokens", std::string(kBody) + "}")->status(), 404U);
  EXPECT_EQ(post("/v1/messages/count_tokens", "{")->status(), 400U);
}

TEST_F(AnthropicRoutes, ModelsAreListedForWhoSaysTheVersion) {
  const auto get = [&](std::string path, http::Headers headers) {
    auto exchange = std::make_shared<FakeExchange>(
        http::Request{.method = "GET", .path = std::move(path), .headers = std::move(headers)});
    models_or(backend_, [](const std::shared_ptr<http::Exchange>& other) {
      other->respond({.body = "OpenAI's"});
    })(exchange);
    return exchange;
  };
  const http::Headers version = {{"anthropic-version", "2023-06-01"}};
  EXPECT_EQ(get("/v1/models", {})->body(), "OpenAI's");
  EXPECT_EQ(json::parse(get("/v1/models", version)->body()).at("first_id"), "m");
  EXPECT_EQ(json::parse(get("/v1/models/m", version)->body()).at("type"), "model");
  EXPECT_EQ(get("/v1/models/x", version)->status(), 404U);
}

}  // namespace
}  // namespace cistern::serve::anthropic
