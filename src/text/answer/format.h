// How models write reasoning and tool calls, as data: a format is a list of programs, a program a list of
// steps. program_reader.h reads text by them, call_grammar.h writes grammars from them: a vendor's format is
// one entry of the table in format_table.cc. Which one a model uses is told by its chat template. Constants;
// thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cistern::text {

struct Step {
  enum class Kind : std::uint8_t {
    kText,          // exactly `text`
    kMaybe,         // `text`, or nothing; a grammar writes it
    kSpace,         // any white space; a grammar writes `text`
    kName,          // name of a tool, up to one of the bytes of `text`
    kId,            // id of the call, likewise
    kNumberedName,  // "functions.NAME:3" is the id and tells the name, likewise
    kObject,        // {"name": ..., "arguments": {...}}, members in any order
    kArguments,     // the arguments as a JSON object
    kParameters,    // the arguments one by one, as the format's `parameter` marks them
    kString,        // a JSON string: the content of the answer
  };
  Kind kind;
  std::string_view text;
};

struct Program {
  enum class Gives : std::uint8_t {
    kCall,       // a call of a tool
    kReasoning,  // reasoning begins, up to `until`
    kContent,    // nothing: a mark before, between or after content
    kResponse,   // the content, of an answer that had to choose between it and calls
  };
  Gives gives;
  std::span<const Step> steps;
  bool at_start = false;        // only where the answer begins, or goes on after reasoning
  std::string_view until = {};  // of kReasoning
  std::string_view then = {};   // what a grammar writes after it; nothing: up to two line breaks
};

struct ParameterMarks {  // <parameter=KEY>VALUE</parameter>
  std::string_view open = {}, key_end = {}, value_begin = {}, close = {};
  // What a grammar writes before value_begin; readers allow anything short there.
  std::string_view before_text = {}, before_json = {};
  std::string_view padding = {};  // a line break around the value that is not part of it
};

struct Format {
  std::string_view name;
  std::span<const Program> programs;       // the first that gives a call is how a grammar begins
  std::span<const Step> next = {};         // a further call right after one; nothing: there is none
  std::span<const Step> call_end = {};     // marks after each call; missing ones are no error
  std::span<const Step> section_end = {};  // marks after the last call; likewise
  // The members of kObject as a grammar writes them: texts with a step kName, kId or kArguments between.
  std::span<const Step> object = {};
  bool known_members_only = false;  // an object with other members is no call
  ParameterMarks parameter = {};
  std::string_view id_pattern = {};  // of a grammar's kId, in GBNF
};

// By name ("hermes", "qwen3-coder", ...; docs/tool-calls.md lists them); null: unknown.
const Format* format_named(std::string_view name);
std::span<const Format> all_formats();

// Of the model that has this chat template; the generic one where the template tells nothing.
const Format& detect_format(std::string_view template_source);

// Whether a prompt ends inside of the reasoning, so that the answer goes on with it.
bool ends_in_reasoning(const Format& format, std::string_view prompt);

// The marks of a format, and those of reasoning. Where a vocabulary has control tokens with these texts, the
// parser must see them; all other control tokens should be hidden from it.
std::vector<std::string_view> marks_of(const Format& format);

}  // namespace cistern::text
