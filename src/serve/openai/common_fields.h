// Fields that chat completions, completions and responses share: sampling, stops, limits and the format of
// the answer. Used by the readers of this folder. What is out of range is a kUsage error with the field's
// path. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/error.h"
#include "serve/json_fields.h"
#include "serve/task.h"

namespace cistern::serve::openai {

// Of -1 in limits of tokens and in seeds, which many clients send for "none".
inline constexpr std::int64_t kUnset = -1;
inline constexpr std::int64_t kMostTokens = INT32_MAX;
inline constexpr double kLeastTimeoutS = 0.1;
inline constexpr double kMostTimeoutS = 86'400;

// Numbers that shape the distribution, by name, with their ranges: the document of the interface
// (serve/openapi) is tested against this table.
struct SamplingField {
  std::string_view name;
  std::optional<float> Sampling::* member;
  Range range;
};
std::span<const SamplingField> sampling_fields();
inline constexpr std::int64_t kMostTopK = 1 << 20;
inline constexpr std::size_t kMostIdDigits = 9;      // of a token in "logit_bias"
inline constexpr std::size_t kMostStopLength = 256;  // characters, within kMostStopBytes
static_assert(kMostStopLength * 4 <= kMostStopBytes);
inline constexpr Range kBiasRange = {-100, 100};

Result<Sampling> read_sampling(const Fields& fields);

// "stop": a string or an array of them.
Result<std::vector<std::string>> read_stop(const Fields& fields);

// The first of these fields that is there; 0 where none is, or -1.
Result<std::uint32_t> read_max_tokens(const Fields& fields, std::span<const std::string_view> names);

// The model, choices ("n"), "timeout", "ignore_eos", "stop" and sampling: what any task has.
Result<void> read_common(const Fields& fields, GenerationTask& task);

// "stream" and "stream_options".
struct StreamOptions {
  bool stream = false;
  bool include_usage = false;  // a last piece of the stream tells the usage
};
Result<StreamOptions> read_stream_options(const Fields& fields);

// "response_format" of chat completions and completions, and "grammar".
Result<Format> read_response_format(const Fields& fields);

// "json_schema": {"schema", "strict"}, or the same fields of "text.format": a schema is always kept to.
Result<Format> read_json_schema(const Fields& fields);

// Wanted or not, and how much: "none" to "xhigh" in the three steps that templates know.
Result<void> read_reasoning_effort(const std::optional<Field>& field, Conversation& conversation);

// kUnsupported for fields that change what is asked and are not there to be ignored.
struct Refused {
  std::string_view name, why;
};
Result<void> refuse(const Fields& fields, std::span<const Refused> refused);

}  // namespace cistern::serve::openai
