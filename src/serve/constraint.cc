#include "serve/constraint.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "text/answer/call_grammar.h"

namespace cistern::serve {
namespace {

namespace json = boost::json;
using sample::GrammarPtr;

Result<GrammarPtr> compiled(const LoadedModel& model, text::CallGrammar grammar) {
  CISTERN_TRY(sample::GrammarVocabPtr vocab, model.grammar_vocab->get());
  std::vector<sample::NamedSchema> schemas;
  for (auto& [rule, schema] : grammar.schemas)
    schemas.push_back({.rule = std::move(rule), .schema = std::move(schema)});
  return sample::compile_gbnf(grammar.gbnf, std::move(vocab), schemas);
}

// A call that has to come.
Result<GrammarPtr> forced_call(const LoadedModel& model, const Conversation& conversation,
                               const AnswerPlan& plan) {
  const bool named = conversation.tool_choice == ToolChoice::kNamed;
  if (plan.tools.empty())
    return fail(ErrorCode::kUsage, "a tool has to be called, but none is there", "tool_choice");
  if (named && plan.tools.find(conversation.tool_name) == nullptr) {
    return fail(ErrorCode::kUsage, fmt::format("there is no tool '{}'", conversation.tool_name),
                "tool_choice");
  }
  return compiled(model, text::call_grammar(*plan.format, plan.tools,
                                            {.only = named ? conversation.tool_name : std::string(),
                                             .parallel = conversation.parallel_tool_calls,
                                             .may_reason = model.info.reasons,
                                             .in_reasoning = plan.in_reasoning}));
}

Result<GrammarPtr> json_answer(const LoadedModel& model, const json::value& schema, const AnswerPlan& plan) {
  CISTERN_TRY(sample::GrammarVocabPtr vocab, model.grammar_vocab->get());
  // By itself first, so that errors are about the schema alone.
  auto grammar = sample::compile_json_schema(schema, std::move(vocab));
  if (!grammar) return fail(grammar.error().code, grammar.error().message, "schema#" + grammar.error().where);
  const bool may_reason = plan.format != nullptr && (plan.in_reasoning || model.info.reasons);
  if (!may_reason) return grammar;
  return compiled(model, text::schema_grammar(*plan.format, schema, plan.in_reasoning));
}

}  // namespace

Result<GrammarPtr> constraint_of(const LoadedModel& model, const GenerationTask& task,
                                 const AnswerPlan& plan) {
  const auto* conversation = std::get_if<Conversation>(&task.prompt);
  if (conversation != nullptr && (conversation->tool_choice == ToolChoice::kRequired ||
                                  conversation->tool_choice == ToolChoice::kNamed)) {
    return forced_call(model, *conversation, plan);
  }
  const Format& format = task.format;
  if (format.json_schema) return json_answer(model, *format.json_schema, plan);
  if (format.json_object) return json_answer(model, json::object{{"type", "object"}}, plan);
  if (format.grammar.empty()) return GrammarPtr();
  CISTERN_TRY(sample::GrammarVocabPtr vocab, model.grammar_vocab->get());
  return sample::compile_gbnf(format.grammar, std::move(vocab));
}

}  // namespace cistern::serve
