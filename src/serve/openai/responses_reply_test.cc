#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <string>
#include <vector>

#include "serve/openai/protocol_test.h"

namespace cistern::serve::openai {
namespace {

using namespace cistern::testing;

constexpr char kPath[] = "/v1/responses";
const Usage kUsage = {.prompt_tokens = 10, .cached_tokens = 4, .completion_tokens = 5, .reasoning_tokens = 2};

std::string response(const std::string& status, const std::string& output, const std::string& usage,
                     const std::string& more = "") {
  return R"({"id": "ID", "object": "response", "created_at": 0, "status": ")" + status +
         R"(", "background": false, "error": null, "incomplete_details": null, "model": "m", "output": [)" +
         output + R"(], "previous_response_id": null, "store": false, "truncation": "disabled", "usage": )" +
         usage + more +
         R"(, "instructions": null, "max_output_tokens": null, "max_tool_calls": null, "metadata": {},
         "parallel_tool_calls": true, "reasoning": {"effort": null, "summary": null}, "temperature": null,
         "text": {"format": {"type": "text"}}, "tool_choice": "auto", "tools": [], "top_logprobs": 0,
         "top_p": null, "user": null})";
}

constexpr char kUsageJson[] = R"({"input_tokens": 10, "input_tokens_details": {"cached_tokens": 4,
  "cache_write_tokens": 0}, "output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 2}, "total_tokens": 15})";
constexpr char kReasoning[] = R"({"id": "ID", "status": "completed", "content": [{"type": "reasoning_text",
  "text": "hm"}], "type": "reasoning", "summary": []})";
constexpr char kMessage[] = R"({"id": "ID", "status": "completed", "content": [{"type": "output_text",
  "annotations": [], "logprobs": [], "text": "Hi"}], "type": "message", "role": "assistant"})";
constexpr char kCall[] = R"({"id": "ID", "status": "completed", "type": "function_call", "call_id": "call_a",
  "name": "f", "arguments": "{\"x\":1}"})";

class Responses : public ProtocolTest {
 protected:
  Responses() {
    backend->script = {tell_start(10, 4),
                       tell_reasoning("hm"),
                       tell_content("Hi"),
                       tell_call_begin(0, "f", "call_a"),
                       tell_call_arguments(0, "{\"x\":"),
                       tell_call_arguments(0, "1}"),
                       tell_call_end(0),
                       tell_finish(Finish::kToolCalls),
                       tell_done(kUsage)};
  }
};

TEST_F(Responses, ADocumentHasTheItemsInTheirOrder) {
  const std::string items = std::string(kReasoning) + "," + kMessage + "," + kCall;
  EXPECT_EQ(stable(post(kPath, R"({"input": "x", "store": true})")->body()),
            compact(response("completed", items, kUsageJson, R"(, "completed_at": 0)")));
}

TEST_F(Responses, AStreamTellsHowItemsGrow) {
  const auto exchange = post(kPath, R"({"input": "x", "stream": true})");
  const auto names = sse_events(exchange->body());
  std::vector<std::string> expected;
  const auto event = [&](const std::string& type, const std::string& fields) {
    EXPECT_EQ(names.at(expected.size()).event, type);
    expected.push_back(compact(R"({"type": ")" + type + R"(", "sequence_number": )" +
                               std::to_string(expected.size()) + ", " + fields + "}"));
  };
  const auto item = [](const std::string& index, const std::string& json) {
    return R"("output_index": )" + index + R"(, "item": )" + json;
  };
  const auto of = [](const std::string& fields, const std::string& index) {
    return fields + R"(, "content_index": 0, "item_id": "ID", "output_index": )" + index;
  };
  const auto of_call = [](const std::string& fields) {
    return fields + R"(, "item_id": "ID", "output_index": 2)";
  };

  event("response.created", R"("response": )" + response("in_progress", "", "null"));
  event("response.in_progress", R"("response": )" + response("in_progress", "", "null"));
  event("response.output_item.added",
        item("0",
             R"({"id": "ID", "status": "in_progress", "content": [], "type": "reasoning", "summary": []})"));
  event("response.content_part.added", of(R"("part": {"type": "reasoning_text", "text": ""})", "0"));
  event("response.reasoning_text.delta", of(R"("delta": "hm")", "0"));
  event("response.reasoning_text.done", of(R"("text": "hm")", "0"));
  event("response.content_part.done", of(R"("part": {"type": "reasoning_text", "text": "hm"})", "0"));
  event("response.output_item.done", item("0", kReasoning));
  event(
      "response.output_item.added",
      item(
          "1",
          R"({"id": "ID", "status": "in_progress", "content": [], "type": "message", "role": "assistant"})"));
  event("response.content_part.added",
        of(R"("part": {"type": "output_text", "annotations": [], "logprobs": [], "text": ""})", "1"));
  event("response.output_text.delta", of(R"("delta": "Hi", "logprobs": [])", "1"));
  event("response.output_text.done", of(R"("text": "Hi", "logprobs": [])", "1"));
  event("response.content_part.done",
        of(R"("part": {"type": "output_text", "annotations": [], "logprobs": [], "text": "Hi"})", "1"));
  event("response.output_item.done", item("1", kMessage));
  event("response.output_item.added",
        item("2", R"({"id": "ID", "status": "in_progress", "type": "function_call",
                                                    "call_id": "call_a", "name": "f", "arguments": ""})"));
  event("response.function_call_arguments.delta", of_call(R"("delta": "{\"x\":")"));
  event("response.function_call_arguments.delta", of_call(R"("delta": "1}")"));
  event("response.function_call_arguments.done", of_call(R"("name": "f", "arguments": "{\"x\":1}")"));
  event("response.output_item.done", item("2", kCall));
  event("response.completed",
        R"("response": )" + response("completed", std::string(kReasoning) + "," + kMessage + "," + kCall,
                                     kUsageJson, R"(, "completed_at": 0)"));
  EXPECT_EQ(stable_events(*exchange), expected);
}

TEST_F(Responses, OneThatIsCutOffIsIncomplete) {
  backend->script = {tell_start(1), tell_content("a"), tell_finish(Finish::kLength), tell_done(kUsage)};
  const auto document = boost::json::parse(post(kPath, R"({"input": "x"})")->body());
  EXPECT_EQ(document.at("status"), "incomplete");
  EXPECT_EQ(document.at("incomplete_details").at("reason"), "max_output_tokens");
  EXPECT_EQ(document.at("output").at(0).at("status"), "incomplete");
  EXPECT_EQ(sse_events(post(kPath, R"({"input": "x", "stream": true})")->body()).back().event,
            "response.incomplete");
}

TEST_F(Responses, OneThatFailsSaysWhy) {
  backend->script = {tell_start(1), tell_content("a"), tell_error({ErrorCode::kIo, "the disk failed", ""})};
  const SseEvent last = sse_events(post(kPath, R"({"input": "x", "stream": true})")->body()).back();
  EXPECT_EQ(last.event, "response.failed");
  const auto failed = boost::json::parse(last.data).at("response");
  EXPECT_EQ(failed.at("status"), "failed");
  EXPECT_EQ(failed.at("error"),
            boost::json::parse(R"({"code": "server_error", "message": "the disk failed"})"));
  EXPECT_EQ(failed.at("output").at(0).at("content").at(0).at("text"), "a");
}

TEST_F(Responses, RepeatWhatWasAsked) {
  const auto document =
      boost::json::parse(post(kPath, R"({"input": "x", "instructions": "i", "temperature": 0.5,
    "metadata": {"k": "v"}, "tools": [{"type": "function", "name": "f", "parameters": {}}]})")
                             ->body());
  EXPECT_EQ(document.at("instructions"), "i");
  EXPECT_EQ(document.at("temperature"), 0.5);
  EXPECT_EQ(document.at("metadata").at("k"), "v");
  EXPECT_EQ(document.at("tools").at(0).at("name"), "f");
}

TEST_F(Responses, LogprobsGoWithTheTextTheyBelongTo) {
  const ChosenLogprob token = {.chosen = {.bytes = "H", .logprob = -0.5F}};
  backend->script = {tell_start(1), tell_deltas(0, {}, {token}), tell_deltas(0, {{.text = "Hi"}}, {token}),
                     tell_finish(Finish::kEnd), tell_done({})};
  const auto document = boost::json::parse(
      post(kPath, R"({"input": "x", "include": ["message.output_text.logprobs"]})")->body());
  const auto& part = document.at("output").at(0).at("content").at(0);
  EXPECT_EQ(part.at("logprobs"), boost::json::parse(R"([
    {"token": "H", "logprob": -0.5, "bytes": [72], "top_logprobs": []},
    {"token": "H", "logprob": -0.5, "bytes": [72], "top_logprobs": []}])"));
}

}  // namespace
}  // namespace cistern::serve::openai
