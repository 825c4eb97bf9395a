// What a chat template does with what it is given, found out by rendering small conversations with it: which
// forms of messages it needs, and which parts the answers of its model have. Made once per model; those who
// make prompts and those who read answers look at it. It judges by what comes out, so that it holds for
// templates that nobody has seen; only whether answers have reasoning is also looked up in the source. Plain
// values, a pure function.
#pragma once

#include <string>
#include <string_view>

#include "text/jinja/template.h"

namespace cistern::text {

struct TemplateTraits {
  bool renders = false;              // a user's question comes out; where not, the rest is not known
  bool knows_system = false;         // messages of the role system come out
  bool knows_tools = false;          // `tools` come out
  bool knows_calls = false;          // calls in the assistant's messages come out, with their arguments
  bool knows_several_calls = false;  // also two in one message
  bool knows_results = false;        // messages of the role tool come out
  bool arguments_as_text = false;    // arguments of calls must be JSON text; else objects are right
  bool absent_is_undefined =
      false;  // without tools and documents the variables must not be set, not even to none
  bool content_as_parts = false;       // content must be [{"type": "text", "text": ...}]; else text is right
  bool content_with_calls = false;     // a message with calls needs text as its content, if only ""
  bool no_content_with_calls = false;  // it shows its calls only when its content is null
  bool thinks = false;                 // answers have a part for reasoning
  bool opens_thinking = false;         // the prompt of a question ends inside of that part
  bool knows_effort = false;           // the variable reasoning_effort changes the prompt
  std::string
      reasoning_field;  // of a message with calls, that comes out: "reasoning_content", ...; empty: none
  std::string thinking_switch;  // the variable that turns reasoning on and off; empty: none does
};

TemplateTraits probe_template(const jinja::Template& chat_template, std::string_view source);

}  // namespace cistern::text
