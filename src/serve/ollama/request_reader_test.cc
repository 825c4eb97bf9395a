#include "serve/ollama/request_reader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "serve/ollama/messages_reader.h"

namespace cistern::serve::ollama {
namespace {

namespace json = boost::json;

using Wish = AnswerRequest::Wish;

std::string error_of(const auto& read) {
  return read ? "no error" : fmt::format("{}: {}", name_of(read.error().code), describe(read.error()));
}

AnswerRequest good(Result<AnswerRequest> read) {
  EXPECT_TRUE(read) << error_of(read);
  return read ? *std::move(read) : AnswerRequest{.task = {.prompt = Conversation{}}};
}

AnswerRequest chat(std::string_view messages, std::string_view members = {}) {
  return good(read_chat_request(fmt::format(R"({{"model": "m", "messages": {}{}}})", messages, members)));
}

// A chat of one message with these further members.
std::string hi(std::string_view members) {
  return fmt::format(R"({{"model": "m", "messages": [{{"role": "user", "content": "Hi"}}], {}}})", members);
}

AnswerRequest generate(std::string_view members) {
  return good(read_generate_request(fmt::format(R"({{"model": "m", {}}})", members)));
}

const Conversation& conversation(const AnswerRequest& request) {
  return std::get<Conversation>(request.task.prompt);
}

TEST(OllamaChat, IsStreamedUnlessItIsNotWanted) {
  const AnswerRequest least = chat(R"([{"role": "user", "content": "Hi"}])");
  EXPECT_EQ(least.model, "m");
  EXPECT_EQ(least.wish, Wish::kAnswer);
  EXPECT_TRUE(least.stream);
  EXPECT_EQ(least.task.max_tokens, 0U);
  EXPECT_EQ(json::serialize(conversation(least).messages), R"([{"role":"user","content":"Hi"}])");
  EXPECT_FALSE(good(read_chat_request(hi(R"("stream": false)"))).stream);
}

TEST(OllamaChat, NamesLoseTheTagThatClientsAdd) {
  const AnswerRequest read = good(read_generate_request(R"({"model": "small:latest", "prompt": "a"})"));
  EXPECT_EQ(read.model, "small:latest");
  EXPECT_EQ(read.task.model, "small");
  EXPECT_EQ(good(read_generate_request(R"({"name": "small:4b", "prompt": "a"})")).task.model, "small:4b");
}

TEST(OllamaChat, MessagesBecomeThoseOfChatTemplates) {
  struct Case {
    std::string_view what, messages, expected;
  };
  for (
      const auto& [what, messages, expected] : std::vector<Case>{
          {"roles and thinking",
           R"([{"role": "system", "content": "s", "images": []}, {"role": "user", "content": "a"},
                {"role": "assistant", "content": "b", "thinking": "hm"}, {"role": "user", "content": "c"}])",
           R"([{"role":"system","content":"s"},{"role":"user","content":"a"},)"
           R"({"role":"assistant","content":"b","reasoning_content":"hm"},{"role":"user","content":"c"}])"},
          {"results find their calls by name, else in order",
           R"([{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {"x": 1}}},
                                                      {"function": {"name": "g"}}, {"function": {"name": "f"}}]},
                {"role": "tool", "tool_name": "g", "content": "G"}, {"role": "tool", "content": "F1"},
                {"role": "tool", "tool_name": "f", "content": "F2"}, {"role": "tool", "tool_name": "h", "content": ""}])",
           R"([{"role":"assistant","content":"","tool_calls":[)"
           R"({"id":"call_0","type":"function","function":{"name":"f","arguments":{"x":1}}},)"
           R"({"id":"call_1","type":"function","function":{"name":"g","arguments":{}}},)"
           R"({"id":"call_2","type":"function","function":{"name":"f","arguments":{}}}]},)"
           R"({"role":"tool","content":"G","tool_call_id":"call_1","name":"g"},)"
           R"({"role":"tool","content":"F1","tool_call_id":"call_0","name":"f"},)"
           R"({"role":"tool","content":"F2","tool_call_id":"call_2","name":"f"},)"
           R"({"role":"tool","content":"","name":"h"}])"},
          {"ids that a client kept",
           R"([{"role": "assistant", "content": "", "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": {}}},
                                                                     {"id": "b", "function": {"name": "f", "arguments": {}}}]},
                {"role": "tool", "tool_call_id": "b", "content": "B"}])",
           R"([{"role":"assistant","content":"","tool_calls":[)"
           R"({"id":"a","type":"function","function":{"name":"f","arguments":{}}},)"
           R"({"id":"b","type":"function","function":{"name":"f","arguments":{}}}]},)"
           R"({"role":"tool","content":"B","tool_call_id":"b","name":"f"}])"},
      })
    EXPECT_EQ(json::serialize(conversation(chat(messages)).messages), expected) << what;
}

TEST(OllamaChat, ALastMessageOfTheAssistantIsContinued) {
  EXPECT_TRUE(
      conversation(chat(R"([{"role": "user", "content": "?"}, {"role": "assistant", "content": "It"}])"))
          .continue_last);
  EXPECT_FALSE(conversation(chat(R"([{"role": "user", "content": "?"}])")).continue_last);
  EXPECT_FALSE(conversation(chat(R"([{"role": "assistant", "tool_calls": [{"function": {"name": "f"}}]}])"))
                   .continue_last);
}

TEST(OllamaChat, OptionsAreTaken) {
  const GenerationTask task =
      good(
          read_chat_request(hi(
              R"("options": {"temperature": 0.5, "top_k": 7, "top_p": 0.25, "min_p": 0.125, "typical_p": 0.75, "seed": 42,
         "num_predict": 9, "num_ctx": 2048, "stop": ["a", "b"], "repeat_penalty": 1.25, "repeat_last_n": 32,
         "presence_penalty": 0.5, "frequency_penalty": -0.5, "num_gpu": 99, "use_mmap": true, "mirostat": 0},
         "format": "json", "logprobs": true, "top_logprobs": 3, "keep_alive": "10m")")))
          .task;
  EXPECT_EQ(task.sampling.temperature, 0.5F);
  EXPECT_EQ(task.sampling.top_k, 7U);
  EXPECT_EQ(task.sampling.top_p, 0.25F);
  EXPECT_EQ(task.sampling.min_p, 0.125F);
  EXPECT_EQ(task.sampling.typical_p, 0.75F);
  EXPECT_EQ(task.sampling.seed, 42U);
  EXPECT_EQ(task.sampling.repetition_penalty, 1.25F);
  EXPECT_EQ(task.sampling.penalty_window, 32U);
  EXPECT_EQ(task.sampling.presence_penalty, 0.5F);
  EXPECT_EQ(task.sampling.frequency_penalty, -0.5F);
  EXPECT_EQ(task.max_tokens, 9U);
  EXPECT_EQ(task.stop, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(task.format.json_object);
  EXPECT_TRUE(task.logprobs);
  EXPECT_EQ(task.top_logprobs, 3U);
}

TEST(OllamaChat, NumbersThatMeanNothingSpecial) {
  const AnswerRequest read = good(read_chat_request(hi(
      R"("options": {"seed": -1, "num_predict": -2, "repeat_last_n": -1, "stop": "x", "num_ctx": 5}, "format": "")")));
  EXPECT_EQ(read.task.sampling.seed, std::nullopt);
  EXPECT_EQ(read.task.max_tokens, 0U);
  EXPECT_EQ(read.task.sampling.penalty_window, 2147483647U);
  EXPECT_EQ(read.task.stop, std::vector<std::string>{"x"});
  EXPECT_EQ(read.context_tokens, 5U);
  EXPECT_FALSE(read.task.format.json_object || read.task.format.json_schema);
}

TEST(OllamaChat, ASchemaIsAFormat) {
  const AnswerRequest read = good(read_chat_request(hi(R"("format": {"type": "object"})")));
  ASSERT_TRUE(read.task.format.json_schema);
  EXPECT_EQ(json::serialize(*read.task.format.json_schema), R"({"type":"object"})");
}

TEST(OllamaChat, ThinkingIsAWishOrAnEffort) {
  EXPECT_EQ(conversation(good(read_chat_request(hi(R"("think": null)")))).reasoning, std::nullopt);
  EXPECT_EQ(conversation(good(read_chat_request(hi(R"("think": false)")))).reasoning, false);
  const Conversation low = conversation(good(read_chat_request(hi(R"("think": "low")"))));
  EXPECT_EQ(low.reasoning, true);
  EXPECT_EQ(low.reasoning_effort, "low");
}

TEST(OllamaChat, ToolsAreThoseOfChatTemplates) {
  const AnswerRequest read = good(read_chat_request(hi(
      R"("tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}])")));
  EXPECT_EQ(
      json::serialize(conversation(read).tools),
      R"([{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}])");
}

TEST(OllamaChat, WithoutMessagesItIsAboutTheModel) {
  EXPECT_EQ(good(read_chat_request(R"({"model": "m"})")).wish, Wish::kLoad);
  EXPECT_EQ(chat("[]").wish, Wish::kLoad);
  EXPECT_EQ(chat("[]", R"(, "keep_alive": -1)").wish, Wish::kLoad);
  EXPECT_EQ(chat("[]", R"(, "keep_alive": "0s")").wish, Wish::kUnload);
  EXPECT_EQ(chat("[]", R"(, "keep_alive": 0)").wish, Wish::kUnload);
}

TEST(OllamaGenerate, APromptIsAMessageOfTheUser) {
  EXPECT_EQ(
      json::serialize(
          conversation(generate(R"("prompt": "Hi", "system": "s", "template": "", "context": [])")).messages),
      R"([{"role":"system","content":"s"},{"role":"user","content":"Hi"}])");
  EXPECT_EQ(conversation(generate(R"("prompt": "Hi", "think": true)")).reasoning, true);
}

TEST(OllamaGenerate, ARawPromptOrOneWithASuffixIsTakenAsItIs) {
  const AnswerRequest raw = generate(R"("prompt": "[INST]", "raw": true)");
  EXPECT_EQ(std::get<RawText>(raw.task.prompt).text, "[INST]");
  const AnswerRequest gap = generate(R"("prompt": "def f(", "suffix": "return x")");
  EXPECT_EQ(std::get<RawText>(gap.task.prompt).text, "def f(");
  EXPECT_EQ(std::get<RawText>(gap.task.prompt).suffix, "return x");
}

TEST(OllamaGenerate, WithoutAPromptItIsAboutTheModel) {
  EXPECT_EQ(good(read_generate_request(R"({"model": "m"})")).wish, Wish::kLoad);
  EXPECT_EQ(generate(R"("prompt": "", "keep_alive": 0)").wish, Wish::kUnload);
}

TEST(OllamaEmbed, TakesATextOrTexts) {
  const auto one =
      read_embed_request(R"({"model": "m:latest", "input": "a", "truncate": true, "dimensions": 8})");
  ASSERT_TRUE(one) << error_of(one);
  EXPECT_EQ(one->task.model, "m");
  ASSERT_EQ(one->task.inputs.size(), 1U);
  EXPECT_EQ(std::get<std::string>(one->task.inputs[0]), "a");
  EXPECT_EQ(one->dimensions, 8U);
  const auto two = read_embed_request(R"({"model": "m", "input": ["a", ""]})");
  ASSERT_TRUE(two) << error_of(two);
  EXPECT_EQ(two->task.inputs.size(), 2U);
  const auto old = read_embeddings_request(R"({"model": "m", "prompt": "a"})");
  ASSERT_TRUE(old) << error_of(old);
  EXPECT_EQ(old->task.inputs.size(), 1U);
}

TEST(OllamaRequests, WhatCannotBeDoneIsNamed) {
  struct Case {
    std::string body;
    std::string_view expected;
  };
  const auto option = [](std::string_view member) { return hi(fmt::format(R"("options": {{{}}})", member)); };
  const auto message = [](std::string_view one) {
    return fmt::format(R"({{"model": "m", "messages": [{}]}})", one);
  };
  for (const auto& [body, expected] : std::vector<Case>{
           {"3", "usage: the body has to be a JSON object"},
           {"{}", "usage: model: is missing"},
           {R"({"model": ":latest"})", "usage: model: must not be empty"},
           {R"({"model": "m", "messages": {}})", "usage: messages: has to be an array, not an object"},
           {message(R"({"role": "human"})"),
            "usage: messages[0].role: has to be one of: system, user, assistant, tool"},
           {message(R"({"role": "user", "content": ["x"]})"),
            "usage: messages[0].content: has to be a string, not an array"},
           {message(R"({"role": "user", "content": "?", "images": ["aGk="]})"),
            "unsupported: messages[0].images: images are not supported"},
           {message(
                R"({"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]})"),
            "usage: messages[0].tool_calls[0].function.arguments: has to be an object, not a string"},
           {hi(R"("stream": 1)"), "usage: stream: has to be a boolean, not a number"},
           {hi(R"("think": "much")"), "usage: think: has to be one of: low, medium, high"},
           {hi(R"("think": 1)"),
            "usage: think: has to be a boolean, \"low\", \"medium\" or \"high\", not a number"},
           {hi(R"("format": "yaml")"), "usage: format: has to be \"json\" or a JSON schema"},
           {hi(R"("format": 1)"), "usage: format: has to be \"json\" or a JSON schema, not a number"},
           {hi(R"("keep_alive": "soon")"),
            "usage: keep_alive: has to be a duration like \"5m\", or a number of seconds"},
           {hi(R"("top_logprobs": 21)"), "usage: top_logprobs: has to be an integer from 0 to 20"},
           {option(R"("temprature": 1)"), "unsupported: options.temprature: there is no such option"},
           {option(R"("temperature": -1)"), "usage: options.temperature: has to be a number from 0 to 100"},
           {option(R"("min_p": 2)"), "usage: options.min_p: has to be a number from 0 to 1"},
           {option(R"("top_k": 1.5)"), "usage: options.top_k: has to be an integer from 0 to 2147483647"},
           {option(R"("mirostat": 2)"), "unsupported: options.mirostat: is not supported; 0 switches it off"},
           {option(R"("tfs_z": 0.5)"), "unsupported: options.tfs_z: is not supported; 1 switches it off"},
           {option(R"("num_ctx": -1)"), "usage: options.num_ctx: has to be an integer from 0 to 2147483647"},
           {option(fmt::format(R"("stop": ["{}"])", std::string(kMostStopBytes / 4 + 1, 'x'))),
            "usage: options.stop[0]: has to have 0 to 256 characters"},
       })
    EXPECT_EQ(error_of(read_chat_request(body)), expected) << body;
}

TEST(OllamaRequests, AMessageHasSoManyCallsAndNoMore) {
  std::string calls = R"({"function": {"name": "f"}})";
  for (std::size_t i = 1; i < kMostCalls; ++i) calls += R"(,{"function": {"name": "f"}})";
  const auto with = [](std::string_view all) {
    return read_chat_request(
        fmt::format(R"({{"model": "m", "messages": [{{"role": "assistant", "tool_calls": [{}]}}]}})", all));
  };
  EXPECT_TRUE(with(calls));
  EXPECT_EQ(error_of(with(calls + R"(,{"function": {"name": "f"}})")),
            "usage: messages[0].tool_calls: has 257 elements, at most 256 are allowed");
}

TEST(OllamaRequests, WhatGenerateCannotDoIsNamed) {
  struct Case {
    std::string_view members, expected;
  };
  for (const auto& [members, expected] : {
           Case{R"("prompt": ["a"])", "usage: prompt: has to be a string, not an array"},
           Case{R"("prompt": "a", "template": "{{ .Prompt }}")",
                "unsupported: template: the model's own template is used; \"raw\" goes without any"},
           Case{R"("prompt": "a", "context": [1, 2])",
                "unsupported: context: conversations are continued with /api/chat"},
           Case{R"("prompt": "a", "raw": true, "system": "s")",
                "unsupported: system: a prompt that is raw or has a suffix is taken as it is"},
           Case{R"("prompt": "a", "images": ["aGk="])", "unsupported: images: images are not supported"},
       })
    EXPECT_EQ(error_of(read_generate_request(fmt::format(R"({{"model": "m", {}}})", members))), expected);
}

TEST(OllamaRequests, WhatCannotBeEmbeddedIsNamed) {
  EXPECT_EQ(error_of(read_embed_request(R"({"model": "m"})")), "usage: input: is missing");
  EXPECT_EQ(error_of(read_embed_request(R"({"model": "m", "input": 3})")),
            "usage: input: has to be a string or an array of strings, not a number");
  EXPECT_EQ(error_of(read_embed_request(R"({"model": "m", "input": ["a", 3]})")),
            "usage: input[1]: has to be a string, not a number");
  EXPECT_EQ(error_of(read_embed_request(R"({"model": "m", "input": "a", "dimensions": 0})")),
            "usage: dimensions: has to be an integer from 1 to 1048576");
  std::string many = "\"\"";
  for (std::size_t i = 0; i < kMostInputs; ++i) many += ",\"\"";
  EXPECT_EQ(error_of(read_embed_request(fmt::format(R"({{"model": "m", "input": [{}]}})", many))),
            "usage: input: has 2049 elements, at most 2048 are allowed");
}

TEST(OllamaRequests, AModelIsAskedAbout) {
  EXPECT_EQ(read_show_request(R"({"model": "m:latest", "verbose": true})").value(), "m");
  EXPECT_EQ(read_show_request(R"({"name": "m"})").value(), "m");
  EXPECT_EQ(error_of(read_show_request("{}")), "usage: model: is missing");
}

}  // namespace
}  // namespace cistern::serve::ollama
