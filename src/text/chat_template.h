// Chat messages to prompt text: renders a model's chat template with the variables that transformers'
// apply_chat_template passes. Used by the engine for requests and by the `template` command. Knows nothing of
// how the prompt is tokenized. Pure functions; safe from any thread.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>

#include "base/error.h"
#include "text/jinja/template.h"

namespace cistern::text {

struct ChatInput {
  boost::json::array messages;
  // nullopt: the variable is undefined; a JSON null: it is none.
  std::optional<boost::json::value> tools;
  std::optional<boost::json::value> documents;
  bool add_generation_prompt = true;
  // nullopt: undefined.
  std::optional<std::string> bos_token;
  std::optional<std::string> eos_token;
  boost::json::object extra;            // further variables; they win over the ones above
  std::optional<jinja::LocalTime> now;  // for strftime_now; nullopt: the machine's clock
};

// Fails with kTemplate: what the template raised, or what is wrong with it or with the input.
Result<std::string> render_chat(const jinja::Template& chat_template, const ChatInput& input);

// Renders with exactly these variables; a JSON null is none, an absent name is undefined.
Result<std::string> render_context(const jinja::Template& chat_template, const boost::json::object& context,
                                   std::optional<jinja::LocalTime> now);

}  // namespace cistern::text
