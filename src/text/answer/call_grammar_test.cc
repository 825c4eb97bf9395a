#include "text/answer/call_grammar.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <map>
#include <random>

#include "text/answer/answer_parser.h"

namespace cistern::text {
namespace {

namespace json = boost::json;

ToolSet tools() {
  return ToolSet(json::parse(R"([
    {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {
       "key": {"type": "string"}, "scope": {"enum": ["near", "far"]}, "count": {"type": "integer"},
       "options": {"type": "object"}}, "required": ["key", "count"]}}},
    {"type": "function", "function": {"name": "stop", "parameters": {"type": "object", "properties": {}}}}])")
                     .as_array());
}

// Writes random texts of a grammar in the part of GBNF that call_grammar uses. Rules of schemas are replaced
// by texts that are given.
class RandomWriter {
 public:
  RandomWriter(const std::string& gbnf, std::map<std::string, std::string> texts, unsigned seed)
      : texts_(std::move(texts)), random_(seed) {
    for (std::size_t at = 0; at < gbnf.size();) {
      const std::size_t end = gbnf.find('\n', at);
      const std::string line = gbnf.substr(at, end - at);
      const std::size_t is = line.find(" ::= ");
      EXPECT_NE(is, std::string::npos) << line;
      EXPECT_TRUE(rules_.emplace(line.substr(0, is), line.substr(is + 5)).second) << "twice: " << line;
      at = end + 1;
    }
  }

  std::string write(const std::string& rule) {
    if (const auto text = texts_.find(rule); text != texts_.end()) return text->second;
    const auto body = rules_.find(rule);
    if (body == rules_.end()) {
      ADD_FAILURE() << "no rule " << rule;
      return {};
    }
    return alternatives(body->second, 0);
  }

 private:
  static void skip(const std::string& text, std::size_t& at) {
    while (at < text.size() && text[at] == ' ') ++at;
  }
  std::size_t below(std::size_t n) { return random_() % n; }

  // Where a quoted text, a class or anything else of one byte ends.
  static std::size_t behind(const std::string& text, std::size_t at) {
    const char close = text[at] == '"' ? '"' : text[at] == '[' ? ']' : '\0';
    if (close == '\0') return at + 1;
    for (++at; text[at] != close; ++at) at += text[at] == '\\' ? 1 : 0;
    return at + 1;
  }

  static std::size_t element_end(const std::string& text, std::size_t at) {
    if (text[at] == '"' || text[at] == '[') return behind(text, at);
    if (text[at] != '(') return std::min(text.find_first_of(" ?*)", at), text.size());
    int depth = 0;
    do {
      depth += text[at] == '(' ? 1 : text[at] == ')' ? -1 : 0;
      at = behind(text, at);
    } while (depth > 0);
    return at;
  }

  // From `at` to the end of the text or of the group that it is in.
  std::string alternatives(const std::string& text, std::size_t at) {
    std::vector<std::size_t> begins = {at};
    for (skip(text, at); at < text.size() && text[at] != ')'; skip(text, at)) {
      at = text[at] == '|' ? (begins.push_back(at + 1), at + 1) : element_end(text, at);
      if (at < text.size() && (text[at] == '?' || text[at] == '*')) ++at;
    }
    return sequence(text, begins[below(begins.size())]);
  }

  std::string sequence(const std::string& text, std::size_t at) {
    std::string out;
    for (skip(text, at); at < text.size() && text[at] != '|' && text[at] != ')'; skip(text, at)) {
      const std::size_t end = element_end(text, at);
      const char repeat = end < text.size() ? text[end] : ' ';
      std::size_t times = repeat == '?' ? below(2) : repeat == '*' ? below(3) : 1;
      while (times-- > 0) out += element(text, at);
      at = repeat == '?' || repeat == '*' ? end + 1 : end;
    }
    return out;
  }

  std::string element(const std::string& text, std::size_t at) {
    if (text[at] == '"') return quoted(text, at);
    if (text[at] == '[') return one_of(text, at);
    if (text[at] == '(') return alternatives(text, at + 1);
    return write(text.substr(at, element_end(text, at) - at));
  }

  static char unescaped(const std::string& text, std::size_t& at) {
    if (text[at] != '\\') return text[at++];
    const char c = text[at + 1];
    at += 2;
    return c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
  }
  static std::string quoted(const std::string& text, std::size_t at) {
    std::string out;
    for (++at; text[at] != '"';) out += unescaped(text, at);
    return out;
  }
  std::string one_of(const std::string& text, std::size_t at) {
    std::string members;
    const bool others = text[at + 1] == '^';
    for (at += others ? 2 : 1; text[at] != ']';) members += unescaped(text, at);
    const std::string from = others ? std::string("xy \n0{}\"<>/|") : members;
    if (!others && members == "0-9") return std::to_string(below(10));
    if (!others && members == "a-zA-Z0-9") return std::string(1, "aZ5"[below(3)]);
    if (!others) return members;
    while (true) {
      const char c = from[below(from.size())];
      if (!members.contains(c)) return std::string(1, c);
    }
  }

  std::map<std::string, std::string> rules_, texts_;
  std::mt19937 random_;
};

std::map<std::string, std::string> sample_texts(const CallGrammar& grammar) {
  std::map<std::string, std::string> texts;
  for (const auto& [rule, schema] : grammar.schemas) {
    const std::string type = schema.is_object() && schema.get_object().contains("type")
                                 ? std::string(schema.at("type").as_string())
                                 : "object";
    texts[rule] = type == "integer" ? "12" : R"({"key": "a]}\"", "count": 1})";
  }
  return texts;
}

// What the grammar of a format lets a model write, the parser reads as calls, and as nothing else.
TEST(CallGrammar, WritesWhatTheParserReads) {
  for (const Format& format : all_formats()) {
    for (unsigned seed = 0; seed < 60; ++seed) {
      const bool parallel = seed % 2 == 0;
      const CallGrammarOptions options{.only = seed % 5 == 0 ? "look_up" : "", .parallel = parallel};
      const CallGrammar grammar = call_grammar(format, tools(), options);
      const std::string written = RandomWriter(grammar.gbnf, sample_texts(grammar), seed).write("root");
      SCOPED_TRACE(std::string(format.name) + ": " + written);
      const Answer answer = parse_answer({.format = &format, .tools = tools()}, written);
      EXPECT_EQ(answer.content, "");
      ASSERT_GE(answer.calls.size(), 1U);
      EXPECT_TRUE(parallel || answer.calls.size() == 1);
      for (const AnsweredCall& call : answer.calls) {
        EXPECT_TRUE(options.only.empty() || call.name == options.only);
        EXPECT_TRUE(call.name == "stop" || json::parse(call.arguments).at("key").is_string());
      }
    }
  }
}

TEST(CallGrammar, EndsTheReasoningThatThePromptHasBegun) {
  const Format& format = *format_named("hermes");
  const CallGrammar grammar = call_grammar(format, tools(), {.only = "stop", .in_reasoning = true});
  for (unsigned seed = 0; seed < 20; ++seed) {
    const std::string written = RandomWriter(grammar.gbnf, sample_texts(grammar), seed).write("root");
    const Answer answer = parse_answer({.format = &format, .tools = tools(), .in_reasoning = true}, written);
    EXPECT_TRUE(written.contains("</think>")) << written;
    EXPECT_EQ(answer.content, "") << written;
    EXPECT_GE(answer.calls.size(), 1U) << written;
  }
}

TEST(CallGrammar, HasTheSchemasThatItRefersTo) {
  const CallGrammar grammar = call_grammar(*format_named("hermes"), tools(), {});
  ASSERT_EQ(grammar.schemas.size(), 2U);
  EXPECT_EQ(grammar.schemas[0].first, "tool-0-arguments");
  EXPECT_EQ(grammar.schemas[0].second, tools().all()[0].parameters);
  EXPECT_TRUE(grammar.gbnf.starts_with("root ::= "));

  const CallGrammar by_parameter = call_grammar(*format_named("qwen3-coder"), tools(), {.only = "look_up"});
  ASSERT_EQ(by_parameter.schemas.size(), 2U);  // the others are text
  EXPECT_EQ(by_parameter.schemas[0].first, "tool-0-parameter-2-value");
}

}  // namespace
}  // namespace cistern::text
