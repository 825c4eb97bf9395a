// A conversation as the text that its model reads: through the model's chat template, ready for the answer.
// Used by prepare.h; knows nothing of tokens. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/engine.h"
#include "serve/task.h"
#include "text/jinja/template.h"

namespace cistern::serve {

// Whether the template writes tools; where it does not, they are described to the model in words.
bool knows_tools(std::string_view template_source);

// kTemplate: the template refuses the conversation, or cannot continue its last message. kUsage: there is
// nothing to continue.
Result<std::string> render_conversation(const engine::OpenModel& model, const text::jinja::Template& chat,
                                        const Conversation& conversation);

}  // namespace cistern::serve
