// Reads the body of POST /v1/completions. Pure; safe on any bytes.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "serve/openai/common_fields.h"
#include "serve/task.h"

namespace cistern::serve::openai {

inline constexpr std::size_t kMostPrompts = 64;  // of one request, times its choices
inline constexpr std::uint32_t kMostCompletionLogprobs = 20;
inline constexpr std::uint32_t kDefaultCompletionTokens = 16;  // as the protocol says

struct CompletionRequest {
  GenerationTask task;  // of each prompt; its own is not set
  std::vector<std::variant<RawText, RawTokens>> prompts;
  StreamOptions stream;
};

Result<CompletionRequest> read_completion_request(std::string_view body);

}  // namespace cistern::serve::openai
