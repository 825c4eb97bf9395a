// What a request asks of a model, whatever protocol it came in: the protocols' readers make these, the
// Backend (backend.h) carries them out. Every number has been checked against its range by the reader; what
// depends on the model (ids beyond the vocabulary, the length of the prompt) the backend checks. Plain
// values.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "text/vocab.h"

namespace cistern::serve {

// What any reader refuses, before work starts (docs/serve.md lists them).
inline constexpr std::uint32_t kMostChoices = 16;
inline constexpr std::uint32_t kMostTopLogprobs = 20;
inline constexpr std::size_t kMostStops = 16;
inline constexpr std::size_t kMostStopBytes = 1024;
inline constexpr std::size_t kMostBiases = 1024;
inline constexpr std::size_t kMostTools = 512;
inline constexpr std::size_t kMostInputs = 2048;  // texts of one request for embeddings or reranking

enum class ToolChoice { kAuto, kNone, kRequired, kNamed };

// A conversation for the model's chat template. Messages and tools have the form of OpenAI's chat
// completions, which chat templates are written for: {"role", "content", "tool_calls", "tool_call_id",
// "reasoning_content"}, with arguments of calls as JSON objects; {"type": "function", "function": {"name",
// "description", "parameters"}}. Content is text; readers refuse images and sound.
struct Conversation {
  boost::json::array messages;
  boost::json::array tools;
  ToolChoice tool_choice = ToolChoice::kAuto;
  std::string tool_name;            // of kNamed
  bool parallel_tool_calls = true;  // false: at most one call
  bool continue_last = false;       // the last message is the assistant's and is to be continued
  std::optional<bool> reasoning;    // wanted or not, where the model can choose; nothing: as it does itself
  std::string reasoning_effort;     // "low", "medium", "high"; empty: as the model does itself
  boost::json::object template_arguments;  // further variables of the template; they win
};

struct RawText {
  std::string text;    // continued as it is, with the model's BOS before it
  std::string suffix;  // of a text with a gap, for models that fill gaps; else empty
};
using RawTokens = std::vector<text::TokenId>;

// Nothing: as the model (its file) says, else as `cistern run` does.
struct Sampling {
  std::optional<float> temperature, top_p, min_p, typical_p;
  std::optional<float> repetition_penalty, presence_penalty, frequency_penalty;
  std::optional<std::uint32_t> top_k, penalty_window;
  std::optional<std::uint64_t> seed;  // nothing: another one each time; choice i of several uses seed + i
  std::vector<std::pair<text::TokenId, float>> logit_bias;
};

// What the text of an answer has to be. At most one is set.
struct Format {
  bool json_object = false;                       // any JSON object
  std::optional<boost::json::value> json_schema;  // JSON of this schema
  std::string grammar;                            // GBNF
};

struct GenerationTask {
  std::string model;  // as the client named it; empty: the default one
  std::variant<Conversation, RawText, RawTokens> prompt;
  Sampling sampling;
  Format format;
  std::uint32_t max_tokens = 0;  // 0: until the answer or the context ends
  std::vector<std::string> stop;
  std::uint32_t choices = 1;
  bool logprobs = false;
  std::uint32_t top_logprobs = 0;  // alternatives per token
  bool echo = false;               // of a raw prompt: its text comes first
  bool ignore_end = false;
  std::optional<double> timeout_s;
};

struct EmbeddingTask {
  std::string model;
  std::vector<std::variant<std::string, RawTokens>> inputs;
};

struct RerankTask {
  std::string model;
  std::string query;
  std::vector<std::string> documents;
};

}  // namespace cistern::serve
