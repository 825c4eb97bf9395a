#include "serve/prepare.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/model_sampling.h"
#include "engine/prompt.h"
#include "serve/chat_prompt.h"
#include "serve/constraint.h"
#include "serve/fill_in.h"

namespace cistern::serve {
namespace {

template <class T>
void replace(T& value, const std::optional<T>& wanted) {
  if (wanted) value = *wanted;
}

Result<sample::SamplerOptions> sampling_of(const LoadedModel& model, const Sampling& wanted) {
  sample::SamplerOptions options = model.sampling;
  replace(options.temperature, wanted.temperature);
  replace(options.top_p, wanted.top_p);
  replace(options.min_p, wanted.min_p);
  replace(options.typical_p, wanted.typical_p);
  replace(options.repetition_penalty, wanted.repetition_penalty);
  replace(options.presence_penalty, wanted.presence_penalty);
  replace(options.frequency_penalty, wanted.frequency_penalty);
  replace(options.top_k, wanted.top_k);
  replace(options.penalty_window, wanted.penalty_window);
  options.logit_bias = wanted.logit_bias;
  if (wanted.seed) {
    options.seed = *wanted.seed;
  } else {
    CISTERN_TRY(options.seed, engine::random_seed());
  }
  CISTERN_TRY_VOID(sample::validate(options, static_cast<std::uint32_t>(model.tokenizer().size())));
  return options;
}

// The text of a conversation, ready for the answer.
Result<std::string> rendered(const engine::OpenModel& model, const Result<text::jinja::Template>& chat,
                             const Conversation& conversation) {
  if (chat) return render_conversation(model, *chat, conversation);
  if (chat.error().code != ErrorCode::kNotFound) return std::unexpected(chat.error());
  return fail(ErrorCode::kUnsupported,
              "the model has no chat template: ask it to complete plain text (/v1/completions, /api/generate "
              "with raw)",
              "messages");
}

Result<std::vector<text::TokenId>> raw_ids(const engine::OpenModel& model, const RawTokens& ids) {
  const std::size_t n_vocab = model.tokenizer->size();
  const auto foreign = std::ranges::find_if(ids, [n_vocab](text::TokenId id) { return id >= n_vocab; });
  if (foreign == ids.end()) return ids;
  return fail(ErrorCode::kUsage, fmt::format("token id {} is beyond the vocabulary of {}", *foreign, n_vocab),
              "prompt");
}

Result<std::vector<text::TokenId>> raw_ids(const engine::OpenModel& model, const RawText& raw) {
  if (!raw.suffix.empty()) return fill_in_prompt(model, raw.text, raw.suffix);
  return engine::encode_prompt(model, raw.text);
}

std::string echo_of(const LoadedModel& model, const GenerationTask& task) {
  if (!task.echo) return {};
  if (const auto* raw = std::get_if<RawText>(&task.prompt)) return raw->text;
  if (const auto* ids = std::get_if<RawTokens>(&task.prompt)) return model.tokenizer().decode(*ids);
  return {};
}

// Whether the prompt ends with the mark that opens reasoning.
bool begins_reasoning(std::string_view text, const text::Format& format) {
  text = text.substr(0, text.find_last_not_of(" \n") + 1);
  return std::ranges::any_of(format.programs, [&](const text::Program& program) {
    if (program.gives != text::Program::Gives::kReasoning) return false;
    std::string mark;
    for (const text::Step& step : program.steps) mark += step.text;
    mark.resize(mark.find_last_not_of(" \n") + 1);
    return !mark.empty() && text.ends_with(mark);
  });
}

// `text`: the rendered prompt.
AnswerPlan answer_plan(const LoadedModel& model, const Conversation& conversation, const std::string& text) {
  AnswerPlan plan{.format = model.format, .tools = {}, .one_call = !conversation.parallel_tool_calls};
  if (conversation.tool_choice != ToolChoice::kNone) plan.tools = text::ToolSet(conversation.tools);
  plan.in_reasoning = begins_reasoning(text, *model.format);
  return plan;
}

std::optional<double> timeout_of(const GenerationTask& task, double longest_s) {
  if (longest_s <= 0) return task.timeout_s;
  return std::min(task.timeout_s.value_or(longest_s), longest_s);
}

}  // namespace

Result<std::vector<text::TokenId>> prompt_ids(const engine::OpenModel& model,
                                              const Result<text::jinja::Template>& chat,
                                              const GenerationTask& task) {
  if (const auto* conversation = std::get_if<Conversation>(&task.prompt)) {
    CISTERN_TRY(const std::string text, rendered(model, chat, *conversation));
    return engine::encode_prompt(model, text);
  }
  if (const auto* raw = std::get_if<RawText>(&task.prompt)) return raw_ids(model, *raw);
  return raw_ids(model, std::get<RawTokens>(task.prompt));
}

Result<PreparedTask> prepare(const LoadedModel& model, const GenerationTask& task, double longest_s) {
  if (!model.info.generates) {
    return fail(ErrorCode::kUnsupported,
                fmt::format("{} reads texts and writes none: use it for {}", model.info.id,
                            model.info.reranks ? "reranking" : "embeddings"),
                "model");
  }
  PreparedTask prepared{.choices = task.choices, .answer = {}, .echo = echo_of(model, task)};
  engine::Request& request = prepared.request.request;
  if (const auto* conversation = std::get_if<Conversation>(&task.prompt)) {
    CISTERN_TRY(const std::string text, rendered(model.open(), model.chat, *conversation));
    CISTERN_TRY(request.prompt, engine::encode_prompt(model.open(), text));
    prepared.answer = answer_plan(model, *conversation, text);
  } else {
    CISTERN_TRY(request.prompt, prompt_ids(model.open(), model.chat, task));
  }
  CISTERN_TRY(request.sampling, sampling_of(model, task.sampling));
  CISTERN_TRY(request.grammar, constraint_of(model, task, prepared.answer));
  prepared.request.show_control = prepared.answer.format != nullptr;
  request.max_tokens = task.max_tokens;
  request.stop = task.stop;
  request.ignore_end = task.ignore_end;
  if (task.logprobs) prepared.request.top_logprobs = task.top_logprobs;
  prepared.request.timeout_s = timeout_of(task, longest_s);
  return prepared;
}

}  // namespace cistern::serve
