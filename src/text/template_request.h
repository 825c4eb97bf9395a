// One request of `cistern template --jsonl`, as a JSON object: which template, which variables. Used by that
// command, which reads the lines and the template files; nothing here touches files. Safe from any thread.
//
// Fields: "template": source text (otherwise the text of "template_file", read by the caller, otherwise the
// model's template). Then either "context": an object with exactly the variables (null is none, an absent
// name is undefined), or "messages" with "tools", "documents", "add_generation_prompt" (absent: false, as in
// transformers), "bos_token", "eos_token" and "extra". As transformers does, absent or null tools and
// documents are passed as none; with "omit_none": true they are undefined. An absent bos_token or eos_token
// is the model's, a null one undefined.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "text/jinja/template.h"

namespace cistern::text {

struct TemplateRequestDefaults {
  const jinja::Template* model_template = nullptr;  // null: the request must bring its own
  std::optional<std::string_view>
      template_file_source;              // the text of "template_file", where the request names one
  std::optional<std::string> bos_token;  // of the model
  std::optional<std::string> eos_token;
  std::optional<jinja::LocalTime> now;  // nullopt: the machine's clock
};

// Fails with kTemplate when the template does, with kUsage when the request is malformed.
Result<std::string> render_request(const boost::json::object& request,
                                   const TemplateRequestDefaults& defaults);

}  // namespace cistern::text
