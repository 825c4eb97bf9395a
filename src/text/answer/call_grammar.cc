#include "text/answer/call_grammar.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "base/check.h"

namespace cistern::text {
namespace {

using boost::json::object;
using boost::json::value;

// What a byte is inside a literal or a class of GBNF.
void append_escaped(std::string& out, char c, std::string_view special) {
  if (c == '\n') {
    out += "\\n";
  } else if (c == '\t') {
    out += "\\t";
  } else if (c == '\r') {
    out += "\\r";
  } else if (static_cast<unsigned char>(c) < 0x20) {
    out += fmt::format("\\x{:02X}", static_cast<unsigned>(c));
  } else {
    if (special.contains(c)) out += '\\';
    out += c;
  }
}

std::string literal(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) append_escaped(out, c, "\"\\");
  return out + "\"";
}

std::vector<std::string_view> characters(std::string_view text) {
  std::vector<std::string_view> out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t size = 1;
    while (at + size < text.size() && (static_cast<unsigned char>(text[at + size]) & 0xC0U) == 0x80U) ++size;
    out.push_back(text.substr(at, size));
    at += size;
  }
  return out;
}

std::string character_class(std::string_view character) {
  std::string out;
  for (const char c : character) append_escaped(out, c, "\\]^-");
  return out;
}

const object* properties_of(const Tool& tool) {
  const object* schema = tool.parameters.if_object();
  const value* properties = schema ? schema->if_contains("properties") : nullptr;
  return properties ? properties->if_object() : nullptr;
}

bool is_required(const Tool& tool, std::string_view parameter) {
  const object* schema = tool.parameters.if_object();
  const value* required = schema ? schema->if_contains("required") : nullptr;
  if (!required || !required->is_array()) return false;
  return std::ranges::any_of(required->get_array(), [&](const value& name) {
    return name.is_string() && std::string_view(name.get_string()) == parameter;
  });
}

// The strings that a schema enumerates; none: it does not.
std::vector<std::string> texts_of(const value& schema) {
  std::vector<std::string> texts;
  const object* o = schema.if_object();
  if (!o) return texts;
  const value* only = o->if_contains("const");
  if (only && only->is_string()) texts.emplace_back(only->get_string());
  const value* choices = o->if_contains("enum");
  if (only || !choices || !choices->is_array()) return texts;
  for (const value& choice : choices->get_array()) {
    if (choice.is_string()) texts.emplace_back(choice.get_string());
  }
  return texts;
}

class GrammarWriter {
 public:
  GrammarWriter(const Format& format, const CallGrammarOptions& options)
      : format_(format), options_(options) {}

  CallGrammar write(const ToolSet& tools);
  CallGrammar write(const value& schema);

 private:
  std::string sequence(std::span<const Step> steps, std::size_t tool_index, const Tool& tool);
  std::string item(const Step& step, std::size_t tool_index, const Tool& tool);
  std::string parameters(std::size_t tool_index, const Tool& tool);
  std::string parameter_value(const std::string& rule, const Tool& tool, std::string_view parameter);
  std::string schema_rule(const std::string& rule, value schema);
  std::string reasoning();
  std::string text_until(std::string_view mark);
  std::string marks(std::span<const Step> steps);
  void add_rule(const std::string& name, const std::string& body) { rules_ += name + " ::= " + body + "\n"; }

  const Format& format_;
  const CallGrammarOptions& options_;
  std::string rules_;
  std::vector<std::string> texts_;  // the marks for which there is a rule of text that ends before them
  CallGrammar out_;
};

std::string join(std::string left, const std::string& right) {
  if (!left.empty() && !right.empty()) left += ' ';
  return left + right;
}

CallGrammar GrammarWriter::write(const ToolSet& tools) {
  const auto first = std::ranges::find(format_.programs, Program::Gives::kCall, &Program::gives);
  CISTERN_CHECK(first != format_.programs.end());
  std::string first_calls, next_calls;
  for (std::size_t i = 0; i < tools.all().size(); ++i) {
    const Tool& tool = tools.all()[i];
    if (!options_.only.empty() && tool.name != options_.only) continue;
    const std::string rule = fmt::format("tool-{}", i);
    add_rule(rule, sequence(first->steps, i, tool));
    first_calls += (first_calls.empty() ? "" : " | ") + rule;
    if (!options_.parallel) continue;
    add_rule(rule + "-next", sequence(format_.next, i, tool));
    next_calls += (next_calls.empty() ? "" : " | ") + rule + "-next";
  }
  CISTERN_CHECK(!first_calls.empty());
  const std::string call_end = marks(format_.call_end);
  std::string root = join(reasoning(), "( " + first_calls + " )");
  root = join(root, call_end);
  if (options_.parallel) root += " ( " + join("( " + next_calls + " )", call_end) + " )*";
  root = join(root, marks(format_.section_end));
  out_.gbnf = "root ::= " + root + "\n" + rules_;
  return std::move(out_);
}

CallGrammar GrammarWriter::write(const value& schema) {
  constexpr const char* kAnswer = "answer";
  const std::string root = join(reasoning(), kAnswer);
  out_.schemas.emplace_back(kAnswer, schema);
  out_.gbnf = "root ::= " + root + "\n" + rules_;
  return std::move(out_);
}

std::string GrammarWriter::marks(std::span<const Step> steps) {
  std::string text;
  for (const Step& step : steps) text += step.text;
  return text.empty() ? std::string() : literal(text);
}

std::string GrammarWriter::sequence(std::span<const Step> steps, std::size_t tool_index, const Tool& tool) {
  std::string body, text;  // neighbouring texts become one literal
  const auto flush = [&] {
    if (!text.empty()) body = join(body, literal(std::exchange(text, {})));
  };
  for (const Step& step : steps) {
    switch (step.kind) {
      case Step::Kind::kText:
      case Step::Kind::kMaybe:
      case Step::Kind::kSpace:
        text += step.text;
        break;
      case Step::Kind::kName:
        text += tool.name;
        break;
      default:
        flush();
        body = join(body, item(step, tool_index, tool));
        break;
    }
  }
  flush();
  return body;
}

std::string GrammarWriter::item(const Step& step, std::size_t tool_index, const Tool& tool) {
  switch (step.kind) {
    case Step::Kind::kId:
      return std::string(format_.id_pattern);
    case Step::Kind::kNumberedName:
      return literal("functions." + tool.name + ":") + " [0-9] [0-9]?";
    case Step::Kind::kObject: {
      const std::string quoted = boost::json::serialize(boost::json::string(tool.name));
      return sequence(format_.object, tool_index,
                      {.name = quoted.substr(1, quoted.size() - 2), .parameters = tool.parameters});
    }
    case Step::Kind::kArguments:
      return schema_rule(fmt::format("tool-{}-arguments", tool_index), tool.parameters);
    case Step::Kind::kParameters:
      return parameters(tool_index, tool);
    default:
      return {};
  }
}

std::string GrammarWriter::schema_rule(const std::string& rule, value schema) {
  const auto known = [&](const auto& entry) { return entry.first == rule; };
  if (std::ranges::none_of(out_.schemas, known)) out_.schemas.emplace_back(rule, std::move(schema));
  return rule;
}

std::string GrammarWriter::parameters(std::size_t tool_index, const Tool& tool) {
  const object* properties = properties_of(tool);
  if (!properties) return {};
  const ParameterMarks& marks = format_.parameter;
  std::string body;
  std::size_t index = 0;
  for (const auto& [key, schema] : *properties) {
    const std::string rule = fmt::format("tool-{}-parameter-{}", tool_index, index++);
    if (!rules_.contains(rule + " ::=")) {
      const std::string key_text(key);
      const bool is_text = !types_of(tool, key).other;
      std::string begin = std::string(marks.open) + key_text + std::string(marks.key_end);
      begin += std::string(is_text ? marks.before_text : marks.before_json) + std::string(marks.value_begin);
      begin += marks.padding;
      const std::string end = std::string(marks.padding) + std::string(marks.close) + "\n";
      add_rule(rule, literal(begin) + " " + parameter_value(rule + "-value", tool, key) + " " + literal(end));
    }
    body = join(body, is_required(tool, key) ? rule : rule + "?");
  }
  return body;
}

std::string GrammarWriter::parameter_value(const std::string& rule, const Tool& tool,
                                           std::string_view parameter) {
  if (types_of(tool, parameter).other) return schema_rule(rule, schema_of(tool, parameter));
  std::string choices;
  for (const std::string& text : texts_of(schema_of(tool, parameter)))
    choices += (choices.empty() ? "" : " | ") + literal(text);
  return choices.empty() ? text_until(format_.parameter.close) : "( " + choices + " )";
}

std::string GrammarWriter::reasoning() {
  const auto program = std::ranges::find(format_.programs, Program::Gives::kReasoning, &Program::gives);
  if (program == format_.programs.end()) return {};
  if (!options_.may_reason && !options_.in_reasoning) return {};
  const std::string after = program->then.empty() ? "\"\\n\"? \"\\n\"?" : literal(program->then);
  const std::string ended = text_until(program->until) + " " + literal(program->until) + " " + after;
  if (options_.in_reasoning) return ended;
  std::string opening;
  for (const Step& step : program->steps) opening += step.text;
  return "( " + literal(opening) + " " + ended + " )?";
}

// A rule for any text without `mark`: one state for each beginning of the mark that has just been read.
std::string GrammarWriter::text_until(std::string_view mark) {
  const auto known = std::ranges::find(texts_, mark);
  const auto number = static_cast<std::size_t>(known - texts_.begin());
  const auto rule = [&](std::size_t state) { return fmt::format("text-{}-{}", number, state); };
  if (known != texts_.end()) return rule(0);
  texts_.emplace_back(mark);

  const std::vector<std::string_view> letters = characters(mark);
  const auto next_state = [&](std::size_t state, std::string_view letter) {
    std::string read;
    for (std::size_t i = 0; i < state; ++i) read += letters[i];
    read += letter;
    for (std::size_t n = state + 1; n > 0; --n) {
      std::string beginning;
      for (std::size_t i = 0; i < n; ++i) beginning += letters[i];
      if (read.ends_with(beginning)) return n;
    }
    return std::size_t{0};
  };
  for (std::size_t state = 0; state < letters.size(); ++state) {
    std::vector<std::string_view> distinct;
    std::string body, others;
    for (const std::string_view letter : letters) {
      if (std::ranges::find(distinct, letter) != distinct.end()) continue;
      distinct.push_back(letter);
      const std::size_t next = next_state(state, letter);
      if (next == 0) continue;
      others += character_class(letter);
      if (next < letters.size()) body += fmt::format("[{}] {} | ", character_class(letter), rule(next));
    }
    add_rule(rule(state), "( " + body + fmt::format("[^{}] {} )?", others, rule(0)));
  }
  return rule(0);
}

}  // namespace

CallGrammar call_grammar(const Format& format, const ToolSet& tools, const CallGrammarOptions& options) {
  return GrammarWriter(format, options).write(tools);
}

CallGrammar schema_grammar(const Format& format, const value& schema, bool in_reasoning) {
  const CallGrammarOptions options{.only = {}, .in_reasoning = in_reasoning};
  return GrammarWriter(format, options).write(schema);
}

}  // namespace cistern::text
