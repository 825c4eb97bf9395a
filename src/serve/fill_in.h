// Prompts for models that fill gaps in a text: what is before the gap and what is after it, between the
// tokens that the model was trained with. Pure; thread-safe.
#pragma once

#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/engine.h"

namespace cistern::serve {

// kUnsupported for models without such tokens.
Result<std::vector<text::TokenId>> fill_in_prompt(const engine::OpenModel& model, std::string_view before,
                                                  std::string_view after);

}  // namespace cistern::serve
