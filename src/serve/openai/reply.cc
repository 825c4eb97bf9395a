#include "serve/openai/reply.h"

#include <fmt/format.h>

#include <array>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <utility>

#include "base/fnv.h"
#include "serve/error_status.h"
#include "serve/http/sse.h"
#include "serve/json_fields.h"
#include "serve/random_id.h"
#include "text/utf8.h"

namespace cistern::serve::openai {
namespace {

namespace json = boost::json;

// What clients look at beside the type.
constexpr std::array kErrorCodes = {
    std::pair{ErrorCode::kNotFound, "model_not_found"},
    std::pair{ErrorCode::kTooLong, "context_length_exceeded"},
    std::pair{ErrorCode::kBusy, "rate_limit_exceeded"},
    std::pair{ErrorCode::kUnsupported, "unsupported"},
};

json::value code_of(ErrorCode code) {
  for (const auto& [row, name] : kErrorCodes)
    if (row == code) return name;
  return nullptr;
}

// Milliseconds with three digits behind the point: what a clock can tell.
double milliseconds(double seconds) {
  return static_cast<double>(static_cast<std::int64_t>(seconds * 1e6)) / 1e3;
}

double per_second(std::uint32_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(static_cast<std::int64_t>(count / seconds * 100)) / 100 : 0.0;
}

json::object token_json(const TokenLogprob& token) {
  json::array bytes;
  for (const char byte : token.bytes) bytes.push_back(static_cast<std::uint8_t>(byte));
  return {{"token", token_text(token.bytes)},
          {"logprob", json_number(token.logprob)},
          {"bytes", std::move(bytes)}};
}

}  // namespace

std::int64_t unix_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string fingerprint(const ModelInfo& model) {
  return fmt::format("fp_{:016x}", fnv1a(fmt::format("{} {} {} {}", model.id, model.quantization,
                                                     model.file_bytes, model.modified_s)));
}

json::object error_document(const Error& error) {
  const ErrorStatus status = status_of(error.code);
  json::value param;
  if (error.code == ErrorCode::kNotFound) {
    param = "model";
  } else if (const std::string field = client_field(error); !field.empty()) {
    param = field;
  }
  return {{"error",
           {{"message", client_message(error)},
            {"type", status.openai},
            {"param", param},
            {"code", code_of(error.code)}}}};
}

void respond_error(http::Exchange& exchange, Backend& backend, const Error& error) {
  http::Response response{.status = status_of(error.code).http,
                          .body = json::serialize(error_document(error))};
  if (error.code == ErrorCode::kBusy)
    response.headers.emplace_back("Retry-After", fmt::format("{}", backend.retry_after_s()));
  exchange.respond(std::move(response));
}

void respond_json(http::Exchange& exchange, const json::value& document) {
  exchange.respond({.body = json::serialize(document)});
}

std::string data_event(const json::value& data) {
  return http::sse_event(json::serialize(data));
}

std::string named_event(std::string_view name, const json::value& data) {
  return http::sse_event(name, json::serialize(data));
}

json::object usage_json(const Usage& usage) {
  return {{"prompt_tokens", usage.prompt_tokens},
          {"completion_tokens", usage.completion_tokens},
          {"total_tokens", std::uint64_t{usage.prompt_tokens} + usage.completion_tokens},
          {"prompt_tokens_details", {{"cached_tokens", usage.cached_tokens}}},
          {"completion_tokens_details", {{"reasoning_tokens", usage.reasoning_tokens}}}};
}

json::object timings_json(const Usage& usage) {
  const std::uint32_t read_tokens = usage.prompt_tokens - std::min(usage.cached_tokens, usage.prompt_tokens);
  return {{"queue_ms", milliseconds(usage.queue_s)},
          {"load_ms", milliseconds(usage.load_s)},
          {"cache_n", usage.cached_tokens},
          {"prompt_n", read_tokens},
          {"prompt_ms", milliseconds(usage.prefill_s)},
          {"prompt_per_second", per_second(read_tokens, usage.prefill_s)},
          {"predicted_n", usage.completion_tokens},
          {"predicted_ms", milliseconds(usage.decode_s)},
          {"predicted_per_second", per_second(usage.completion_tokens, usage.decode_s)}};
}

std::string token_text(std::string_view bytes) {
  if (text::is_valid_utf8(bytes)) return std::string(bytes);
  std::string escaped;
  for (const char byte : bytes) escaped += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(byte));
  return escaped;
}

json::object chat_logprob(const ChosenLogprob& token) {
  json::object out = token_json(token.chosen);
  json::array top;
  for (const TokenLogprob& alternative : token.top) top.push_back(token_json(alternative));
  out["top_logprobs"] = std::move(top);
  return out;
}

void append_logprobs(json::array& out, const std::vector<ChosenLogprob>& tokens) {
  for (const ChosenLogprob& token : tokens) out.push_back(chat_logprob(token));
}

Result<ReplyTo> ReplyTo::make(std::shared_ptr<Backend> backend, std::shared_ptr<http::Exchange> exchange,
                              const std::string& model, std::string_view id_prefix) {
  CISTERN_TRY(ModelInfo info, backend->model(model));
  auto watch = ClientWatch::start(*exchange);
  return ReplyTo{.backend = std::move(backend),
                 .exchange = std::move(exchange),
                 .watch = std::move(watch),
                 .model = std::move(info),
                 .id = random_id(id_prefix),
                 .created = unix_seconds()};
}

void start(const ReplyTo& to, GenerationTask task, const std::shared_ptr<AnswerSink>& sink) {
  auto running = to.backend->generate(std::move(task), sink);
  if (running) {
    to.watch->add(*std::move(running));
  } else {
    sink->on_error(running.error());
  }
}

}  // namespace cistern::serve::openai
