#include "serve/openai/chat_request.h"

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

// A request with one message and these further fields.
std::string with(const std::string& fields) {
  return R"({"messages": [{"role": "user", "content": "Hi"}])" + (fields.empty() ? "" : ", " + fields) + "}";
}

std::string with_message(const std::string& message) {
  return R"({"messages": [)" + message + "]}";
}

std::string error_of(const std::string& body) {
  const auto request = read_chat_request(body);
  return request ? "no error" : describe(request.error());
}

GenerationTask task_of(const std::string& body) {
  auto request = read_chat_request(body);
  if (!request) ADD_FAILURE() << describe(request.error()) << "\n" << body;
  return request ? std::move(request->task) : GenerationTask{.prompt = Conversation{}};
}

Conversation conversation_of(const std::string& body) {
  return std::get<Conversation>(task_of(body).prompt);
}

TEST(ChatRequest, MessagesBecomeWhatTemplatesKnow) {
  const Conversation conversation = conversation_of(R"({"model": "x", "messages": [
    {"role": "developer", "content": "Be brief."},
    {"role": "user", "name": "Ann", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
    {"role": "assistant", "content": null, "reasoning_content": "hm", "tool_calls": [
      {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"x\": [1, 2.5]}"}},
      {"id": "c2", "type": "function", "function": {"name": "g", "arguments": ""}}]},
    {"role": "tool", "tool_call_id": "c1", "content": "3"},
    {"role": "function", "name": "g", "content": "4"},
    {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}], "reasoning": "so"},
    {"role": "assistant"}]})");
  EXPECT_EQ(json::value(conversation.messages), json::parse(R"([
    {"role": "system", "content": "Be brief."},
    {"role": "user", "name": "Ann", "content": "a\nb"},
    {"role": "assistant", "content": null, "reasoning_content": "hm", "tool_calls": [
      {"id": "c1", "type": "function", "function": {"name": "f", "arguments": {"x": [1, 2.5]}}},
      {"id": "c2", "type": "function", "function": {"name": "g", "arguments": {}}}]},
    {"role": "tool", "tool_call_id": "c1", "content": "3"},
    {"role": "tool", "name": "g", "content": "4"},
    {"role": "assistant", "content": "no", "reasoning_content": "so"},
    {"role": "assistant", "content": ""}])"));
}

TEST(ChatRequest, ToolsAndTheirChoice) {
  const std::string tools = R"("tools": [{"type": "function", "function": {"name": "f", "description": "d",
    "parameters": {"type": "object", "properties": {"x": {"type": "integer"}}}, "strict": true, "other": 1}},
    {"type": "function", "function": {"name": "g"}}])";
  const Conversation conversation = conversation_of(with(tools));
  EXPECT_EQ(json::value(conversation.tools), json::parse(R"([
    {"type": "function", "function": {"name": "f", "description": "d",
      "parameters": {"type": "object", "properties": {"x": {"type": "integer"}}}, "strict": true}},
    {"type": "function", "function": {"name": "g", "parameters": {"type": "object", "properties": {}}}}])"));
  EXPECT_EQ(conversation.tool_choice, ToolChoice::kAuto);
  EXPECT_TRUE(conversation.parallel_tool_calls);
  const auto choice = [&](const std::string& value) {
    return conversation_of(with(tools + R"(, "parallel_tool_calls": false, "tool_choice": )" + value));
  };
  EXPECT_EQ(choice("\"none\"").tool_choice, ToolChoice::kNone);
  EXPECT_EQ(choice("\"required\"").tool_choice, ToolChoice::kRequired);
  EXPECT_FALSE(choice("\"auto\"").parallel_tool_calls);
  const Conversation named = choice(R"({"type": "function", "function": {"name": "g"}})");
  EXPECT_EQ(named.tool_choice, ToolChoice::kNamed);
  EXPECT_EQ(named.tool_name, "g");
}

TEST(ChatRequest, SamplingIsReadIntoItsFields) {
  const GenerationTask task = task_of(with(R"("model": "m", "temperature": 0.5, "top_p": 0.75, "min_p": 0.25,
    "typical_p": 1, "repetition_penalty": 1.5, "presence_penalty": -2, "frequency_penalty": 2, "top_k": 40,
    "seed": 7, "logit_bias": {"5": -100, "6": 1.5}, "stop": ["a", "b"], "n": 3, "max_tokens": 9,
    "logprobs": true, "top_logprobs": 20, "ignore_eos": true, "timeout": 1.5, "unknown": {"x": 1})"));
  EXPECT_EQ(task.model, "m");
  EXPECT_EQ(task.sampling.temperature, 0.5F);
  EXPECT_EQ(task.sampling.top_p, 0.75F);
  EXPECT_EQ(task.sampling.min_p, 0.25F);
  EXPECT_EQ(task.sampling.typical_p, 1.0F);
  EXPECT_EQ(task.sampling.repetition_penalty, 1.5F);
  EXPECT_EQ(task.sampling.presence_penalty, -2.0F);
  EXPECT_EQ(task.sampling.frequency_penalty, 2.0F);
  EXPECT_EQ(task.sampling.top_k, 40U);
  EXPECT_EQ(task.sampling.seed, 7U);
  EXPECT_EQ(task.sampling.logit_bias,
            (std::vector<std::pair<text::TokenId, float>>{{5, -100.0F}, {6, 1.5F}}));
  EXPECT_EQ(task.stop, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(task.choices, 3U);
  EXPECT_EQ(task.max_tokens, 9U);
  EXPECT_TRUE(task.logprobs);
  EXPECT_EQ(task.top_logprobs, 20U);
  EXPECT_TRUE(task.ignore_end);
  EXPECT_EQ(task.timeout_s, 1.5);
}

TEST(ChatRequest, WhatIsAbsentOrNullIsLeftToTheModel) {
  for (const char* fields : {"", R"("temperature": null, "top_k": null, "seed": null, "stop": null, "n": null,
      "max_tokens": null, "logprobs": null, "tools": null, "tool_choice": null, "response_format": null,
      "stream": null, "stream_options": null, "functions": null, "logit_bias": null, "model": null)"}) {
    const GenerationTask task = task_of(with(fields));
    EXPECT_EQ(task.model, "");
    EXPECT_FALSE(task.sampling.temperature || task.sampling.top_k || task.sampling.seed || task.timeout_s);
    EXPECT_EQ(task.choices, 1U);
    EXPECT_EQ(task.max_tokens, 0U);
    EXPECT_FALSE(task.logprobs);
  }
}

TEST(ChatRequest, MinusOneStandsForNone) {
  const GenerationTask task = task_of(with(R"("max_tokens": -1, "seed": -1, "top_k": -1)"));
  EXPECT_EQ(task.max_tokens, 0U);
  EXPECT_FALSE(task.sampling.seed);
  EXPECT_EQ(task.sampling.top_k, 0U);
}

TEST(ChatRequest, TheNewerNameOfTheLimitCounts) {
  EXPECT_EQ(task_of(with(R"("max_tokens": 5, "max_completion_tokens": 6)")).max_tokens, 6U);
}

TEST(ChatRequest, FormatsOfTheAnswer) {
  EXPECT_TRUE(task_of(with(R"("response_format": {"type": "json_object"})")).format.json_object);
  EXPECT_EQ(
      task_of(with(R"("response_format": {"type": "json_schema", "json_schema": {"name": "s", "strict": true,
    "schema": {"type": "object"}}})"))
          .format.json_schema,
      json::parse(R"({"type": "object"})"));
  EXPECT_EQ(task_of(with(R"("grammar": "root ::= \"a\"")")).format.grammar, "root ::= \"a\"");
  const Format plain = task_of(with(R"("response_format": {"type": "text"}, "grammar": "")")).format;
  EXPECT_FALSE(plain.json_object || plain.json_schema || !plain.grammar.empty());
}

TEST(ChatRequest, Reasoning) {
  const auto read = [](const char* fields) { return conversation_of(with(fields)); };
  EXPECT_FALSE(read("").reasoning);
  EXPECT_EQ(read(R"("enable_thinking": false)").reasoning, false);
  EXPECT_EQ(read(R"("reasoning_effort": "none")").reasoning, false);
  EXPECT_EQ(read(R"("reasoning_effort": "minimal")").reasoning_effort, "low");
  EXPECT_EQ(read(R"("reasoning_effort": "xhigh")").reasoning_effort, "high");
  const Conversation conversation = read(R"("chat_template_kwargs": {"enable_thinking": false, "x": 1})");
  EXPECT_EQ(conversation.reasoning, false);
  EXPECT_EQ(json::value(conversation.template_arguments),
            json::parse(R"({"enable_thinking": false, "x": 1})"));
}

TEST(ChatRequest, TheLastMessageMayBeContinued) {
  const std::string body =
      R"({"continue_final_message": true, "messages": [{"role": "user", "content": "a"})";
  EXPECT_TRUE(conversation_of(body + R"(, {"role": "assistant", "content": "b"}]})").continue_last);
  EXPECT_EQ(error_of(body + "]}"), "continue_final_message: the last message is not the assistant's");
}

TEST(ChatRequest, StreamOptions) {
  const auto request =
      read_chat_request(with(R"("stream": true, "stream_options": {"include_usage": true})"));
  ASSERT_TRUE(request);
  EXPECT_TRUE(request->stream.stream);
  EXPECT_TRUE(request->stream.include_usage);
}

TEST(ChatRequest, WhatIsWrongInMessagesIsNamed) {
  for (const auto& [body, error] : std::vector<std::pair<std::string, std::string>>{
           {"{}", "messages: is missing"},
           {R"({"messages": []})", "messages: has to have at least one message"},
           {R"({"messages": {}})", "messages: has to be an array, not an object"},
           {R"({"messages": ["x"]})", "messages[0]: has to be an object, not a string"},
           {with_message(R"({"content": "x"})"), "messages[0].role: is missing"},
           {with_message(R"({"role": "tester", "content": "x"})"),
            "messages[0].role: has to be one of: system, developer, user, assistant, tool, function"},
           {with_message(R"({"role": "user"})"), "messages[0].content: is missing"},
           {with_message(R"({"role": "user", "content": null})"), "messages[0].content: is missing"},
           {with_message(R"({"role": "user", "content": 1})"),
            "messages[0].content: has to be a string or an array of parts, not a number"},
           {with_message(R"({"role": "user", "content": [{"text": "x"}]})"),
            "messages[0].content[0].type: is missing"},
           {with_message(R"({"role": "user", "content": [{"type": "text", "text": "x"},
              {"type": "image_url", "image_url": {"url": "data:"}}]})"),
            "messages[0].content[1]: parts of the type 'image_url' are not supported, text alone is"},
           {with_message(R"({"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]})"),
            "messages[0].content[0]: parts of the type 'input_audio' are not supported, text alone is"},
           {with_message(R"({"role": "assistant", "tool_calls": [{"function": {"arguments": "{}"}}]})"),
            "messages[0].tool_calls[0].function.name: is missing"},
           {with_message(
                R"({"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "[]"}}]})"),
            "messages[0].tool_calls[0].function.arguments: has to be the text of a JSON object"},
           {with_message(
                R"({"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{"}}]})"),
            "messages[0].tool_calls[0].function.arguments: has to be the text of a JSON object"},
           {with_message(R"({"role": "assistant", "tool_calls": [{"type": "custom", "custom": {}}]})"),
            "messages[0].tool_calls[0].type: calls of the type 'custom' are not supported"},
       }) {
    EXPECT_EQ(error_of(body), error) << body;
  }
}

TEST(ChatRequest, WhatIsWrongInOtherFieldsIsNamed) {
  for (const auto& [fields, error] : std::vector<std::pair<std::string, std::string>>{
           {R"("model": 1)", "model: has to be a string, not a number"},
           {R"("temperature": -0.1)", "temperature: has to be a number from 0 to 100"},
           {R"("temperature": "1")", "temperature: has to be a number, not a string"},
           {R"("top_p": 1.1)", "top_p: has to be a number from 0 to 1"},
           {R"("presence_penalty": 2.5)", "presence_penalty: has to be a number from -2 to 2"},
           {R"("top_k": -2)", "top_k: has to be an integer from -1 to 1048576"},
           {R"("seed": 1.5)", "seed: has to be an integer from -9223372036854775808 to 9223372036854775807"},
           {R"("n": 0)", "n: has to be an integer from 1 to 16"},
           {R"("max_tokens": 0)", "max_tokens: has to be at least 1, or -1 for no limit"},
           {R"("max_tokens": -2)", "max_tokens: has to be an integer from -1 to 2147483647"},
           {R"("max_tokens": 2147483648)", "max_tokens: has to be an integer from -1 to 2147483647"},
           {R"("logit_bias": [])", "logit_bias: has to be an object, not an array"},
           {R"("logit_bias": {"x": 1})", "logit_bias: has a name that is not the number of a token"},
           {R"("logit_bias": {"-1": 1})", "logit_bias: has a name that is not the number of a token"},
           {R"("logit_bias": {"1000000000": 1})", "logit_bias: has a name that is not the number of a token"},
           {R"("logit_bias": {"5": 101})", "logit_bias.5: has to be a number from -100 to 100"},
           {R"("stop": 1)", "stop: has to be a string or an array of strings, not a number"},
           {R"("stop": "")", "stop: has to have 1 to 256 characters"},
           {R"("stop": ["a", ""])", "stop[1]: has to have 1 to 256 characters"},
           {R"("stop": ")" + std::string(257, 'x') + '"', "stop: has to have 1 to 256 characters"},
           {R"("logprobs": 1)", "logprobs: has to be a boolean, not a number"},
           {R"("response_format": {"type": "xml"})",
            "response_format.type: has to be one of: text, json_object, json_schema"},
           {R"("response_format": {"type": "json_schema"})", "response_format.json_schema: is missing"},
           {R"("response_format": {"type": "json_schema", "json_schema": {"schema": []}})",
            "response_format.json_schema.schema: has to be a JSON schema, not an array"},
           {R"("response_format": {"type": "json_object"}, "grammar": "x")",
            "grammar: cannot be given together with response_format"},
           {R"("reasoning_effort": "huge")",
            "reasoning_effort: has to be one of: none, minimal, low, medium, high, xhigh, max"},
           {R"("tools": [{"type": "web_search"}])",
            "tools[0].type: tools of the type 'web_search' are not supported, functions alone are"},
           {R"("tools": [{"type": "function", "function": {"name": ""}}])",
            "tools[0].function.name: has to have 1 to 128 characters"},
           {R"("tools": [{"type": "function", "function": {"name": "f", "parameters": []}}])",
            "tools[0].function.parameters: has to be an object, not an array"},
           {R"("tool_choice": "required")", "tool_choice: requires a call, but there are no tools"},
           {R"("tool_choice": "any")", "tool_choice: has to be one of: auto, none, required"},
           {R"("tool_choice": {"type": "function", "function": {"name": "f"}})",
            "tool_choice.function.name: is none of the tools"},
           {R"("functions": [])", "functions: is not supported: use tools"},
           {R"("modalities": ["text", "audio"])", "modalities[1]: answers are text"},
           {R"("stream_options": {"include_usage": 1})",
            "stream_options.include_usage: has to be a boolean, not a number"},
           {R"("timeout": -1)", "timeout: has to be a number from 0.1 to 86400"},
       }) {
    EXPECT_EQ(error_of(with(fields)), error) << fields;
  }
}

// Rows of the table of vulnerabilities that others had in their requests.
TEST(PeerVulnerabilities, Cve202634756ChoicesAndWhatElseFansOutAreBoundedBeforeWorkStarts) {
  EXPECT_EQ(error_of(with(R"("n": 1000000)")), "n: has to be an integer from 1 to 16");
  EXPECT_EQ(error_of(with(R"("logprobs": true, "top_logprobs": 1000000)")),
            "top_logprobs: has to be an integer from 0 to 20");
  std::string stops = R"("stop": ["a")", biases = R"("logit_bias": {"0": 1)", tools = R"("tools": [{})";
  for (int i = 1; i <= 1024; ++i) {
    stops += R"(, "a")";
    biases += R"(, ")" + std::to_string(i) + R"(": 1)";
    tools += ", {}";
  }
  EXPECT_EQ(error_of(with(stops + "]")), "stop: has 1025 elements, at most 16 are allowed");
  EXPECT_EQ(error_of(with(biases + "}")), "logit_bias: has 1025 tokens, at most 1024 are allowed");
  EXPECT_EQ(error_of(with(tools + "]")), "tools: has 1025 elements, at most 512 are allowed");
}

TEST(PeerVulnerabilities, Cve202621869NegativeNumbersAreNoSizes) {
  for (const char* name : {"n", "top_logprobs", "max_tokens", "top_k"}) {
    const std::string error = error_of(with("\"" + std::string(name) + R"(": -5)"));
    EXPECT_TRUE(error.starts_with(std::string(name) + ": has to be an integer from")) << error;
  }
}

TEST(PeerVulnerabilities, LlamaCpp22606DepthOfASchemaIsBounded) {
  const std::string deep = std::string(200'000, '[') + std::string(200'000, ']');
  EXPECT_EQ(error_of(with(R"("response_format": {"type": "json_schema", "json_schema": {"schema": )" + deep +
                          "}}")),
            "the JSON is nested deeper than 64 levels");
  EXPECT_EQ(error_of(with_message(R"({"role": "assistant", "tool_calls": [{"function": {"name": "f",
                                     "arguments": ")" +
                                  deep + R"("}}]})")),
            "messages[0].tool_calls[0].function.arguments: has to be the text of a JSON object");
}

}  // namespace
}  // namespace cistern::serve::openai
