// What an answer consists of: reasoning, content and calls of tools, as pieces in the order in which they
// become known, or as a whole. answer_parser.h makes them. The names are those of serve/answer.h, whose
// events these become. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cistern::text {

struct Delta {
  enum class Kind {
    kReasoning,      // text: what the model thinks
    kContent,        // text: what it answers
    kCallBegin,      // a tool is called: call, name, id
    kCallArguments,  // text: a piece of the JSON of call's arguments
    kCallEnd,        // call is complete
  };
  Kind kind = Kind::kContent;
  std::string text;        // valid UTF-8
  std::uint32_t call = 0;  // index of the call, from 0
  std::string name;        // of kCallBegin
  std::string
      id;  // of kCallBegin, as the model chose it; of kCallEnd where the format tells it last; else empty
};

struct AnsweredCall {
  std::string name;
  std::string arguments;  // a JSON object, as the model wrote it
  std::string id;         // empty: the format has none
};

struct Answer {
  std::string reasoning;
  std::string content;
  std::vector<AnsweredCall> calls;
};

}  // namespace cistern::text
