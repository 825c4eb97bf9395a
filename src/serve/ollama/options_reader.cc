#include "serve/ollama/options_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>
#include <utility>

namespace cistern::serve::ollama {
namespace {

namespace json = boost::json;

constexpr std::int64_t kMostTokens = std::numeric_limits<std::int32_t>::max();
constexpr std::size_t kMostStopLength = kMostStopBytes / 4;  // in characters, whatever bytes they have
constexpr std::int64_t kAnySeed = std::numeric_limits<std::int64_t>::min();

struct FloatOption {
  std::string_view name;
  Range range;
  std::optional<float> Sampling::* member;
};
constexpr std::array kFloatOptions = {
    FloatOption{"temperature", {0, 100}, &Sampling::temperature},
    FloatOption{"top_p", {0, 1}, &Sampling::top_p},
    FloatOption{"min_p", {0, 1}, &Sampling::min_p},
    FloatOption{"typical_p", {0, 1}, &Sampling::typical_p},
    FloatOption{"repeat_penalty", {0.01, 100}, &Sampling::repetition_penalty},
    FloatOption{"presence_penalty", {-100, 100}, &Sampling::presence_penalty},
    FloatOption{"frequency_penalty", {-100, 100}, &Sampling::frequency_penalty},
};

// Samplers that are not here, each with the value by which it does nothing.
struct AbsentOption {
  std::string_view name;
  double nothing;
};
constexpr std::array kAbsentOptions = {
    AbsentOption{"tfs_z", 1},
    AbsentOption{"mirostat", 0},
};

constexpr std::array<std::string_view, 31> kKnownOptions = {
    "temperature",       "top_p",     "min_p",         "typical_p",    "repeat_penalty", "presence_penalty",
    "frequency_penalty", "top_k",     "repeat_last_n", "seed",         "stop",           "num_predict",
    "num_ctx",           "tfs_z",     "mirostat",      "mirostat_tau", "mirostat_eta",   "penalize_newline",
    "num_keep",          "num_batch", "num_gpu",       "num_thread",   "main_gpu",       "numa",
    "low_vram",          "f16_kv",    "logits_all",    "vocab_only",   "use_mmap",       "use_mlock",
    "embedding_only"};

constexpr std::array<std::string_view, 3> kEfforts = {"low", "medium", "high"};

Result<void> check_names(const Fields& options) {
  for (const auto& member : options.object()) {
    const std::string_view name = member.key();
    if (std::find(kKnownOptions.begin(), kKnownOptions.end(), name) == kKnownOptions.end())
      return fail(ErrorCode::kUnsupported, "there is no such option", options.path_of(name));
  }
  for (const auto& [name, nothing] : kAbsentOptions) {
    const auto field = options.find(name);
    if (!field) continue;
    CISTERN_TRY(const double value, field->number({-1e9, 1e9}));
    if (value != nothing)
      return field->wrong(fmt::format("is not supported; {} switches it off", nothing),
                          ErrorCode::kUnsupported);
  }
  return {};
}

Result<void> read_sampling(const Fields& options, Sampling& into) {
  for (const auto& [name, range, member] : kFloatOptions) {
    CISTERN_TRY(const std::optional<double> value, options.number(name, range));
    if (value) into.*member = static_cast<float>(*value);
  }
  CISTERN_TRY(const auto top_k, options.integer("top_k", 0, kMostTokens));
  if (top_k) into.top_k = static_cast<std::uint32_t>(*top_k);
  CISTERN_TRY(const auto window, options.integer("repeat_last_n", -1, kMostTokens));
  if (window) into.penalty_window = static_cast<std::uint32_t>(*window == -1 ? kMostTokens : *window);
  CISTERN_TRY(const auto seed, options.integer("seed", kAnySeed, std::numeric_limits<std::int64_t>::max()));
  if (seed && *seed >= 0) into.seed = static_cast<std::uint64_t>(*seed);  // else another one each time
  return {};
}

// A text, or several.
Result<std::vector<std::string>> read_stop(const Field& field) {
  std::vector<std::string> stops;
  const auto add = [&](const Field& item) -> Result<void> {
    CISTERN_TRY(std::string stop, item.text_of_length(0, kMostStopLength));
    if (!stop.empty()) stops.push_back(std::move(stop));
    return {};
  };
  if (field.is_text()) {
    CISTERN_TRY_VOID(add(field));
    return stops;
  }
  CISTERN_TRY(const json::array* values, field.array(kMostStops));
  for (std::size_t i = 0; i < values->size(); ++i) CISTERN_TRY_VOID(add(field[i]));
  return stops;
}

Result<void> read_options(const Field& field, AnswerOptions& into) {
  CISTERN_TRY(const Fields options, Fields::of(field));
  CISTERN_TRY_VOID(check_names(options));
  CISTERN_TRY_VOID(read_sampling(options, into.sampling));
  // What is below 1 means without end.
  CISTERN_TRY(const auto most, options.integer("num_predict", -kMostTokens, kMostTokens));
  if (most && *most > 0) into.max_tokens = static_cast<std::uint32_t>(*most);
  CISTERN_TRY(const auto context, options.integer("num_ctx", 0, kMostTokens));
  if (context) into.context_tokens = static_cast<std::uint32_t>(*context);
  if (const auto stop = options.find("stop")) {
    CISTERN_TRY(into.stop, read_stop(*stop));
  }
  return {};
}

Result<Format> read_format(const Field& field) {
  Format format;
  if (field.is_object()) {
    format.json_schema = field.value();
    return format;
  }
  if (!field.is_text()) return field.wrong_type("\"json\" or a JSON schema");
  const std::string_view name = field.value().get_string();
  if (!name.empty() && name != "json") return field.wrong("has to be \"json\" or a JSON schema");
  format.json_object = name == "json";
  return format;
}

}  // namespace

Result<AnswerOptions> read_answer_options(const Fields& request) {
  AnswerOptions read;
  if (const auto options = request.find("options")) CISTERN_TRY_VOID(read_options(*options, read));
  if (const auto format = request.find("format")) {
    CISTERN_TRY(read.format, read_format(*format));
  }
  CISTERN_TRY(const std::optional<bool> logprobs, request.boolean("logprobs"));
  CISTERN_TRY(const auto top, request.integer("top_logprobs", 0, kMostTopLogprobs));
  read.logprobs = logprobs.value_or(false);
  read.top_logprobs = static_cast<std::uint32_t>(top.value_or(0));
  return read;
}

Result<void> read_think(const Fields& request, Conversation& into) {
  const auto field = request.find("think");
  if (!field) return {};
  if (field->is_text()) {
    CISTERN_TRY(const std::size_t index, field->one_of(kEfforts));
    into.reasoning_effort = kEfforts.at(index);
    into.reasoning = true;
    return {};
  }
  if (!field->value().is_bool()) return field->wrong_type("a boolean, \"low\", \"medium\" or \"high\"");
  into.reasoning = field->value().get_bool();
  return {};
}

Result<KeepAlive> read_keep_alive(const Fields& request) {
  const auto field = request.find("keep_alive");
  if (!field) return KeepAlive();
  if (field->value().is_number()) {
    CISTERN_TRY(const double seconds, field->number({-1e18, 1e18}));
    return KeepAlive{.unload = seconds == 0};
  }
  if (!field->is_text()) return field->wrong_type("a number of seconds or a duration like \"5m\"");
  CISTERN_TRY(const std::string text, field->text());
  const bool is_duration = !text.empty() &&
                           text.find_first_not_of("+-.0123456789hmsuµn") == std::string::npos &&
                           text.find_first_of("0123456789") != std::string::npos;
  if (!is_duration) return field->wrong("has to be a duration like \"5m\", or a number of seconds");
  return KeepAlive{.unload = text.find_first_of("123456789") == std::string::npos};
}

}  // namespace cistern::serve::ollama
