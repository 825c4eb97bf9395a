#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "serve/openai/protocol_test.h"

namespace cistern::serve::openai {
namespace {

using namespace cistern::testing;
using Kind = Delta::Kind;

constexpr char kPath[] = "/v1/completions";

class Completions : public ProtocolTest {};

TEST_F(Completions, ADocumentHasTextAndUsage) {
  backend->script = {tell_start(2), tell_content("ab"), tell_content("c"), tell_finish(Finish::kStop),
                     tell_done({.prompt_tokens = 2, .completion_tokens = 2})};
  EXPECT_EQ(
      stable(post(kPath, R"({"prompt": "x", "model": "m"})")->body()),
      compact(
          R"({"id": "ID", "object": "text_completion", "created": 0, "model": "m", "system_fingerprint": "ID",
    "choices": [{"index": 0, "text": "abc", "logprobs": null, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 2, "completion_tokens": 2, "total_tokens": 4,
      "prompt_tokens_details": {"cached_tokens": 0}, "completion_tokens_details": {"reasoning_tokens": 0}},
    "timings": {"queue_ms": 0.0, "load_ms": 0.0, "cache_n": 0, "prompt_n": 2, "prompt_ms": 0.0,
      "prompt_per_second": 0.0, "predicted_n": 2, "predicted_ms": 0.0, "predicted_per_second": 0.0}})"));
}

TEST_F(Completions, AStreamHasPiecesOfText) {
  backend->script = {tell_start(2), tell_content("ab"), tell_finish(Finish::kLength), tell_done({})};
  const auto piece = [](const std::string& choice) {
    return compact(
        R"({"id": "ID", "object": "text_completion", "created": 0, "model": "m", "system_fingerprint": "ID",
                       "choices": [)" +
        choice + "]}");
  };
  const auto exchange = post(kPath, R"({"prompt": "x", "stream": true})");
  EXPECT_EQ(exchange->content_type(), "text/event-stream; charset=utf-8");
  EXPECT_EQ(
      stable_events(*exchange),
      (std::vector<std::string>{
          piece(R"({"index": 0, "text": "ab", "logprobs": null, "finish_reason": null})"),
          piece(R"({"index": 0, "text": "", "logprobs": null, "finish_reason": "length"})"), "[DONE]"}));
}

TEST_F(Completions, EveryPromptIsATaskAndEveryChoiceHasItsIndex) {
  backend->script = {tell_start(2),
                     tell_content("a", 0),
                     tell_content("b", 1),
                     tell_finish(Finish::kEnd, 0),
                     tell_finish(Finish::kEnd, 1),
                     tell_done({.prompt_tokens = 2, .completion_tokens = 2})};
  const auto document = boost::json::parse(post(kPath, R"({"prompt": ["x", "y", "z"], "n": 2})")->body());
  std::string texts;
  const auto& choices = document.at("choices").as_array();
  for (std::size_t i = 0; i < choices.size(); ++i) {
    EXPECT_EQ(choices[i].at("index"), i);
    texts += choices[i].at("text").as_string();
  }
  EXPECT_EQ(texts, "ababab");
  EXPECT_EQ(document.at("usage").at("total_tokens"), 12);
  ASSERT_EQ(backend->generated.size(), 3U);
  EXPECT_EQ(std::get<RawText>(backend->generated[2].prompt).text, "z");
}

TEST_F(Completions, LogprobsAreColumnsWithOffsetsInCharacters) {
  const auto token = [](std::string bytes, float logprob, float other) {
    return ChosenLogprob{.chosen = {.bytes = bytes, .logprob = logprob},
                         .top = {{.bytes = "o", .logprob = other}, {.bytes = bytes, .logprob = logprob}}};
  };
  backend->script = {tell_start(1),
                     tell_deltas(0, {{.kind = Kind::kContent, .text = "P"}}, {token("P", NAN, 0)}),
                     tell_deltas(0, {{.kind = Kind::kContent, .text = "é"}}, {token("é", -0.5F, -0.25F)}),
                     tell_deltas(0, {}, {token("\xE4", -1, -2)}),
                     tell_finish(Finish::kEnd),
                     tell_done({})};
  const std::string body = R"({"prompt": "P", "echo": true, "logprobs": 1)";
  const auto document = boost::json::parse(post(kPath, body + "}")->body());
  EXPECT_EQ(document.at("choices").at(0).at("text"), "Pé");
  EXPECT_EQ(document.at("choices").at(0).at("logprobs"), boost::json::parse(R"({
    "tokens": ["P", "é", "bytes:\\xe4"], "token_logprobs": [null, -0.5, -1.0],
    "top_logprobs": [null, {"o": -0.25, "é": -0.5}, {"o": -2.0, "bytes:\\xe4": -1.0}], "text_offset": [0, 1, 2]})"));
  const auto events = stable_events(*post(kPath, body + R"(, "stream": true})"));
  ASSERT_EQ(events.size(), 5U);
  EXPECT_EQ(boost::json::parse(events[2]).at("choices").at(0).at("logprobs"), boost::json::parse(R"({
    "tokens": ["bytes:\\xe4"], "token_logprobs": [-1.0], "top_logprobs": [{"o": -2.0, "bytes:\\xe4": -1.0}],
    "text_offset": [2]})"));
}

TEST_F(Completions, Vllm054AnEmptyPromptIsTheBackendsToJudge) {
  backend->script = {tell_start(1), tell_finish(Finish::kEnd), tell_done({})};
  EXPECT_EQ(outcome(kPath, R"({"prompt": ""})"), "200");
  EXPECT_EQ(std::get<RawText>(backend->generated.back().prompt).text, "");
  EXPECT_EQ(outcome(kPath, R"({"prompt": [""]})"), "200");
  EXPECT_EQ(outcome(kPath, R"({"prompt": []})"), "400 prompt: has to have at least one element");
  EXPECT_EQ(outcome(kPath, R"({"prompt": [[]]})"), "400 prompt[0]: has to have at least one token");
  backend->refusal = Error{ErrorCode::kUsage, "the prompt is empty", "prompt"};
  EXPECT_EQ(outcome(kPath, R"({"prompt": ""})"), "400 prompt: the prompt is empty");
}

TEST_F(Completions, RequestsBecomeTasks) {
  const auto read = [&](const char* body) {
    backend->script = {tell_done({})};
    EXPECT_EQ(outcome(kPath, body), "200");
    return backend->generated.back();
  };
  EXPECT_EQ(std::get<RawTokens>(read(R"({"prompt": [1, 2]})").prompt), (RawTokens{1, 2}));
  EXPECT_EQ(std::get<RawTokens>(read(R"({"prompt": [[1, 2], [3]]})").prompt), (RawTokens{3}));
  EXPECT_EQ(std::get<RawText>(read(R"({"prompt": "a", "suffix": "b"})").prompt).suffix, "b");
  EXPECT_EQ(read(R"({"prompt": "a"})").max_tokens, 16U);
  EXPECT_EQ(read(R"({"prompt": "a", "max_tokens": -1})").max_tokens, 0U);
  EXPECT_EQ(read(R"({"prompt": "a", "max_tokens": 7})").max_tokens, 7U);
  EXPECT_TRUE(read(R"({"prompt": "a", "echo": true})").echo);
  const GenerationTask task = read(R"({"prompt": "a", "logprobs": 0, "n": 2, "best_of": 2})");
  EXPECT_TRUE(task.logprobs);
  EXPECT_EQ(task.top_logprobs, 0U);
  EXPECT_EQ(task.choices, 2U);
  EXPECT_FALSE(read(R"({"prompt": "a", "logprobs": null})").logprobs);
}

TEST_F(Completions, WhatIsWrongIsNamed) {
  for (const auto& [body, error] : std::vector<std::pair<const char*, const char*>>{
           {"{}", "prompt: is missing"},
           {R"({"prompt": null})", "prompt: has to be a string or an array of tokens, not null"},
           {R"({"prompt": {}})", "prompt: has to be a string or an array of tokens, not an object"},
           {R"({"prompt": [1, "a"]})", "prompt[1]: has to be an integer, not a string"},
           {R"({"prompt": ["a", 1]})", "prompt[1]: has to be a string or an array of tokens, not a number"},
           {R"({"prompt": [-1]})", "prompt[0]: has to be an integer from 0 to 2147483647"},
           {R"({"prompt": [1e300]})", "prompt[0]: has to be an integer from 0 to 2147483647"},
           {R"({"prompt": [1], "suffix": "x"})", "suffix: goes with prompts of text, not of tokens"},
           {R"({"prompt": "a", "logprobs": true})", "logprobs: has to be an integer, not a boolean"},
           {R"({"prompt": "a", "logprobs": 21})", "logprobs: has to be an integer from 0 to 20"},
           {R"({"prompt": "a", "best_of": 2})",
            "best_of: has to be n: choosing among more answers is not supported"},
           {R"({"prompt": "a", "max_tokens": 0})", "max_tokens: has to be at least 1, or -1 for no limit"},
       }) {
    EXPECT_EQ(outcome(kPath, body), std::string("400 ") + error) << body;
  }
  std::string prompts = R"({"prompt": ["a")";
  for (int i = 1; i < 33; ++i) prompts += R"(, "a")";
  EXPECT_EQ(outcome(kPath, prompts + R"(], "n": 2})"),
            "400 prompt: 33 prompts with 2 choices each are more than 64");
}

}  // namespace
}  // namespace cistern::serve::openai
