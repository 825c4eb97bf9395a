// Ollama's "options", and the other fields that say how to answer and are the same for chat and generate, as
// parts of a task. Options that would make another text and that Cistern has not are refused; those that say
// how a machine is to be used are passed over, since the plan decides that. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "serve/json_fields.h"
#include "serve/task.h"

namespace cistern::serve::ollama {

struct AnswerOptions {
  Sampling sampling;
  Format format;
  std::uint32_t max_tokens = 0;  // as GenerationTask has it
  std::vector<std::string> stop;
  bool logprobs = false;
  std::uint32_t top_logprobs = 0;
  std::optional<std::uint32_t> context_tokens;  // "num_ctx": the context has to be as large
};

Result<AnswerOptions> read_answer_options(const Fields& request);

// "think": true, false or an effort.
Result<void> read_think(const Fields& request, Conversation& into);

// "keep_alive": a duration in seconds or as "5m", "-1" for ever. Checked and without effect but for a zero,
// which asks to unload the model.
struct KeepAlive {
  bool unload = false;
};
Result<KeepAlive> read_keep_alive(const Fields& request);

}  // namespace cistern::serve::ollama
