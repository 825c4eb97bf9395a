#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <limits>
#include <string>
#include <vector>

#include "serve/openai/protocol_test.h"

namespace cistern::serve::openai {
namespace {

using namespace cistern::testing;
using Kind = Delta::Kind;

constexpr char kPath[] = "/v1/chat/completions";
constexpr char kHello[] = R"({"model": "m", "messages": [{"role": "user", "content": "Hi"}]})";
constexpr char kHelloStream[] =
    R"({"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": true})";

const Usage kUsage = {.prompt_tokens = 10,
                      .cached_tokens = 4,
                      .completion_tokens = 5,
                      .reasoning_tokens = 2,
                      .queue_s = 0.25,
                      .prefill_s = 0.5,
                      .decode_s = 2};
constexpr char kUsageJson[] = R"({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15,
  "prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens_details": {"reasoning_tokens": 2}})";
constexpr char kTimingsJson[] = R"({"queue_ms": 250.0, "load_ms": 0.0, "cache_n": 4, "prompt_n": 6,
  "prompt_ms": 500.0, "prompt_per_second": 12.0, "predicted_n": 5, "predicted_ms": 2000.0,
  "predicted_per_second": 2.5})";

std::vector<Tell> reasoned_answer() {
  return {tell_start(10, 4),  tell_reasoning("hm"),      tell_content("Hel"),
          tell_content("lo"), tell_finish(Finish::kEnd), tell_done(kUsage)};
}

std::vector<Tell> two_calls() {
  return {tell_start(10),
          tell_call_begin(0, "f", "call_a"),
          tell_call_arguments(0, "{\"x\":"),
          tell_call_arguments(0, "1}"),
          tell_call_end(0),
          tell_deltas(0, {{.kind = Kind::kCallBegin, .call = 1, .name = "g", .id = "call_b"},
                          {.kind = Kind::kCallArguments, .text = "{", .call = 1},
                          {.kind = Kind::kCallArguments, .text = "}", .call = 1},
                          {.kind = Kind::kCallEnd, .call = 1}}),
          tell_finish(Finish::kToolCalls),
          tell_done(kUsage)};
}

std::string chunk(const std::string& choices, const std::string& further = "") {
  return compact(R"({"id": "ID", "object": "chat.completion.chunk", "created": 0, "model": "m",
                     "system_fingerprint": "ID", "choices": [)" +
                 choices + "]" + further + "}");
}

std::string delta_chunk(const std::string& delta, const std::string& finish = "null") {
  return chunk(R"({"index": 0, "delta": )" + delta + R"(, "logprobs": null, "finish_reason": )" + finish +
               "}");
}

class ChatReply : public ProtocolTest {};

TEST_F(ChatReply, ADocumentTellsAnswerReasoningAndUsage) {
  backend->script = reasoned_answer();
  const auto exchange = post(kPath, kHello);
  EXPECT_EQ(exchange->status(), 200U);
  EXPECT_EQ(exchange->content_type(), "application/json");
  EXPECT_EQ(
      stable(exchange->body()), compact(std::string(R"({"id": "ID", "object": "chat.completion", "created": 0,
    "model": "m", "system_fingerprint": "ID", "choices": [{"index": 0, "message": {"role": "assistant",
    "content": "Hello", "refusal": null, "reasoning_content": "hm"}, "logprobs": null, "finish_reason": "stop"}],
    "usage": )") + kUsageJson + R"(, "timings": )" +
                                        kTimingsJson + "}"));
}

TEST_F(ChatReply, ADocumentTellsCallsAndNoContent) {
  backend->script = two_calls();
  const auto message = boost::json::parse(post(kPath, kHello)->body()).at("choices").at(0);
  EXPECT_EQ(message.at("finish_reason"), "tool_calls");
  EXPECT_EQ(message.at("message"),
            boost::json::parse(R"({"role": "assistant", "content": null, "refusal": null,
    "tool_calls": [{"id": "call_a", "type": "function", "function": {"name": "f", "arguments": "{\"x\":1}"}},
                   {"id": "call_b", "type": "function", "function": {"name": "g", "arguments": "{}"}}]})"));
}

TEST_F(ChatReply, AStreamBeginsWithTheRoleAndEndsWithDone) {
  backend->script = reasoned_answer();
  const auto exchange = post(kPath, kHelloStream);
  EXPECT_EQ(exchange->content_type(), "text/event-stream; charset=utf-8");
  EXPECT_EQ(exchange->header("Cache-Control"), "no-cache");
  EXPECT_EQ(stable_events(*exchange),
            (std::vector<std::string>{
                delta_chunk(R"({"role": "assistant", "content": ""})"),
                delta_chunk(R"({"reasoning_content": "hm"})"), delta_chunk(R"({"content": "Hel"})"),
                delta_chunk(R"({"content": "lo"})"), delta_chunk("{}", "\"stop\""), "[DONE]"}));
}

TEST_F(ChatReply, TheFirstPieceComesWhenThePromptWasRead) {
  backend->script = reasoned_answer();
  backend->at_once = 0;
  const auto exchange = post(kPath, kHelloStream);
  EXPECT_FALSE(exchange->is_stream());
  backend->play(1);
  EXPECT_EQ(exchange->pieces().size(), 1U);
  backend->play(1);
  EXPECT_EQ(exchange->pieces().size(), 2U);
  backend->play();
}

TEST_F(ChatReply, CallsAreStreamedByIndexWithPiecesOfTheirArguments) {
  backend->script = two_calls();
  const auto call = [](const std::string& entry) {
    return delta_chunk(R"({"tool_calls": [)" + entry + "]}");
  };
  EXPECT_EQ(
      stable_events(*post(kPath, kHelloStream)),
      (std::vector<std::string>{
          delta_chunk(R"({"role": "assistant", "content": ""})"),
          call(
              R"({"index": 0, "function": {"arguments": "", "name": "f"}, "id": "call_a", "type": "function"})"),
          call(R"({"index": 0, "function": {"arguments": "{\"x\":"}})"),
          call(R"({"index": 0, "function": {"arguments": "1}"}})"),
          call(
              R"({"index": 1, "function": {"arguments": "{}", "name": "g"}, "id": "call_b", "type": "function"})"),
          delta_chunk("{}", "\"tool_calls\""), "[DONE]"}));
}

TEST_F(ChatReply, AStreamTellsItsUsageWhenAsked) {
  backend->script = {tell_start(10), tell_content("x"), tell_finish(Finish::kLength), tell_done(kUsage)};
  const auto exchange = post(kPath, R"({"messages": [{"role": "user", "content": "Hi"}], "stream": true,
                                        "stream_options": {"include_usage": true}})");
  const std::vector<std::string> events = stable_events(*exchange);
  ASSERT_EQ(events.size(), 5U);
  EXPECT_EQ(events[1],
            chunk(R"({"index": 0, "delta": {"content": "x"}, "logprobs": null, "finish_reason": null})",
                  R"(, "usage": null)"));
  EXPECT_EQ(events[3],
            chunk("", std::string(R"(, "usage": )") + kUsageJson + R"(, "timings": )" + kTimingsJson));
  EXPECT_EQ(events[4], "[DONE]");
}

TEST_F(ChatReply, EachChoiceIsToldByItsIndex) {
  backend->script = {tell_start(3),        tell_content("a", 0),
                     tell_content("b", 1), tell_finish(Finish::kStop, 1),
                     tell_content("c", 0), tell_finish(Finish::kLength, 0),
                     tell_done({})};
  const std::string body = R"({"messages": [{"role": "user", "content": "Hi"}], "n": 2)";
  const auto choices = boost::json::parse(post(kPath, body + "}")->body()).at("choices");
  EXPECT_EQ(choices.at(0).at("message").at("content"), "ac");
  EXPECT_EQ(choices.at(0).at("finish_reason"), "length");
  EXPECT_EQ(choices.at(1).at("index"), 1);
  EXPECT_EQ(choices.at(1).at("message").at("content"), "b");
  EXPECT_EQ(choices.at(1).at("finish_reason"), "stop");

  std::vector<std::int64_t> indices;
  for (const std::string& event : stable_events(*post(kPath, body + R"(, "stream": true})")))
    if (event != "[DONE]")
      indices.push_back(boost::json::parse(event).at("choices").at(0).at("index").as_int64());
  EXPECT_EQ(indices, (std::vector<std::int64_t>{0, 1, 0, 1, 1, 0, 0}));
}

TEST_F(ChatReply, LogprobsHaveBytesAndAlternatives) {
  const ChosenLogprob token = {
      .chosen = {.id = 1, .bytes = "\xF0\x9F", .logprob = -0.1F},
      .top = {{.id = 1, .bytes = "\xF0\x9F", .logprob = -0.1F},
              {.id = 2, .bytes = "a", .logprob = -std::numeric_limits<float>::infinity()}}};
  backend->script = {tell_start(1), tell_deltas(0, {}, {token}),
                     tell_deltas(0, {{.kind = Kind::kContent, .text = "\xF0\x9F\x98\x80"}}, {token}),
                     tell_finish(Finish::kEnd), tell_done({})};
  const std::string body =
      R"({"messages": [{"role": "user", "content": "Hi"}], "logprobs": true, "top_logprobs": 2)";
  const auto one = boost::json::parse(R"({"token": "\\xf0\\x9f", "logprob": -0.1, "bytes": [240, 159],
    "top_logprobs": [{"token": "\\xf0\\x9f", "logprob": -0.1, "bytes": [240, 159]},
                     {"token": "a", "logprob": -3.4028235e38, "bytes": [97]}]})");
  const auto document = boost::json::parse(post(kPath, body + "}")->body());
  const boost::json::value both = {{"content", {one, one}}, {"refusal", nullptr}};
  EXPECT_EQ(document.at("choices").at(0).at("logprobs"), both);

  const auto events = stable_events(*post(kPath, body + R"(, "stream": true})"));
  ASSERT_EQ(events.size(), 5U);
  for (const std::size_t i : {1U, 2U}) {
    const auto content = boost::json::parse(events[i]).at("choices").at(0).at("logprobs").at("content");
    EXPECT_EQ(content, boost::json::value(boost::json::array{one}));
  }
}

TEST_F(ChatReply, WhatWasCutOffCountsAsTooLong) {
  backend->script = {tell_start(1), tell_finish(Finish::kCancelled), tell_done({})};
  const auto document = boost::json::parse(post(kPath, kHello)->body());
  EXPECT_EQ(document.at("choices").at(0).at("finish_reason"), "length");
  EXPECT_EQ(document.at("choices").at(0).at("message").at("content"), "");
}

}  // namespace
}  // namespace cistern::serve::openai
