#include "serve/ollama/routes.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "serve/client_watch.h"
#include "serve/ollama/embeddings.h"
#include "support/fake_exchange.h"
#include "support/scripted_backend.h"

namespace cistern::serve::ollama {
namespace {

namespace json = boost::json;
using testing::FakeExchange;
using testing::ScriptedBackend;

const std::string kChat = R"({"model": "m:latest", "messages": [{"role": "user", "content": "Hi"}]})";
const std::string kWholeChat =
    R"({"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": false})";
const std::string kGenerate = R"({"model": "m", "prompt": "Hi"})";
const std::string kWholeGenerate = R"({"model": "m", "prompt": "Hi", "stream": false})";

std::vector<testing::Tell> small_answer() {
  return {testing::tell_start(10, 4),
          testing::tell_reasoning("hm"),
          testing::tell_content("Hel"),
          testing::tell_content("lo"),
          testing::tell_finish(Finish::kEnd),
          testing::tell_done({.prompt_tokens = 10, .completion_tokens = 3, .prefill_s = 0.5, .decode_s = 1})};
}

class OllamaRoutes : public ::testing::Test {
 protected:
  std::shared_ptr<FakeExchange> ask(std::string_view method, std::string_view path, std::string body) {
    auto exchange = std::make_shared<FakeExchange>(
        http::Request{.method = std::string(method), .path = std::string(path), .body = std::move(body)});
    for (const http::Route& route : routes(backend_))
      if (route.method == method && route.path == path) route.handler(exchange);
    return exchange;
  }
  std::shared_ptr<FakeExchange> post(std::string_view path, std::string body) {
    return ask("POST", path, std::move(body));
  }

  std::shared_ptr<ScriptedBackend> backend_ = std::make_shared<ScriptedBackend>();
};

// The objects of a stream, or the one of an answer without; times and durations are checked and left out.
std::vector<std::string> objects(const std::shared_ptr<FakeExchange>& exchange) {
  std::vector<std::string> lines;
  std::string body = exchange->body();
  if (!body.ends_with('\n')) body += '\n';
  for (std::size_t end = 0; (end = body.find('\n')) != std::string::npos; body.erase(0, end + 1)) {
    json::object object = json::parse(body.substr(0, end)).as_object();
    if (object.contains("created_at")) {
      EXPECT_EQ(object.at("created_at").as_string().size(), 27U);
      object.stable_erase("created_at");
    }
    if (object.contains("total_duration")) {
      EXPECT_GE(object.at("total_duration").as_int64(), 0);
      object.stable_erase("total_duration");
    }
    lines.push_back(json::serialize(object));
  }
  return lines;
}

TEST_F(OllamaRoutes, AChatIsALineForEveryPiece) {
  backend_->script = small_answer();
  const auto exchange = post("/api/chat", kChat);
  EXPECT_EQ(exchange->status(), 200U);
  EXPECT_EQ(exchange->content_type(), "application/x-ndjson");
  EXPECT_TRUE(exchange->is_complete());
  EXPECT_EQ(
      objects(exchange),
      (std::vector<std::string>{
          R"({"model":"m:latest","message":{"role":"assistant","content":"","thinking":"hm"},"done":false})",
          R"({"model":"m:latest","message":{"role":"assistant","content":"Hel"},"done":false})",
          R"({"model":"m:latest","message":{"role":"assistant","content":"lo"},"done":false})",
          R"({"model":"m:latest","message":{"role":"assistant","content":""},"done":true,)"
          R"("done_reason":"stop","load_duration":0,"prompt_eval_count":10,)"
          R"("prompt_eval_duration":500000000,"eval_count":3,"eval_duration":1000000000})"}));
  ASSERT_EQ(backend_->generated.size(), 1U);
  EXPECT_EQ(backend_->generated[0].model, "m");
}

TEST_F(OllamaRoutes, WithoutAStreamTheLastObjectIsTheAnswer) {
  backend_->script = small_answer();
  for (const auto& [path, body, place] :
       {std::tuple{"/api/chat", kWholeChat, "message"}, std::tuple{"/api/generate", kWholeGenerate, ""}}) {
    const auto exchange = post(path, body);
    EXPECT_EQ(exchange->content_type(), "application/json");
    EXPECT_FALSE(exchange->is_stream());
    const json::value answer = json::parse(exchange->body());
    const json::value& text = *place == '\0' ? answer : answer.at(place);
    EXPECT_EQ(text.at(*place == '\0' ? "response" : "content"), "Hello");
    EXPECT_EQ(text.at("thinking"), "hm");
    EXPECT_EQ(answer.at("done"), true);
    EXPECT_EQ(answer.at("eval_count"), 3);
  }
}

TEST_F(OllamaRoutes, ACallIsToldWhenItIsWhole) {
  backend_->script = {testing::tell_start(1),
                      testing::tell_call_begin(0, "f", "call_a"),
                      testing::tell_call_arguments(0, R"({"x":)"),
                      testing::tell_call_arguments(0, "1}"),
                      testing::tell_call_end(0),
                      testing::tell_finish(Finish::kToolCalls),
                      testing::tell_done({})};
  const auto exchange = post("/api/chat", kChat);
  const std::vector<std::string> lines = objects(exchange);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(json::serialize(json::parse(lines[0]).at("message")),
            R"({"role":"assistant","content":"","tool_calls":[{"id":"call_a",)"
            R"("function":{"index":0,"name":"f","arguments":{"x":1}}}]})");
}

TEST_F(OllamaRoutes, AnEmptyPromptLoadsTheModel) {
  backend_->script = {testing::tell_start(1), testing::tell_content("x"),
                      testing::tell_finish(Finish::kLength), testing::tell_done({.load_s = 2})};
  EXPECT_EQ(
      objects(post("/api/generate", R"({"model": "m", "keep_alive": "5m"})")),
      std::vector<std::string>{
          R"({"model":"m","response":"","done":true,"done_reason":"load","load_duration":2000000000})"});
  ASSERT_EQ(backend_->generated.size(), 1U);
  EXPECT_EQ(backend_->generated[0].max_tokens, 1U);
  backend_->listed[0].loaded = true;
  const json::value loaded = json::parse(post("/api/chat", R"({"model": "m", "messages": []})")->body());
  EXPECT_EQ(loaded.at("done_reason"), "load");
  EXPECT_EQ(loaded.at("message").at("content"), "");
  EXPECT_EQ(backend_->generated.size(), 1U);
}

TEST_F(OllamaRoutes, AContextThatIsTooLargeIsRefused) {
  backend_->listed[0].context_tokens = 4096;
  backend_->script = small_answer();
  const auto ask_for = [&](std::string_view tokens) {
    return post("/api/generate",
                R"({"model": "m", "prompt": "Hi", "options": {"num_ctx": )" + std::string(tokens) + "}}");
  };
  EXPECT_EQ(ask_for("4096")->status(), 200U);
  const auto refused = ask_for("4097");
  EXPECT_EQ(refused->status(), 400U);
  EXPECT_EQ(
      refused->body(),
      R"({"error":"options.num_ctx: the context of \"m\" has 4096 tokens; it is set where the server is started"})");
}

TEST_F(OllamaRoutes, ErrorsHaveTheirStatus) {
  EXPECT_EQ(post("/api/chat", "{")->status(), 400U);
  const auto unknown = post("/api/chat", R"({"model": "x", "messages": [{"role": "user", "content": ""}]})");
  EXPECT_EQ(unknown->status(), 404U);
  EXPECT_TRUE(json::parse(unknown->body()).at("error").is_string());
  const auto unload = post("/api/generate", R"({"model": "m", "keep_alive": 0})");
  EXPECT_EQ(unload->status(), 400U);
  backend_->refusal = Error{ErrorCode::kBusy, "too many requests", ""};
  backend_->retry_s = 3;
  for (const std::string& body : {kChat, kWholeChat}) {
    const auto busy = post("/api/chat", body);
    EXPECT_EQ(busy->status(), 429U);
    EXPECT_EQ(busy->header("Retry-After"), "3");
    EXPECT_EQ(busy->body(), R"({"error":"too many requests"})");
  }
}

TEST_F(OllamaRoutes, AnErrorInAStreamIsItsLastLine) {
  backend_->script = {testing::tell_start(1), testing::tell_content("a"),
                      testing::tell_error({ErrorCode::kIo, "the disk is gone", "/secret/path"})};
  const auto exchange = post("/api/generate", kGenerate);
  EXPECT_TRUE(exchange->is_complete());
  EXPECT_EQ(objects(exchange).back(), R"({"error":"the disk is gone"})");
}

TEST_F(OllamaRoutes, AClientThatLeavesEndsItsTask) {
  for (const std::string& body : {kChat, kWholeChat}) {
    backend_ = std::make_shared<ScriptedBackend>();
    backend_->script = small_answer();
    backend_->at_once = 2;
    const auto exchange = post("/api/chat", body);
    EXPECT_EQ(backend_->living_sinks(), 1U);
    exchange->close();
    EXPECT_EQ(backend_->cancelled(), 1U);
    EXPECT_EQ(backend_->living_sinks(), 0U);
  }
}

TEST_F(OllamaRoutes, AClientThatDoesNotReadEndsItsTask) {
  backend_->script = small_answer();
  backend_->at_once = 2;
  const auto exchange = post("/api/chat", kChat);
  exchange->set_unsent_bytes(kMostUnsentBytes + 1);
  backend_->play(1);
  EXPECT_EQ(backend_->cancelled(), 1U);
  EXPECT_TRUE(exchange->is_complete());
  EXPECT_TRUE(json::parse(objects(exchange).back()).as_object().contains("error"));
}

TEST_F(OllamaRoutes, NothingOutlivesTheAnswer) {
  struct Case {
    std::vector<testing::Tell> script;
    std::optional<Error> refusal;
  };
  for (const auto& [script, refusal] : std::vector<Case>{
           {small_answer(), std::nullopt},
           {{testing::tell_start(1), testing::tell_error({ErrorCode::kIo, "no", ""})}, std::nullopt},
           {{}, Error{ErrorCode::kBusy, "no", ""}}})
    for (const auto& [path, body] : std::vector<std::pair<std::string, std::string>>{
             {"/api/chat", kChat}, {"/api/chat", kWholeChat}, {"/api/generate", R"({"model": "m"})"}}) {
      backend_ = std::make_shared<ScriptedBackend>();
      backend_->script = script;
      backend_->refusal = refusal;
      std::weak_ptr<FakeExchange> exchange;
      {
        const auto alive = post(path, body);
        EXPECT_TRUE(alive->is_complete());
        exchange = alive;
      }
      EXPECT_TRUE(exchange.expired());
      EXPECT_EQ(backend_->living_sinks(), 0U);
      EXPECT_EQ(backend_.use_count(), 1);
    }
}

TEST_F(OllamaRoutes, TextsBecomeVectors) {
  backend_->vectors = {.rows = {{0.6F, 0.8F, 0}, {0, 1, 0}}, .prompt_tokens = 5};
  const auto embed = post("/api/embed", R"({"model": "m:latest", "input": ["a", "b"]})");
  EXPECT_EQ(objects(embed),
            std::vector<std::string>{R"({"model":"m:latest","embeddings":[[6E-1,8E-1,0E0],[0E0,1E0,0E0]],)"
                                     R"("load_duration":0,"prompt_eval_count":5})"});
  ASSERT_TRUE(backend_->embedded);
  EXPECT_EQ(backend_->embedded->model, "m");
  EXPECT_EQ(backend_->embedded->inputs.size(), 2U);
  EXPECT_EQ(post("/api/embeddings", R"({"model": "m", "prompt": "a"})")->body(),
            R"({"embedding":[6E-1,8E-1,0E0]})");
  const json::value shorter =
      json::parse(post("/api/embed", R"({"model": "m", "input": "a", "dimensions": 1})")->body());
  EXPECT_EQ(shorter.at("embeddings").at(0), json::value(json::array{1.0}));
}

TEST_F(OllamaRoutes, VectorsOfNothingAndOfNoModel) {
  EXPECT_EQ(json::parse(post("/api/embed", R"({"model": "m", "input": []})")->body()).at("embeddings"),
            json::array());
  EXPECT_EQ(post("/api/embeddings", R"({"model": "m", "prompt": ""})")->body(), R"({"embedding":[]})");
  EXPECT_EQ(post("/api/embed", R"({"model": "x", "input": "a"})")->status(), 404U);
  EXPECT_EQ(post("/api/embed", R"({"model": "m"})")->status(), 400U);
  backend_->refusal = Error{ErrorCode::kTooLong, "too long", ""};
  EXPECT_EQ(post("/api/embed", R"({"model": "m", "input": "a"})")->status(), 400U);
}

TEST(Cut, LeavesAVectorOfLengthOne) {
  std::vector<float> vector = {3, 4, 12};
  cut(vector, 2);
  EXPECT_EQ(vector, (std::vector<float>{0.6F, 0.8F}));
  cut(vector, 5);
  EXPECT_EQ(vector.size(), 2U);
  std::vector<float> zero = {0, 1};
  cut(zero, 1);
  EXPECT_EQ(zero, std::vector<float>{0});
}

TEST_F(OllamaRoutes, TellWhatThereIs) {
  backend_->listed[0].arch = "qwen3";
  backend_->listed[0].loaded = true;
  EXPECT_EQ(json::parse(ask("GET", "/api/tags", "")->body()).at("models").at(0).at("name"), "m:latest");
  EXPECT_EQ(json::parse(ask("GET", "/api/ps", "")->body()).at("models").at(0).at("name"), "m:latest");
  EXPECT_EQ(json::parse(post("/api/show", R"({"model": "m:latest"})")->body()).at("details").at("family"),
            "qwen3");
  EXPECT_EQ(json::parse(post("/api/show", R"({"name": "m"})")->body()).at("details").at("family"), "qwen3");
  EXPECT_EQ(post("/api/show", R"({"model": "x"})")->status(), 404U);
  EXPECT_EQ(ask("GET", "/api/version", "")->body(), R"({"version":"0.12.11"})");
}

TEST_F(OllamaRoutes, WhatChangesModelsIsRefusedWithAnAlternative) {
  for (const auto& [method, path] :
       {std::pair{"POST", "/api/pull"}, std::pair{"POST", "/api/push"}, std::pair{"POST", "/api/create"},
        std::pair{"POST", "/api/copy"}, std::pair{"DELETE", "/api/delete"}}) {
    const auto exchange = ask(method, path, "{}");
    EXPECT_EQ(exchange->status(), 501U) << path;
    EXPECT_FALSE(json::parse(exchange->body()).at("error").as_string().empty()) << path;
  }
  EXPECT_NE(post("/api/pull", "{}")->body().find("cistern pull"), std::string::npos);
}

}  // namespace
}  // namespace cistern::serve::ollama
