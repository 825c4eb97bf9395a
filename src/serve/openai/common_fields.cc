#include "serve/openai/common_fields.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

namespace cistern::serve::openai {
namespace {

namespace json = boost::json;

constexpr std::array kSamplingFields = {
    SamplingField{"temperature", &Sampling::temperature, {0, 100}},
    SamplingField{"top_p", &Sampling::top_p, {0, 1}},
    SamplingField{"min_p", &Sampling::min_p, {0, 1}},
    SamplingField{"typical_p", &Sampling::typical_p, {0, 1}},
    SamplingField{"repetition_penalty", &Sampling::repetition_penalty, {0.01, 100}},
    SamplingField{"presence_penalty", &Sampling::presence_penalty, {-2, 2}},
    SamplingField{"frequency_penalty", &Sampling::frequency_penalty, {-2, 2}},
};

// {"50256": -100}
Result<std::vector<std::pair<text::TokenId, float>>> read_logit_bias(const Field& field) {
  CISTERN_TRY(const json::object* object, field.object());
  if (object->size() > kMostBiases)
    return field.wrong(fmt::format("has {} tokens, at most {} are allowed", object->size(), kMostBiases));
  std::vector<std::pair<text::TokenId, float>> biases;
  for (const auto& [key, value] : *object) {
    text::TokenId id = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (error != std::errc() || end != key.data() + key.size() || key.size() > kMostIdDigits)
      return field.wrong("has a name that is not the number of a token");
    CISTERN_TRY(const double bias, Field(value, fmt::format("{}.{}", field.path(), id)).number(kBiasRange));
    biases.emplace_back(id, static_cast<float>(bias));
  }
  return biases;
}

Result<std::string> stop_string(const Field& field) {
  return field.text_of_length(1, kMostStopLength);
}

}  // namespace

std::span<const SamplingField> sampling_fields() {
  return kSamplingFields;
}

Result<Sampling> read_sampling(const Fields& fields) {
  Sampling sampling;
  for (const SamplingField& row : kSamplingFields) {
    CISTERN_TRY(const auto number, fields.number(row.name, row.range));
    if (number) sampling.*row.member = static_cast<float>(*number);
  }
  CISTERN_TRY(const auto top_k, fields.integer("top_k", kUnset, kMostTopK));
  if (top_k) sampling.top_k = *top_k == kUnset ? 0 : static_cast<std::uint32_t>(*top_k);  // 0: off
  CISTERN_TRY(const auto seed, fields.integer("seed", INT64_MIN, INT64_MAX));
  if (seed && *seed != kUnset) sampling.seed = static_cast<std::uint64_t>(*seed);
  if (const auto bias = fields.find("logit_bias")) {
    CISTERN_TRY(sampling.logit_bias, read_logit_bias(*bias));
  }
  return sampling;
}

Result<std::vector<std::string>> read_stop(const Fields& fields) {
  std::vector<std::string> stops;
  const auto field = fields.find("stop");
  if (!field) return stops;
  if (field->is_text()) {
    CISTERN_TRY(stops.emplace_back(), stop_string(*field));
    return stops;
  }
  if (!field->is_array()) return field->wrong_type("a string or an array of strings");
  CISTERN_TRY(const json::array* array, field->array(kMostStops));
  for (std::size_t i = 0; i < array->size(); ++i) {
    CISTERN_TRY(stops.emplace_back(), stop_string((*field)[i]));
  }
  return stops;
}

Result<std::uint32_t> read_max_tokens(const Fields& fields, std::span<const std::string_view> names) {
  std::optional<std::uint32_t> first;
  for (const std::string_view name : names) {
    CISTERN_TRY(const auto tokens, fields.integer(name, kUnset, kMostTokens));
    if (!tokens) continue;
    if (*tokens == 0) return fields.find(name)->wrong("has to be at least 1, or -1 for no limit");
    if (!first) first = *tokens == kUnset ? 0 : static_cast<std::uint32_t>(*tokens);
  }
  return first.value_or(0);
}

Result<void> read_common(const Fields& fields, GenerationTask& task) {
  CISTERN_TRY(const auto model, fields.text("model"));
  CISTERN_TRY(task.sampling, read_sampling(fields));
  CISTERN_TRY(task.stop, read_stop(fields));
  CISTERN_TRY(const auto choices, fields.integer("n", 1, kMostChoices));
  CISTERN_TRY(const auto ignore_end, fields.boolean("ignore_eos"));
  CISTERN_TRY(task.timeout_s, fields.number("timeout", {kLeastTimeoutS, kMostTimeoutS}));
  task.model = model.value_or("");
  task.choices = static_cast<std::uint32_t>(choices.value_or(1));
  task.ignore_end = ignore_end.value_or(false);
  return {};
}

Result<StreamOptions> read_stream_options(const Fields& fields) {
  StreamOptions options;
  CISTERN_TRY(const auto stream, fields.boolean("stream"));
  options.stream = stream.value_or(false);
  if (const auto field = fields.find("stream_options")) {
    CISTERN_TRY(const Fields inner, Fields::of(*field));
    CISTERN_TRY(const auto usage, inner.boolean("include_usage"));
    options.include_usage = usage.value_or(false);
  }
  return options;
}

Result<Format> read_json_schema(const Fields& fields) {
  Format format;
  CISTERN_TRY_VOID(fields.text("name"));
  CISTERN_TRY_VOID(fields.boolean("strict"));
  const json::value* schema = fields.object().if_contains("schema");
  if (schema == nullptr || schema->is_null()) {
    format.json_object = true;  // nothing but the name is told of it
    return format;
  }
  if (!schema->is_object() && !schema->is_bool())
    return Field(*schema, fields.path_of("schema")).wrong_type("a JSON schema");
  format.json_schema = *schema;
  return format;
}

Result<Format> read_response_format(const Fields& fields) {
  Format format;
  CISTERN_TRY(const auto grammar, fields.text("grammar"));
  if (const auto field = fields.find("response_format")) {
    constexpr std::array<std::string_view, 3> kTypes = {"text", "json_object", "json_schema"};
    CISTERN_TRY(const Fields parts, Fields::of(*field));
    CISTERN_TRY(const Field type, parts.require("type"));
    CISTERN_TRY(const std::size_t kind, type.one_of(kTypes));
    if (kind == 1) format.json_object = true;
    if (kind == 2) {
      CISTERN_TRY(const Field schema, parts.require("json_schema"));
      CISTERN_TRY(const Fields schema_fields, Fields::of(schema));
      CISTERN_TRY(format, read_json_schema(schema_fields));
    }
  }
  if (!grammar || grammar->empty()) return format;
  if (format.json_object || format.json_schema)
    return fields.find("grammar")->wrong("cannot be given together with response_format");
  format.grammar = *grammar;
  return format;
}

Result<void> read_reasoning_effort(const std::optional<Field>& field, Conversation& conversation) {
  if (!field) return {};
  // As clients name them, and as templates do.
  constexpr std::array<std::string_view, 7> kNames = {"none", "minimal", "low", "medium",
                                                      "high", "xhigh",   "max"};
  constexpr std::array<std::string_view, 7> kEfforts = {"", "low", "low", "medium", "high", "high", "high"};
  CISTERN_TRY(const std::size_t effort, field->one_of(kNames));
  conversation.reasoning = effort > 0;
  conversation.reasoning_effort = kEfforts[effort];
  return {};
}

Result<void> refuse(const Fields& fields, std::span<const Refused> refused) {
  for (const auto& [name, why] : refused)
    if (const auto field = fields.find(name)) return field->wrong(std::string(why), ErrorCode::kUnsupported);
  return {};
}

}  // namespace cistern::serve::openai
