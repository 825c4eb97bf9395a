#include "serve/openai/completion_request.h"

#include <fmt/format.h>

#include <array>
#include <string>
#include <utility>

#include "serve/json_fields.h"
#include "serve/openai/common_fields.h"
#include "serve/openai/token_array.h"

namespace cistern::serve::openai {
namespace {

Result<void> read_prompts(const Fields& fields, CompletionRequest& request) {
  CISTERN_TRY(const auto suffix, fields.text("suffix"));
  CISTERN_TRY(const Field field, fields.require("prompt"));
  CISTERN_TRY(auto texts, read_texts(field, kMostPrompts));
  if (texts.size() * request.task.choices > kMostPrompts)
    return field.wrong(fmt::format("{} prompts with {} choices each are more than {}", texts.size(),
                                   request.task.choices, kMostPrompts));
  for (TextOrTokens& text : texts) {
    if (auto* tokens = std::get_if<RawTokens>(&text)) {
      if (suffix && !suffix->empty())
        return fields.find("suffix")->wrong("goes with prompts of text, not of tokens");
      request.prompts.emplace_back(std::move(*tokens));
    } else {
      request.prompts.emplace_back(
          RawText{.text = std::get<std::string>(std::move(text)), .suffix = suffix.value_or("")});
    }
  }
  return {};
}

}  // namespace

Result<CompletionRequest> read_completion_request(std::string_view body) {
  CISTERN_TRY(const boost::json::value document, parse_json(body));
  CISTERN_TRY(const Fields fields, Fields::of(document));
  CompletionRequest request;
  CISTERN_TRY_VOID(read_common(fields, request.task));
  CISTERN_TRY_VOID(read_prompts(fields, request));
  CISTERN_TRY(request.task.format, read_response_format(fields));
  constexpr std::array<std::string_view, 1> kLimits = {"max_tokens"};
  CISTERN_TRY(const auto max_tokens, read_max_tokens(fields, kLimits));
  request.task.max_tokens = fields.find("max_tokens") ? max_tokens : kDefaultCompletionTokens;
  CISTERN_TRY(const auto best_of, fields.integer("best_of", 1, kMostChoices));
  if (best_of && *best_of != request.task.choices)
    return fields.find("best_of")->wrong("has to be n: choosing among more answers is not supported");
  CISTERN_TRY(const auto logprobs, fields.integer("logprobs", 0, kMostCompletionLogprobs));
  request.task.logprobs = logprobs.has_value();
  request.task.top_logprobs = static_cast<std::uint32_t>(logprobs.value_or(0));
  CISTERN_TRY(const auto echo, fields.boolean("echo"));
  request.task.echo = echo.value_or(false);
  CISTERN_TRY(request.stream, read_stream_options(fields));
  return request;
}

}  // namespace cistern::serve::openai
