#include "serve/openai/responses_request.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace cistern::serve::openai {
namespace {

namespace json = boost::json;

ResponsesRequest read(const std::string& body) {
  auto request = read_responses_request(body);
  if (!request) ADD_FAILURE() << describe(request.error()) << "\n" << body;
  return request ? *std::move(request) : ResponsesRequest{.task = {.prompt = Conversation{}}};
}

Conversation conversation_of(const std::string& body) {
  return std::get<Conversation>(read(body).task.prompt);
}

std::string error_of(const std::string& body) {
  const auto request = read_responses_request(body);
  return request ? "no error" : describe(request.error());
}

TEST(ResponsesRequest, AStringIsAMessageOfTheUser) {
  EXPECT_EQ(
      json::value(conversation_of(R"({"input": "Hi", "instructions": "Be brief."})").messages),
      json::parse(R"([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}])"));
}

TEST(ResponsesRequest, ItemsOfOneTurnBecomeOneMessage) {
  EXPECT_EQ(json::value(conversation_of(R"({"input": [
      {"role": "user", "content": "a"},
      {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]},
      {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
       "content": [{"type": "output_text", "text": "b", "annotations": []}]},
      {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{\"x\": 1}"},
      {"type": "function_call", "call_id": "c2", "name": "g", "arguments": "{}"},
      {"type": "function_call_output", "call_id": "c1", "output": "1"},
      {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "2"}]},
      {"type": "reasoning", "summary": [{"type": "summary_text", "text": "so"}]},
      {"type": "function_call", "call_id": "c3", "name": "f", "arguments": ""},
      {"type": "function_call_output", "call_id": "c3", "output": "3"},
      {"role": "assistant", "content": "c"},
      {"role": "assistant", "content": "d"},
      {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "e"}]}]})")
                            .messages),
            json::parse(R"([
      {"role": "user", "content": "a"},
      {"role": "assistant", "content": "b", "reasoning_content": "hm", "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": {"x": 1}}},
        {"id": "c2", "type": "function", "function": {"name": "g", "arguments": {}}}]},
      {"role": "tool", "tool_call_id": "c1", "content": "1"},
      {"role": "tool", "tool_call_id": "c2", "content": "2"},
      {"role": "assistant", "content": null, "reasoning_content": "so", "tool_calls": [
        {"id": "c3", "type": "function", "function": {"name": "f", "arguments": {}}}]},
      {"role": "tool", "tool_call_id": "c3", "content": "3"},
      {"role": "assistant", "content": "c"},
      {"role": "assistant", "content": "d"},
      {"role": "user", "content": "e"}])"));
}

TEST(ResponsesRequest, InstructionsAndTheFirstMessagesOfTheSystemAreOne) {
  EXPECT_EQ(
      json::value(conversation_of(R"({"instructions": "a", "input": [{"role": "developer", "content": "b"},
      {"role": "system", "content": "c"}, {"role": "user", "content": "d"}, {"role": "system", "content": "e"}]})")
                      .messages),
      json::parse(R"([{"role": "system", "content": "a\n\nb\n\nc"}, {"role": "user", "content": "d"},
                            {"role": "system", "content": "e"}])"));
}

TEST(ResponsesRequest, ToolsAreFlatAndFormatsInText) {
  const ResponsesRequest request = read(R"({"input": "x", "max_output_tokens": 9, "temperature": 0,
    "tools": [{"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}, "strict": true}],
    "tool_choice": {"type": "function", "name": "f"}, "parallel_tool_calls": false, "reasoning": {"effort": "high"},
    "text": {"format": {"type": "json_schema", "name": "s", "schema": {"type": "array"}, "strict": true}},
    "top_logprobs": 2, "store": true, "stream": true, "truncation": "auto"})");
  const auto& conversation = std::get<Conversation>(request.task.prompt);
  EXPECT_EQ(json::value(conversation.tools), json::parse(R"([{"type": "function", "function": {"name": "f",
    "description": "d", "parameters": {"type": "object"}, "strict": true}}])"));
  EXPECT_EQ(conversation.tool_choice, ToolChoice::kNamed);
  EXPECT_EQ(conversation.tool_name, "f");
  EXPECT_FALSE(conversation.parallel_tool_calls);
  EXPECT_EQ(conversation.reasoning_effort, "high");
  EXPECT_EQ(request.task.format.json_schema, json::parse(R"({"type": "array"})"));
  EXPECT_EQ(request.task.max_tokens, 9U);
  EXPECT_EQ(request.task.sampling.temperature, 0.0F);
  EXPECT_TRUE(request.task.logprobs);
  EXPECT_EQ(request.task.top_logprobs, 2U);
  EXPECT_TRUE(request.stream);
  EXPECT_TRUE(read(R"({"input": "x", "include": ["message.output_text.logprobs"]})").task.logprobs);
  EXPECT_FALSE(read(R"({"input": "x", "include": ["reasoning.encrypted_content"]})").task.logprobs);
}

TEST(ResponsesRequest, WhatIsWrongIsNamed) {
  for (const auto& [body, error] : std::vector<std::pair<const char*, const char*>>{
           {"{}", "input: is missing"},
           {R"({"input": []})", "input: has to have at least one item"},
           {R"({"input": [{"type": "reasoning", "summary": []}]})",
            "input: has nothing that could be answered"},
           {R"({"input": 1})", "input: has to be a string or an array of items, not a number"},
           {R"({"input": ["a"]})", "input[0]: has to be an object, not a string"},
           {R"({"input": [{"type": "web_search_call"}]})",
            "input[0]: items of the type 'web_search_call' are not supported"},
           {R"({"input": [{"role": "tool", "content": "x"}]})",
            "input[0].role: has to be one of: user, assistant, system, developer"},
           {R"({"input": [{"role": "user", "content": [{"type": "input_image"}]}]})",
            "input[0].content[0]: parts of the type 'input_image' are not supported, text alone is"},
           {R"({"input": [{"type": "function_call", "name": "f", "arguments": "{}"}]})",
            "input[0].call_id: is missing"},
           {R"({"input": [{"type": "function_call", "call_id": "c", "name": "f", "arguments": "x"}]})",
            "input[0].arguments: has to be the text of a JSON object"},
           {R"({"input": [{"type": "function_call_output", "call_id": "c"}]})",
            "input[0].output: is missing"},
           {R"({"input": "x", "tools": [{"type": "web_search"}]})",
            "tools[0].type: tools of the type 'web_search' are not supported, functions alone are"},
           {R"({"input": "x", "tools": [{"type": "mcp", "server_url": "http://x"}]})",
            "tools[0].type: tools of the type 'mcp' are not supported, functions alone are"},
           {R"({"input": "x", "tool_choice": {"type": "file_search"}})",
            "tool_choice.type: tools of the type 'file_search' are not supported, functions alone are"},
           {R"({"input": "x", "previous_response_id": "resp_1"})",
            "previous_response_id: is not supported: this server keeps no responses, send the whole input"},
           {R"({"input": "x", "background": true})",
            "background: is not supported: this server keeps no responses, send the whole input"},
           {R"({"input": "x", "n": 2})", "n: a response has one answer"},
           {R"({"input": "x", "max_output_tokens": 0})",
            "max_output_tokens: has to be at least 1, or -1 for no limit"},
           {R"({"input": "x", "reasoning": {"effort": 1}})",
            "reasoning.effort: has to be a string, not a number"},
           {R"({"input": "x", "text": {"format": {"type": "json_schema", "schema": 1}}})",
            "text.format.schema: has to be a JSON schema, not a number"},
       }) {
    EXPECT_EQ(error_of(body), error) << body;
  }
}

}  // namespace
}  // namespace cistern::serve::openai
