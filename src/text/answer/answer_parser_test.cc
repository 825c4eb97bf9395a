#include "text/answer/answer_parser.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "text/answer/deltas_test.h"

namespace cistern::text {
namespace {

namespace json = boost::json;
using Kind = Delta::Kind;

AnswerOptions options(std::string_view format) {
  return {.format = format_named(format),
          .tools = ToolSet(json::parse(R"([
    {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {
       "key": {"type": "string"}, "count": {"type": "integer"}, "exact": {"type": "boolean"},
       "after": {"type": ["string", "null"]}, "mixed": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
       "rows": {"$ref": "#/$defs/rows"}, "any": {}, "mode": {"enum": ["on", "off"]}},
       "$defs": {"rows": {"type": "array"}}}}},
    {"type": "function", "function": {"name": "stop"}}])")
                               .as_array())};
}

Answer read(std::string_view format, std::string_view text) {
  return parse_answer(options(format), text);
}

Streamed read_bytes(const AnswerOptions& with, std::string_view text) {
  std::vector<std::string> pieces;
  for (const char c : text) pieces.emplace_back(1, c);
  return stream(with, pieces);
}

json::value arguments(const Answer& answer, std::size_t call = 0) {
  return json::parse(answer.calls.at(call).arguments);
}

// "kind:text" of each, calls as "begin look_up#id", "args {...}", "end".
std::vector<std::string> told(const std::vector<Delta>& deltas) {
  std::vector<std::string> out;
  for (const Delta& delta : deltas) {
    switch (delta.kind) {
      case Kind::kReasoning:
        out.push_back("reasoning " + delta.text);
        break;
      case Kind::kContent:
        out.push_back("content " + delta.text);
        break;
      case Kind::kCallBegin:
        out.push_back("begin " + delta.name + "#" + delta.id);
        break;
      case Kind::kCallArguments:
        out.push_back("args " + delta.text);
        break;
      case Kind::kCallEnd:
        out.push_back("end " + delta.id);
        break;
    }
  }
  return out;
}

using Told = std::vector<std::string>;

TEST(AnswerParser, TellsPartsAsTheyCome) {
  AnswerParser parser(options("hermes"));
  EXPECT_EQ(told(parser.push("<thi")), Told{});
  EXPECT_EQ(told(parser.push("nk>\nHm")), Told{"reasoning Hm"});
  EXPECT_EQ(told(parser.push(", so.\n</think>")), Told{"reasoning , so."});
  EXPECT_EQ(told(parser.push("\n\nLet me see. <")), Told{"content Let me see."});
  EXPECT_EQ(told(parser.push("b> ")), Told{"content  <b>"});
  EXPECT_EQ(told(parser.push("<tool_call>{\"name\": \"look_up\", ")), Told{});
  EXPECT_EQ(told(parser.push("\"arguments\": {\"key\":")), (Told{"begin look_up#", "args {\"key\":"}));
  EXPECT_EQ(told(parser.push(" \"a\"}")), Told{"args  \"a\"}"});
  EXPECT_EQ(told(parser.push("}")), Told{"end "});
  EXPECT_EQ(told(parser.push("\n</tool_call>\n")), Told{});
  EXPECT_EQ(told(parser.finish()), Told{});
}

TEST(AnswerParser, TellsParametersOneByOne) {
  AnswerParser parser(options("qwen3-coder"));
  EXPECT_EQ(told(parser.push("<tool_call>\n<function=look_up>\n<parameter=key>\na")), Told{});
  EXPECT_EQ(told(parser.push("b\n</parameter>\n")), (Told{"begin look_up#", "args {\"key\": \"ab\""}));
  EXPECT_EQ(told(parser.push("<parameter=count>\n3\n</parameter>\n</function>")),
            (Told{"args , \"count\": 3}", "end "}));
  EXPECT_EQ(told(parser.finish()), Told{});
}

TEST(AnswerParser, TextWithoutMarksIsNotHeldBack) {
  for (const Format& format : all_formats()) {
    AnswerParser parser(options(format.name));
    EXPECT_EQ(told(parser.push("It is 4")), Told{"content It is 4"}) << format.name;
    EXPECT_EQ(told(parser.push(", it")), Told{"content , it"}) << format.name;
    EXPECT_EQ(told(parser.finish()), Told{}) << format.name;
  }
}

TEST(AnswerParser, CharactersAreNotCut) {
  AnswerParser parser(options("hermes"));
  EXPECT_EQ(told(parser.push("a\xE6\x9D")), Told{"content a"});
  EXPECT_EQ(told(parser.push("\xB1")), Told{"content \xE6\x9D\xB1"});
  EXPECT_EQ(told(parser.push("\xE6")), Told{});
  EXPECT_EQ(told(parser.finish()), Told{"content \xEF\xBF\xBD"});
}

TEST(AnswerParser, WithoutToolsNothingIsACall) {
  for (const std::string_view format :
       {"hermes", "generic", "llama3-json", "mistral-v3", "functionary-v3.2"}) {
    const std::string_view text = "{\"name\": \"stop\", \"arguments\": {}}<tool_call>\n";
    const Answer answer = parse_answer({.format = format_named(format)}, text);
    EXPECT_EQ(answer.content, text) << format;
    EXPECT_TRUE(answer.calls.empty()) << format;
  }
  EXPECT_EQ(parse_answer({.format = format_named("functionary-v3.2")}, "all\nHello").content, "Hello");
  EXPECT_EQ(parse_answer({.format = format_named("generic")}, "<think>a</think>b").reasoning, "a");
}

TEST(AnswerParser, MalformedCallsAreContent) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"hermes", "<tool_call>\n{\"name\": \"look_up\", \"arguments\": {\"key\": \"a\"</tool_call>"},
      {"hermes", "<tool_call>{\"name\": \"other\", \"arguments\": {}}</tool_call>"},
      {"hermes", "<tool_call>{\"name\": \"stop\"}</tool_call>"},
      {"hermes", "<tool_call>{\"name\": \"stop\", \"arguments\": [1]}</tool_call>"},
      {"hermes", "<tool_call>{\"name\": \"stop\", \"name\": \"stop\", \"arguments\": {}}</tool_call>"},
      {"hermes", "<tool_call>{\"name\": \"stop\", \"arguments\": {\"a\": \"\\ud800\"}}</tool_call>"},
      {"llama3-json", "{\"name\": \"stop\", \"parameters\": 7}"},
      {"llama3-json", "{\"name\": \"stop\", \"parameters\": {}, \"colour\": 1}"},
      {"llama3-json", "{\"a\": [1, 2]}"},
      {"mistral-v3", "[TOOL_CALLS]{\"name\": \"stop\"}"},
      {"mistral-v11", "[TOOL_CALLS]stop{}"},
      {"deepseek-v3",
       "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>stop\n```json\n{,}\n```"},
      {"glm-4.5", "<tool_call>stop\n<arg_key>a</arg_key>\n<arg_value>1</tool_call>"},
      {"qwen3-coder", "<tool_call>\n<function=stop>\n<parameter=a>\n1\n</parameter>\n</tool_call>"},
      {"kimi-k2",
       "<|tool_calls_section_begin|><|tool_call_begin|>functions.other:0<|tool_call_argument_begin|>{}"},
      {"harmony", "<|channel|>commentary to=functions.stop <|message|>not JSON"},
      {"command-r7b", "<|START_ACTION|>[{\"tool_name\": \"stop\", \"parameters\": {}"},
      {"generic", "{\"tool_call\": {\"name\": \"stop\", \"arguments\": {\"a\": tru}}}"},
      {"generic", "{\"tool_calls\": []}"},
      {"apertus", "<|tools_prefix|>[{\"stop\": {}, \"look_up\": {}}]<|tools_suffix|>"},
  };
  for (const auto& [format, text] : cases) {
    const Answer answer = read(format, text);
    EXPECT_EQ(answer.content, text) << format;
    EXPECT_TRUE(answer.calls.empty()) << format << ": " << text;
    const Streamed streamed = read_bytes(options(format), text);
    EXPECT_EQ(streamed.answer, answer) << format << ": " << text;
    EXPECT_EQ(streamed.problem, "") << format << ": " << text;
  }
}

// What a stream has told of a call that then breaks off stays without an end, and its text is content.
TEST(AnswerParser, ACallThatBreaksOffWhileItIsToldIsVoid) {
  const std::string_view text = "<tool_call>{\"name\": \"look_up\", \"arguments\": {\"key\": \"a";
  const Streamed streamed = read_bytes(options("hermes"), text);
  EXPECT_EQ(streamed.answer.content, text);
  EXPECT_TRUE(streamed.answer.calls.empty());
  ASSERT_EQ(streamed.void_calls.size(), 1U);
  EXPECT_EQ(streamed.void_calls[0].arguments, "{\"key\": \"a");
}

TEST(AnswerParser, CallsBeforeABrokenOneStay) {
  const Answer answer = read(
      "mistral-v3", "[TOOL_CALLS][{\"name\": \"stop\", \"arguments\": {}}, {\"name\": \"look_up\", \"argu");
  ASSERT_EQ(answer.calls.size(), 1U);
  EXPECT_EQ(answer.content, ", {\"name\": \"look_up\", \"argu");
  const Answer other = read(
      "hermes", "<tool_call>{}</tool_call><tool_call>{\"name\": \"stop\", \"arguments\": {}}</tool_call>");
  EXPECT_EQ(other.content, "<tool_call>{}</tool_call>");
  EXPECT_EQ(other.calls.size(), 1U);
}

TEST(AnswerParser, MissingEndMarksAreNoError) {
  for (const auto& [format, text] :
       {std::pair<std::string_view, std::string_view>{"hermes",
                                                      "<tool_call>{\"name\": \"stop\", \"arguments\": {}}"},
        {"mistral-v3", "[TOOL_CALLS][{\"name\": \"stop\", \"arguments\": {}}"},
        {"kimi-k2", "<|tool_call_begin|>functions.stop:0<|tool_call_argument_begin|>{}"},
        {"functionary-v3.1", "<function=stop>{}"}}) {
    const Answer answer = read(format, text);
    EXPECT_EQ(answer.content, "") << format;
    EXPECT_EQ(answer.calls.size(), 1U) << format;
  }
}

TEST(AnswerParser, TextAfterCallsIsContent) {
  const Answer answer =
      read("hermes", "<tool_call>{\"name\": \"stop\", \"arguments\": {}}</tool_call>\nDone. ");
  EXPECT_EQ(answer.calls.size(), 1U);
  EXPECT_EQ(answer.content, "\nDone. ");
}

TEST(AnswerParser, MembersComeInAnyOrderAndUnderTheNamesInUse) {
  const Answer first =
      read("hermes", "<tool_call>{\"arguments\": {\"key\": \"a\"}, \"name\": \"look_up\"}</tool_call>");
  ASSERT_EQ(first.calls.size(), 1U);
  EXPECT_EQ(arguments(first), json::parse(R"({"key": "a"})"));
  EXPECT_EQ(
      read("llama3-json", "{\"type\": \"function\", \"name\": \"stop\", \"parameters\": {}}").calls.size(),
      1U);
  const Answer text =
      read("generic", R"({"tool_call": {"name": "stop", "arguments": "{\"a\": 1}", "id": "x"}})");
  ASSERT_EQ(text.calls.size(), 1U);
  EXPECT_EQ(text.calls[0].arguments, "{\"a\": 1}");
  EXPECT_EQ(text.calls[0].id, "x");
}

TEST(AnswerParser, AnIdThatComesLastIsToldAtTheEnd) {
  AnswerParser parser(options("mistral-v3"));
  const auto deltas =
      parser.push("[TOOL_CALLS][{\"name\": \"stop\", \"arguments\": {}, \"id\": \"abcdefghi\"}]");
  EXPECT_EQ(told(deltas), (Told{"begin stop#abcdefghi", "args {}", "end abcdefghi"}));
  const Streamed streamed = read_bytes(
      options("mistral-v3"), "[TOOL_CALLS][{\"name\": \"stop\", \"arguments\": {}, \"id\": \"abcdefghi\"}]");
  ASSERT_EQ(streamed.answer.calls.size(), 1U);
  EXPECT_EQ(streamed.answer.calls[0].id, "abcdefghi");
}

TEST(AnswerParser, SchemasTypeBareValues) {
  const auto value = [](std::string_view key, std::string_view text) {
    const Answer answer =
        read("glm-4.5", "<tool_call>look_up\n<arg_key>" + std::string(key) + "</arg_key>\n<arg_value>" +
                            std::string(text) + "</arg_value>\n</tool_call>");
    return json::serialize(arguments(answer).at(key));
  };
  EXPECT_EQ(value("key", "5"), "\"5\"");
  EXPECT_EQ(value("key", " a\nb "), "\" a\\nb \"");
  EXPECT_EQ(value("count", "5"), "5");
  EXPECT_EQ(value("count", "five"), "\"five\"");
  EXPECT_EQ(value("exact", "True"), "true");
  EXPECT_EQ(value("exact", " false\n"), "false");
  EXPECT_EQ(value("after", "null"), "null");
  EXPECT_EQ(value("after", "5"), "\"5\"");
  EXPECT_EQ(value("mixed", "5"), "5");
  EXPECT_EQ(value("mixed", "[5]"), "\"[5]\"");
  EXPECT_EQ(value("rows", "[1, {}]"), "[1,{}]");
  EXPECT_EQ(value("any", "{\"a\": 1}"), "{\"a\":1}");
  EXPECT_EQ(value("any", "plain"), "\"plain\"");
  EXPECT_EQ(value("mode", "on"), "\"on\"");
  EXPECT_EQ(value("unknown", "1"), "1");
}

TEST(AnswerParser, FormatsBeyondTheFixtures) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"minimax-m2",
       "<think>a</think>\n<minimax:tool_call>\n<invoke name=\"look_up\">\n<parameter "
       "name=\"key\">x</parameter>\n"
       "<parameter name=\"count\">2</parameter>\n</invoke>\n<invoke "
       "name=\"stop\">\n</invoke>\n</minimax:tool_call>"},
      {"seed-oss",
       "<seed:think>a</seed:think>\n<seed:tool_call>\n<function=look_up>\n<parameter=key>x</parameter>\n"
       "<parameter=count>2</parameter>\n</function>\n</seed:tool_call>\n<seed:tool_call>\n<function=stop>\n</"
       "function>"
       "\n</seed:tool_call>"},
      {"deepseek-v4",
       "<think>a</think>\n\n<｜DSML｜tool_calls>\n<｜DSML｜invoke name=\"look_up\">\n"
       "<｜DSML｜parameter name=\"key\" string=\"true\">x</｜DSML｜parameter>\n"
       "<｜DSML｜parameter name=\"count\" string=\"false\">2</｜DSML｜parameter>\n</｜DSML｜invoke>\n"
       "<｜DSML｜invoke name=\"stop\">\n</｜DSML｜invoke>\n</｜DSML｜tool_calls>"},
      {"nemotron-v2",
       "<think>a</think>\n<TOOLCALL>[{\"name\": \"look_up\", \"arguments\": {\"key\": \"x\", \"count\": 2}}, "
       "{\"name\": \"stop\", \"arguments\": {}}]</TOOLCALL>"},
      {"granite-3",
       "<think>a</think><|tool_call|>[{\"name\": \"look_up\", \"arguments\": {\"key\": \"x\", \"count\": "
       "2}}, "
       "{\"name\": \"stop\", \"arguments\": {}}]"},
      {"functools",
       "<think>a</think>functools[{\"name\": \"look_up\", \"arguments\": {\"key\": \"x\", \"count\": 2}}, "
       "{\"name\": "
       "\"stop\", \"arguments\": {}}]"},
      {"tool-calls",
       "<think>a</think><tool_calls>\n{\"name\": \"look_up\", \"arguments\": {\"key\": \"x\", \"count\": "
       "2}}\n"
       "{\"name\": \"stop\", \"arguments\": {}}\n</tool_calls>"},
      {"apertus",
       "<|inner_prefix|>a<|inner_suffix|><|tools_prefix|>[{\"look_up\": {\"key\": \"x\", \"count\": 2}}, "
       "{\"stop\": {}}]<|tools_suffix|>"},
      {"generic",
       "<think>a</think>[{\"name\": \"look_up\", \"arguments\": {\"key\": \"x\", \"count\": 2}}, {\"name\": "
       "\"stop\", "
       "\"arguments\": {}}]"},
  };
  for (const auto& [format, text] : cases) {
    const Streamed streamed = read_bytes(options(format), text);
    const Answer answer = read(format, text);
    EXPECT_EQ(streamed.answer, answer) << format;
    EXPECT_EQ(streamed.problem, "") << format;
    EXPECT_EQ(answer.reasoning, "a") << format;
    EXPECT_EQ(answer.content, "") << format;
    ASSERT_EQ(answer.calls.size(), 2U) << format;
    EXPECT_EQ(arguments(answer), json::parse(R"({"key": "x", "count": 2})")) << format;
    EXPECT_EQ(answer.calls[1].name, "stop") << format;
    EXPECT_EQ(arguments(answer, 1), json::object()) << format;
  }
}

TEST(AnswerParser, ReasoningThatThePromptHasBegun) {
  AnswerOptions begun = options("hermes");
  begun.in_reasoning = true;
  for (const std::string_view text : {"\nHm.\n</think>\n\nYes.", "<think>\nHm.\n</think>\n\nYes."}) {
    const Streamed streamed = read_bytes(begun, text);
    EXPECT_EQ(streamed.answer.reasoning, "Hm.");
    EXPECT_EQ(streamed.answer.content, "Yes.");
  }
  EXPECT_EQ(parse_answer(begun, "Hm. <tool_call>").reasoning, "Hm. <tool_call>");
}

TEST(AnswerParser, HarmonyChannels) {
  const Answer answer = read(
      "harmony",
      "<|channel|>analysis<|message|>One.<|end|><|start|>assistant<|channel|>analysis<|message|>Two.<|end|>"
      "<|start|>assistant to=functions.stop<|channel|>commentary <|constrain|>json<|message|>{}<|call|>");
  EXPECT_EQ(answer.reasoning, "One.Two.");
  EXPECT_EQ(answer.content, "");
  EXPECT_EQ(answer.calls.size(), 1U);
  EXPECT_EQ(read("harmony", "<|channel|>final <|constrain|>json<|message|>{\"a\": 1}<|return|>").content,
            "{\"a\": 1}");
}

TEST(Format, MarksAreThoseThatTheParserMustSee) {
  const auto marks = marks_of(*format_named("harmony"));
  for (const std::string_view mark : {"<|end|>", "<|message|>", "<|constrain|>", "<|call|>", "<|return|>"})
    EXPECT_NE(std::ranges::find(marks, mark), marks.end()) << mark;
  const auto hermes = marks_of(*format_named("hermes"));
  for (const std::string_view mark : {"<think>", "</think>", "<tool_call>", "</tool_call>"})
    EXPECT_NE(std::ranges::find(hermes, mark), hermes.end()) << mark;
}

TEST(Format, TheMostSpecificSignsDecide) {
  EXPECT_EQ(detect_format("").name, "generic");
  EXPECT_EQ(detect_format("<tool_call>").name, "hermes");
  EXPECT_EQ(detect_format("<tool_call> <function=").name, "qwen3-coder");
  EXPECT_EQ(detect_format("<tool_call> <arg_key>").name, "glm-4.5");
  EXPECT_EQ(detect_format("[TOOL_CALLS] [ARGS] [CALL_ID]").name, "mistral-v11-callid");
  EXPECT_EQ(detect_format("<|start_header_id|> ipython").name, "llama3-json");
  EXPECT_EQ(format_named("no such format"), nullptr);
}

}  // namespace
}  // namespace cistern::text
