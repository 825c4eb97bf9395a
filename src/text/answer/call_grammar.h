// The grammar of an answer that has to call a tool: for tool_choice "required" or a named tool. Written in
// GBNF from a format's table (format.h), so what it lets a model write is what the parser reads. The compiler
// of grammars (sample/) adds the rules of the schemas that it refers to. Pure functions; thread-safe.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <utility>
#include <vector>

#include "text/answer/format.h"
#include "text/answer/tool_set.h"

namespace cistern::text {

struct CallGrammar {
  std::string gbnf;  // begins with the rule root
  // Rules that gbnf refers to and does not have, each the JSON of a schema.
  std::vector<std::pair<std::string, boost::json::value>> schemas;
};

struct CallGrammarOptions {
  std::string only;           // the tool that must be called; empty: any of them
  bool parallel = true;       // several calls may follow each other; else exactly one
  bool may_reason = true;     // the model knows how to: reasoning may come first
  bool in_reasoning = false;  // the prompt has begun the reasoning, which must come to its end first
};

// Reasoning may come before the calls where the format has it. Parameters that a format writes as bare text
// come in the schema's order, the required ones always; text ends at the parameter's closing mark. REQUIRES:
// tools has a tool, and `only` where it is given.
CallGrammar call_grammar(const Format& format, const ToolSet& tools, const CallGrammarOptions& options);

// The grammar of an answer that is JSON of a schema, with the reasoning that may come before it.
CallGrammar schema_grammar(const Format& format, const boost::json::value& schema, bool in_reasoning);

}  // namespace cistern::text
