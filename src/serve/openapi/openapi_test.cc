#include "serve/openapi/openapi.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "serve/anthropic/request_reader.h"
#include "serve/ollama/request_reader.h"
#include "serve/openai/chat_request.h"
#include "serve/openai/completion_request.h"
#include "serve/openai/embeddings.h"
#include "serve/openai/responses_request.h"
#include "serve/openai/routes.h"
#include "serve/openapi/schema_check_test.h"
#include "support/fake_exchange.h"

namespace cistern::serve::openapi {
namespace {

namespace json = boost::json;

const json::value& parsed_document() {
  static const json::value parsed = json::parse(document());
  return parsed;
}

TEST(OpenApi, IsServedAsItIs) {
  const auto exchange = testing::FakeExchange::get("/openapi.json");
  routes().at(0).handler(exchange);
  EXPECT_EQ(exchange->content_type(), "application/json");
  EXPECT_EQ(exchange->body(), document());
  EXPECT_EQ(parsed_document().at("openapi"), "3.1.0");
}

TEST(OpenApi, DescribesEveryRouteOfOpenAi) {
  for (const http::Route& route : openai::routes(nullptr)) {
    const json::value* path = parsed_document().at("paths").as_object().if_contains(route.path);
    ASSERT_TRUE(path) << route.path;
    EXPECT_TRUE(path->as_object().contains(route.method == "GET" ? "get" : "post")) << route.path;
  }
}

void visit_references(const json::value& value, const std::function<void(std::string_view)>& call) {
  if (value.is_array())
    for (const json::value& element : value.get_array()) visit_references(element, call);
  if (!value.is_object()) return;
  for (const auto& [name, member] : value.get_object()) {
    if (name == "$ref") {
      call(member.as_string());
    } else {
      visit_references(member, call);
    }
  }
}

TEST(OpenApi, EveryReferenceLeadsSomewhereAndEverySchemaIsUsed) {
  std::set<std::string> used;
  visit_references(parsed_document(), [&](std::string_view reference) {
    used.emplace(reference);
    boost::system::error_code error;
    EXPECT_TRUE(parsed_document().find_pointer(reference.substr(1), error)) << reference;
  });
  for (const auto& [name, schema] : parsed_document().at("components").at("schemas").as_object())
    EXPECT_TRUE(used.contains("#/components/schemas/" + std::string(name))) << name;
}

// A request that its reader accepts, with every field that can be; what is wrong with it, if anything.
struct Request {
  const char* schema;
  const char* body;
  std::function<Result<void>(std::string_view)> read;
};

template <class Read>
std::function<Result<void>(std::string_view)> reader(Read read) {
  return [read](std::string_view body) -> Result<void> {
    if (auto request = read(body); !request) return std::unexpected(request.error());
    return {};
  };
}

const Request kRequests[] = {
    {"ChatRequest", R"({"model": "m", "messages": [
      {"role": "developer", "content": "a"},
      {"role": "user", "name": "n", "content": ["x", {"type": "text", "text": "b"}, {"type": "refusal", "refusal": "r"}]},
      {"role": "assistant", "content": null, "reasoning_content": "c", "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
      {"role": "tool", "tool_call_id": "c1", "content": "3"}, {"role": "assistant", "content": "d", "reasoning": "e"}],
      "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {}, "strict": true}}],
      "tool_choice": {"type": "function", "function": {"name": "f"}}, "parallel_tool_calls": false,
      "temperature": 0.5, "top_p": 0.9, "min_p": 0.1, "typical_p": 1, "top_k": 40, "repetition_penalty": 1.5,
      "presence_penalty": 1, "frequency_penalty": 1, "seed": 7, "logit_bias": {"5": -100}, "stop": ["a", "b"], "n": 2,
      "max_tokens": 9, "max_completion_tokens": 9, "logprobs": true, "top_logprobs": 5, "stream": true,
      "stream_options": {"include_usage": true}, "reasoning_effort": "low", "enable_thinking": true,
      "chat_template_kwargs": {"enable_thinking": false}, "ignore_eos": false, "timeout": 1.5, "modalities": ["text"],
      "response_format": {"type": "json_schema", "json_schema": {"name": "s", "strict": true, "schema": {}}},
      "grammar": "", "continue_final_message": true, "functions": null, "function_call": null, "audio": null,
      "web_search_options": null})",
     reader(openai::read_chat_request)},
    {"CompletionRequest",
     R"({"model": "m", "prompt": ["a", [1, 2]], "suffix": "", "n": 2, "best_of": 2, "echo": true,
      "logprobs": 2, "max_tokens": -1, "grammar": "g", "stop": "x", "stream": true,
      "stream_options": {"include_usage": true}, "temperature": 1, "response_format": {"type": "text"}})",
     reader(openai::read_completion_request)},
    {"ResponseRequest", R"({"model": "m", "instructions": "i", "input": [
      {"type": "message", "role": "user", "content": ["x", {"type": "input_text", "text": "a"}]},
      {"type": "reasoning", "summary": [{"type": "summary_text", "text": "so"}], "content": null},
      {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
      {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "2"}]}],
      "tools": [{"type": "function", "name": "f", "description": "d", "parameters": {}, "strict": true}],
      "tool_choice": {"type": "function", "name": "f"}, "parallel_tool_calls": true,
      "text": {"format": {"type": "json_schema", "name": "s", "strict": true, "schema": {}}},
      "reasoning": {"effort": "high"}, "max_output_tokens": 5, "include": ["message.output_text.logprobs"], "n": 1,
      "top_logprobs": 2, "stream": true, "background": false, "previous_response_id": null, "conversation": null,
      "prompt": null, "temperature": 1, "top_p": 1})",
     reader(openai::read_responses_request)},
    {"EmbeddingRequest",
     R"({"model": "m", "input": ["a", [1, 2]], "encoding_format": "base64", "dimensions": 3})",
     reader(openai::read_embedding_request)},
    {"RerankRequest", R"({"model": "m", "query": "q", "documents": ["a", {"text": "b"}], "top_n": 1,
      "return_documents": true})",
     reader(openai::read_rerank_request)},
    {"AnthropicRequest",
     R"({"model": "m", "max_tokens": 9, "system": [{"type": "text", "text": "s"}], "messages": [
      {"role": "user", "content": "a"}, {"role": "system", "content": "b"},
      {"role": "assistant", "content": [{"type": "thinking", "thinking": "c"},
        {"type": "redacted_thinking"}, {"type": "text", "text": "e"},
        {"type": "tool_use", "id": "t", "name": "f", "input": {}}]},
      {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "is_error": true,
        "content": [{"type": "text", "text": "g"}]}, {"type": "text", "text": "h"}]}],
      "tools": [{"type": "custom", "name": "f", "description": "d", "input_schema": {}, "strict": true}],
      "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": true},
      "thinking": {"type": "enabled", "budget_tokens": 1024}, "stop_sequences": ["a", "b"], "stream": true,
      "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {}}},
      "temperature": 0.5, "top_p": 0.9, "top_k": 40, "mcp_servers": [], "container": null})",
     reader(anthropic::read_messages_request)},
    {"AnthropicPrompt", R"({"model": "m", "system": "s", "messages": [{"role": "user", "content": "a"}],
      "tools": [{"name": "f", "input_schema": {}}], "tool_choice": {"type": "auto"}})",
     reader(anthropic::read_count_request)},
    {"OllamaChatRequest", R"({"model": "m", "messages": [
      {"role": "user", "content": "a", "images": []},
      {"role": "assistant", "content": "b", "thinking": "c", "tool_calls": [
        {"id": "t", "function": {"name": "f", "arguments": {}}}]},
      {"role": "tool", "tool_name": "f", "tool_call_id": "t", "content": "d"}],
      "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {}}}],
      "stream": false, "format": "json", "think": "low", "keep_alive": "5m", "logprobs": true, "top_logprobs": 5,
      "options": {"temperature": 0.5, "top_p": 0.9, "min_p": 0.1, "typical_p": 1, "repeat_penalty": 1.5,
        "presence_penalty": 1, "frequency_penalty": 1, "top_k": 40, "repeat_last_n": 64, "seed": 7, "num_predict": -1,
        "num_ctx": 2048, "stop": ["a", "b"], "tfs_z": 1, "mirostat": 0}})",
     reader(ollama::read_chat_request)},
    {"OllamaGenerateRequest",
     R"({"model": "m", "prompt": "a", "suffix": "b", "system": "", "raw": true, "images": [],
      "template": "", "context": [], "format": {}, "think": true, "keep_alive": -1, "options": {"stop": "a"}})",
     reader(ollama::read_generate_request)},
    {"OllamaEmbedRequest", R"({"model": "m", "input": ["a", "b"], "dimensions": 3, "keep_alive": "1h"})",
     reader(ollama::read_embed_request)},
};

// What a schema does not say: fields that depend on others, texts in texts.
constexpr std::string_view kBetweenFields[] = {
    "is none of the tools",
    "requires a call, but there are no tools",
    "has to be the text of a JSON object",
    "best_of: has to be n",
    "prompts with",
    "goes with prompts of text",
    "cannot be given together",
    "the last message is not the assistant's",
    "has nothing that could be answered",
    "is the name of no tool of this request",
    "wants a tool to be used",
    "a second tool",
    "no tool_use block before has this id",
    "their results are missing",
    "there is nothing to answer",
    "a prompt that is raw or has a suffix is taken as it is",
};

bool is_between_fields(std::string_view message) {
  return std::ranges::any_of(kBetweenFields, [&](std::string_view part) { return message.contains(part); });
}

// Values that are at one side or the other of what any field allows.
std::vector<json::value> probes() {
  std::vector<json::value> values = {
      nullptr,        true,         false,      "",        "x",           "f",           "user",
      "assistant",    "none",       "required", "text",    "json_object", "json_schema", "low",
      "max",          "float",      "{}",       "message", "reasoning",   "function",    "function_call",
      json::object(), json::array()};
  for (const char* text : {"-9223372036854775808",
                           "-2147483649",
                           "-101",
                           "-100",
                           "-3",
                           "-2.5",
                           "-2",
                           "-1",
                           "-0.5",
                           "0",
                           "0.005",
                           "0.01",
                           "0.5",
                           "1",
                           "1.0",
                           "1.5",
                           "2",
                           "2.5",
                           "16",
                           "17",
                           "20",
                           "21",
                           "100",
                           "101",
                           "86400",
                           "86401",
                           "1048576",
                           "1048577",
                           "2147483647",
                           "2147483648",
                           "9223372036854775807",
                           "1e19",
                           "1e300",
                           "[1]",
                           "[null]",
                           "[[]]",
                           "[[1]]",
                           "[{}]",
                           "[\"text\"]",
                           R"({"type": "text"})",
                           R"({"type": "json_object"})",
                           R"({"type": "json_schema"})",
                           R"({"type": "function"})",
                           R"({"role": "user"})",
                           R"({"x": 1})",
                           R"({"5": 1})",
                           R"({"5": 101})",
                           R"({"5": null})",
                           R"({"1000000000": 1})",
                           R"([{"role": "assistant"}])"})
    values.push_back(json::parse(text));
  for (const std::size_t size : {128U, 129U, 256U, 257U}) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text += "é";
    values.emplace_back(text);
  }
  for (const std::size_t size : {16U, 17U, 64U, 65U, 512U, 513U, 2048U, 2049U}) {
    values.emplace_back(json::array(size, "text"));
    values.emplace_back(json::array(size, 1));
  }
  return values;
}

class Mutations {
 public:
  Mutations(const Request& request, const json::value& body)
      : request_(request),
        body_(body),
        check_(parsed_document()),
        schema_(check_.resolve("#/components/schemas/" + std::string(request.schema))) {}

  void run() {
    compare("as it is");
    mutate(body_, "");
  }
  std::size_t refused = 0, accepted = 0;

 private:
  // The document and the reader are of one mind about the body as it is now.
  void compare(const std::string& where) {
    const bool described = check_.accepts(schema_, body_);
    const std::string text = json::serialize(body_);
    const Result<void> read = request_.read(text);
    (read ? accepted : refused) += 1;
    if (described == read.has_value()) return;
    if (described && is_between_fields(describe(read.error()))) return;
    ADD_FAILURE() << request_.schema << " " << where << ": described as " << (described ? "valid" : "invalid")
                  << ", but " << (read ? "accepted" : describe(read.error())) << "\n"
                  << text.substr(0, 1500);
  }

  // Puts every probe in the place of `value`, and of everything in it.
  void mutate(json::value& value, const std::string& where) {
    const json::value original = value;
    for (const json::value& probe : probes_) {
      value = probe;
      compare(where);
    }
    value = original;
    if (value.is_array())
      for (std::size_t i = 0; i < value.get_array().size(); ++i)
        mutate(value.get_array()[i], where + "[" + std::to_string(i) + "]");
    if (!value.is_object()) return;
    for (const auto& [name, member] : original.as_object()) {
      value.get_object().erase(name);
      compare(where + " without " + std::string(name));
      value.get_object()[name] = member;
      mutate(value.get_object()[name], where + "." + std::string(name));
    }
  }

  const Request& request_;
  json::value body_;
  const SchemaCheck check_;
  const json::value& schema_;
  const std::vector<json::value> probes_ = probes();
};

TEST(OpenApi, DescribesWhatReadersAccept) {
  for (const Request& request : kRequests) {
    const json::value body = json::parse(request.body);
    const Result<void> read = request.read(request.body);
    ASSERT_TRUE(read) << request.schema << ": " << describe(read.error());
    Mutations mutations(request, body);
    mutations.run();
    EXPECT_GT(mutations.accepted, 100U);
    EXPECT_GT(mutations.refused, 100U);
  }
}

}  // namespace
}  // namespace cistern::serve::openapi
