#include "serve/anthropic/request_reader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace cistern::serve::anthropic {
namespace {

namespace json = boost::json;

// A request with these further members.
std::string request(std::string_view members) {
  return fmt::format(R"({{"model": "m", "max_tokens": 5, {}}})", members);
}
constexpr std::string_view kHi = R"("messages": [{"role": "user", "content": "Hi"}])";

std::string with_messages(std::string_view messages) {
  return request(fmt::format(R"("messages": {})", messages));
}

std::string error_of(std::string_view body) {
  const auto read = read_messages_request(body);
  return read ? "no error" : fmt::format("{}: {}", name_of(read.error().code), describe(read.error()));
}

MessagesRequest read(std::string_view body) {
  auto read = read_messages_request(body);
  EXPECT_TRUE(read) << body << "\n" << error_of(body);
  return read ? *std::move(read) : MessagesRequest{.task = {.prompt = Conversation{}}};
}

const Conversation& conversation(const MessagesRequest& request) {
  return std::get<Conversation>(request.task.prompt);
}

TEST(AnthropicRequest, TheLeastIsAModelALimitAndAMessage) {
  const MessagesRequest least = read(request(kHi));
  EXPECT_EQ(least.task.model, "m");
  EXPECT_EQ(least.task.max_tokens, 5U);
  EXPECT_FALSE(least.stream);
  EXPECT_TRUE(least.task.stop.empty());
  EXPECT_FALSE(least.task.sampling.temperature || least.task.sampling.top_p || least.task.sampling.top_k);
  EXPECT_EQ(json::serialize(conversation(least).messages), R"([{"role":"user","content":"Hi"}])");
  EXPECT_FALSE(conversation(least).continue_last);
  EXPECT_EQ(conversation(least).reasoning, std::nullopt);
}

TEST(AnthropicRequest, SamplingAndStopsAreTaken) {
  const MessagesRequest full = read(request(fmt::format(
      R"({}, "temperature": 0.5, "top_p": 0.25, "top_k": 7, "stop_sequences": ["a", "b"], "stream": true,
          "metadata": {{"user_id": "u"}}, "service_tier": "auto", "cache_control": {{"type": "ephemeral"}},
          "mcp_servers": [], "container": null)",
      kHi)));
  EXPECT_EQ(full.task.sampling.temperature, 0.5F);
  EXPECT_EQ(full.task.sampling.top_p, 0.25F);
  EXPECT_EQ(full.task.sampling.top_k, 7U);
  EXPECT_EQ(full.task.stop, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(full.stream);
}

TEST(AnthropicRequest, MessagesBecomeThoseOfChatTemplates) {
  struct Case {
    std::string_view what, messages, expected;
  };
  for (
      const auto& [what, messages, expected] : std::vector<Case>{
          {"blocks of a user are joined by line feeds, whatever else they have",
           R"([{"role": "user", "content": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}},
                                             {"type": "text", "text": "b"}]}])",
           R"([{"role":"user","content":"a\nb"}])"},
          {"messages of one role become one",
           R"([{"role": "user", "content": "a"}, {"role": "user", "content": "b"},
                {"role": "assistant", "content": "c"}, {"role": "assistant", "content": [{"type": "text", "text": "d"}]},
                {"role": "user", "content": "e"}])",
           R"([{"role":"user","content":"a\nb"},{"role":"assistant","content":"cd"},{"role":"user","content":"e"}])"},
          {"calls and their results",
           R"([{"role": "user", "content": "?"},
                {"role": "assistant", "content": [{"type": "text", "text": "Look"},
                   {"type": "tool_use", "id": "t1", "name": "f", "input": {"x": 1}},
                   {"type": "tool_use", "id": "t2", "name": "g", "input": {}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t2", "content": "B"},
                   {"type": "tool_result", "tool_use_id": "t1", "is_error": true,
                    "content": [{"type": "text", "text": "no"}, {"type": "text", "text": "way"}]},
                   {"type": "text", "text": "and?"}]}])",
           R"([{"role":"user","content":"?"},{"role":"assistant","content":"Look","tool_calls":[)"
           R"({"id":"t1","type":"function","function":{"name":"f","arguments":{"x":1}}},)"
           R"({"id":"t2","type":"function","function":{"name":"g","arguments":{}}}]},)"
           R"({"role":"tool","tool_call_id":"t2","name":"g","content":"B"},)"
           R"({"role":"tool","tool_call_id":"t1","name":"f","content":"Error: no\nway"},)"
           R"({"role":"user","content":"and?"}])"},
          {"a result may be empty",
           R"([{"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}]}])",
           R"([{"role":"assistant","content":"","tool_calls":[{"id":"t","type":"function",)"
           R"("function":{"name":"f","arguments":{}}}]},{"role":"tool","tool_call_id":"t","name":"f","content":""}])"},
          {"thinking, whoever signed it",
           R"([{"role": "user", "content": "?"},
                {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": "x"},
                   {"type": "redacted_thinking", "data": "secret"}, {"type": "text", "text": "!"}]},
                {"role": "user", "content": "why"}])",
           R"([{"role":"user","content":"?"},{"role":"assistant","content":"!","reasoning_content":"hm"},)"
           R"({"role":"user","content":"why"}])"},
          {"a message of the system in between",
           R"([{"role": "user", "content": "a"}, {"role": "system", "content": [{"type": "text", "text": "be brief"}]},
                {"role": "user", "content": "b"}])",
           R"([{"role":"user","content":"a"},{"role":"system","content":"be brief"},{"role":"user","content":"b"}])"},
      })
    EXPECT_EQ(json::serialize(conversation(read(with_messages(messages))).messages), expected) << what;
}

TEST(AnthropicRequest, TheSystemComesFirst) {
  const auto messages = [](std::string_view system) {
    return json::serialize(
        conversation(read(request(fmt::format(R"("system": {}, {})", system, kHi)))).messages);
  };
  EXPECT_EQ(messages(R"("Be brief")"),
            R"([{"role":"system","content":"Be brief"},{"role":"user","content":"Hi"}])");
  EXPECT_EQ(messages(R"([{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}},
                         {"type": "text", "text": "b"}])"),
            R"([{"role":"system","content":"a\nb"},{"role":"user","content":"Hi"}])");
  EXPECT_EQ(messages("[]"), R"([{"role":"user","content":"Hi"}])");
}

TEST(AnthropicRequest, ALastMessageOfTheAssistantIsContinued) {
  const MessagesRequest prefill = read(
      with_messages(R"([{"role": "user", "content": "?"}, {"role": "assistant", "content": "It is ("}])"));
  EXPECT_TRUE(conversation(prefill).continue_last);
  EXPECT_EQ(conversation(prefill).messages.size(), 2U);
  const MessagesRequest empty =
      read(with_messages(R"([{"role": "user", "content": "?"}, {"role": "assistant", "content": ""}])"));
  EXPECT_FALSE(conversation(empty).continue_last);
  EXPECT_EQ(json::serialize(conversation(empty).messages), R"([{"role":"user","content":"?"}])");
}

TEST(AnthropicRequest, ToolsHaveTheFormOfChatTemplates) {
  const MessagesRequest tools = read(request(fmt::format(
      R"({}, "tools": [{{"name": "f", "description": "does", "input_schema": {{"type": "object"}},
                         "cache_control": {{"type": "ephemeral"}}, "strict": true}},
                       {{"type": "custom", "name": "g", "input_schema": {{}}}}])",
      kHi)));
  EXPECT_EQ(
      json::serialize(conversation(tools).tools),
      R"([{"type":"function","function":{"name":"f","description":"does","parameters":{"type":"object"},)"
      R"("strict":true}},{"type":"function","function":{"name":"g","parameters":{}}}])");
  EXPECT_EQ(conversation(tools).tool_choice, ToolChoice::kAuto);
  EXPECT_TRUE(conversation(tools).parallel_tool_calls);
}

TEST(AnthropicRequest, ToolsAreChosen) {
  struct Case {
    std::string_view choice;
    ToolChoice expected;
    bool parallel;
  };
  for (const auto& [choice, expected, parallel] : {
           Case{R"({"type": "auto", "disable_parallel_tool_use": true})", ToolChoice::kAuto, false},
           Case{R"({"type": "any"})", ToolChoice::kRequired, true},
           Case{R"({"type": "tool", "name": "f", "disable_parallel_tool_use": false})", ToolChoice::kNamed,
                true},
           Case{R"({"type": "none"})", ToolChoice::kNone, true},
       }) {
    const MessagesRequest chosen = read(request(fmt::format(
        R"({}, "tools": [{{"name": "f", "input_schema": {{}}}}], "tool_choice": {})", kHi, choice)));
    EXPECT_EQ(conversation(chosen).tool_choice, expected) << choice;
    EXPECT_EQ(conversation(chosen).tool_name, expected == ToolChoice::kNamed ? "f" : "") << choice;
    EXPECT_EQ(conversation(chosen).parallel_tool_calls, parallel) << choice;
  }
}

TEST(AnthropicRequest, ThinkingAndEffortAreWishes) {
  const auto with = [](std::string_view members) {
    return read(request(fmt::format(R"({}, {})", kHi, members)));
  };
  EXPECT_EQ(conversation(with(R"("thinking": {"type": "enabled", "budget_tokens": 1024})")).reasoning, true);
  EXPECT_EQ(conversation(with(R"("thinking": {"type": "disabled"})")).reasoning, false);
  EXPECT_EQ(conversation(with(R"("thinking": {"type": "adaptive"})")).reasoning, std::nullopt);
  EXPECT_EQ(conversation(with(R"("output_config": {"effort": "low"})")).reasoning_effort, "low");
  EXPECT_EQ(conversation(with(R"("output_config": {"effort": "max"})")).reasoning_effort, "high");
  const MessagesRequest schema =
      with(R"("output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}})");
  ASSERT_TRUE(schema.task.format.json_schema);
  EXPECT_EQ(json::serialize(*schema.task.format.json_schema), R"({"type":"object"})");
}

TEST(AnthropicRequest, WhatCannotBeDoneIsNamed) {
  struct Case {
    std::string body;
    std::string_view expected;
  };
  const auto messages_with = [](std::string_view block) {
    return with_messages(fmt::format(R"([{{"role": "user", "content": [{}]}}])", block));
  };
  const auto assistant_with = [](std::string_view block) {
    return with_messages(fmt::format(R"([{{"role": "assistant", "content": [{}]}}])", block));
  };
  const auto and_also = [](std::string_view members) { return request(fmt::format("{}, {}", kHi, members)); };
  for (
      const auto& [body, expected] : std::vector<Case>{
          {"[]", "usage: the body has to be a JSON object"},
          {R"({"max_tokens": 5, "messages": []})", "usage: model: is missing"},
          {R"({"model": "", "max_tokens": 5, "messages": []})", "usage: model: must not be empty"},
          {R"({"model": "m", "max_tokens": 5})", "usage: messages: is missing"},
          {with_messages("[]"), "usage: messages: has to have at least one message"},
          {with_messages("{}"), "usage: messages: has to be an array, not an object"},
          {with_messages(R"([{"role": "tool", "content": ""}])"),
           "usage: messages[0].role: has to be one of: user, assistant, system"},
          {with_messages(R"([{"role": "user", "content": 1}])"),
           "usage: messages[0].content: has to be a string or an array of blocks, not a number"},
          {with_messages(R"([{"role": "user", "content": []}])"),
           "usage: messages[0]: there is nothing to answer: all messages are empty"},
          {messages_with(R"({"type": "image", "source": {}})"),
           R"(unsupported: messages[0].content[0]: blocks of type "image" are not supported here)"},
          {messages_with(R"({"type": "document", "source": {}})"),
           R"(unsupported: messages[0].content[0]: blocks of type "document" are not supported here)"},
          {messages_with(R"({"type": "thinking", "thinking": ""})"),
           R"(usage: messages[0].content[0]: blocks of type "thinking" belong into messages of the assistant)"},
          {messages_with(R"({"type": "text"})"), "usage: messages[0].content[0].text: is missing"},
          {messages_with(R"({"type": "tool_result", "tool_use_id": "t"})"),
           "usage: messages[0].content[0].tool_use_id: no tool_use block before has this id, or it has its "
           "result "
           "already"},
          {assistant_with(R"({"type": "tool_use", "id": "t", "name": "f", "input": {}})"),
           "usage: messages[0]: the last message uses tools: their results are missing"},
          {assistant_with(R"({"type": "tool_use", "id": "t", "name": "f", "input": "{}"})"),
           "usage: messages[0].content[0].input: has to be an object, not a string"},
          {with_messages(
               R"([{"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t",
                                              "content": [{"type": "image"}]}]}])"),
           R"(unsupported: messages[1].content[0].content[0]: blocks of type "image" are not supported here)"},
          {R"({"model": "m", "messages": [{"role": "user", "content": "a"}]})",
           "usage: max_tokens: is missing"},
          {R"({"model": "m", "max_tokens": 0, "messages": [{"role": "user", "content": "a"}]})",
           "usage: max_tokens: has to be an integer from 1 to 2147483647"},
          {and_also(R"("system": [{"type": "image"}])"),
           R"(unsupported: system[0]: blocks of type "image" are not supported here)"},
          {and_also(R"("temperature": 2.5)"), "usage: temperature: has to be a number from 0 to 2"},
          {and_also(R"("top_p": -0.1)"), "usage: top_p: has to be a number from 0 to 1"},
          {and_also(R"("top_k": -1)"), "usage: top_k: has to be an integer from 0 to 2147483647"},
          {and_also(R"("stream": "yes")"), "usage: stream: has to be a boolean, not a string"},
          {and_also(R"("stop_sequences": ["a", ""])"),
           "usage: stop_sequences[1]: has to have 1 to 256 characters"},
          {and_also(fmt::format(R"("stop_sequences": ["{}"])", std::string(kMostStopBytes / 4 + 1, 'x'))),
           "usage: stop_sequences[0]: has to have 1 to 256 characters"},
          {and_also(R"("stop_sequences": [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17])"),
           "usage: stop_sequences: has 17 elements, at most 16 are allowed"},
          {and_also(R"("thinking": {"type": "between_tools"})"),
           "usage: thinking.type: has to be one of: enabled, disabled, adaptive"},
          {and_also(R"("thinking": {"type": "enabled", "budget_tokens": 0})"),
           "usage: thinking.budget_tokens: has to be an integer from 1 to 2147483647"},
          {and_also(R"("output_config": {"effort": "some"})"),
           "usage: output_config.effort: has to be one of: low, medium, high, xhigh, max"},
          {and_also(R"("output_config": {"format": {"type": "json_schema", "schema": []}})"),
           "usage: output_config.format.schema: has to be an object, not an array"},
          {and_also(R"("mcp_servers": [{"url": "https://x"}])"),
           "unsupported: mcp_servers: is not supported"},
          {and_also(R"("tools": [{"type": "web_search_20250305", "name": "web_search"}])"),
           R"(unsupported: tools[0]: tools of type "web_search_20250305" are not supported: give a name, )"
           "a description and an input_schema"},
          {and_also(R"("tools": [{"name": "f"}])"), "usage: tools[0].input_schema: is missing"},
          {and_also(R"("tools": [{"name": "f", "input_schema": {}}, {"name": "f", "input_schema": {}}])"),
           R"(usage: tools[1]: a second tool "f")"},
          {and_also(R"("tool_choice": {"type": "any"})"),
           "usage: tool_choice: wants a tool to be used, but there are no tools"},
          {and_also(
               R"("tools": [{"name": "f", "input_schema": {}}], "tool_choice": {"type": "tool", "name": "g"})"),
           "usage: tool_choice.name: is the name of no tool of this request"},
      })
    EXPECT_EQ(error_of(body), expected) << body;
}

TEST(AnthropicRequest, CountingNeedsNoLimitOfTheAnswer) {
  const auto task =
      read_count_request(R"({"model": "m", "system": "s", "messages": [{"role": "user", "content": "a"}]})");
  ASSERT_TRUE(task);
  EXPECT_EQ(json::serialize(std::get<Conversation>(task->prompt).messages),
            R"([{"role":"system","content":"s"},{"role":"user","content":"a"}])");
  EXPECT_FALSE(read_count_request(R"({"model": "m"})"));
}

}  // namespace
}  // namespace cistern::serve::anthropic
