#include "serve/operations/metrics.h"

#include <algorithm>
#include <string>

#include "sys/memory_limits.h"

namespace cistern::serve {
namespace {

constexpr std::array kSeconds = {0.005, 0.01, 0.025, 0.05, 0.1,  0.25, 0.5,  1.0,
                                 2.5,   5.0,  10.0,  30.0, 60.0, 120., 300., 600.};
constexpr std::array kTokenSeconds = {0.001, 0.0025, 0.005, 0.01, 0.02, 0.035, 0.05,
                                      0.075, 0.1,    0.15,  0.25, 0.5,  1.0,   2.5};
constexpr std::array kRatios = {0.5, 0.7, 0.8, 0.9, 0.95, 1.0, 1.05, 1.1, 1.2, 1.5, 2.0};
constexpr std::array kFinishes = {"end", "stop", "length", "tool_calls", "cancelled", "error"};
constexpr std::string_view kOtherPath = "other";
// With fewer tokens the time is mostly what comes first.
constexpr std::uint32_t kFewestSteps = 16;

double tokens_of(const std::atomic<std::uint64_t>& counter) {
  return static_cast<double>(counter.load());
}

struct StateRow {
  const char* name;
  const char* type;
  const char* help;
  double (*value)(const engine::ServiceState&);
};
constexpr std::array kStates = {
    StateRow{"cistern_running", "gauge", "Requests that read their prompt or generate.",
             [](const engine::ServiceState& s) { return double(s.running); }},
    StateRow{"cistern_queued", "gauge", "Requests that wait for a place.",
             [](const engine::ServiceState& s) { return double(s.queued); }},
    StateRow{"cistern_places", "gauge", "Requests that can run together.",
             [](const engine::ServiceState& s) { return double(s.max_running); }},
    StateRow{"cistern_kv_pages", "gauge", "Pages of keys and values.",
             [](const engine::ServiceState& s) { return double(s.pages_all); }},
    StateRow{"cistern_kv_pages_used", "gauge", "Pages that running requests hold.",
             [](const engine::ServiceState& s) { return double(s.pages_used); }},
    StateRow{"cistern_kv_pages_cached", "gauge", "Pages kept for prompts that begin alike.",
             [](const engine::ServiceState& s) { return double(s.pages_cached); }},
    StateRow{"cistern_kv_page_bytes", "gauge", "Size of a page.",
             [](const engine::ServiceState& s) { return double(s.page_bytes); }},
    StateRow{"cistern_engine_prompt_tokens_total", "counter", "Tokens of prompts that the engine has read.",
             [](const engine::ServiceState& s) { return double(s.prompt_tokens); }},
    StateRow{"cistern_engine_reused_tokens_total", "counter",
             "Tokens of prompts that were in the cache of keys and values.",
             [](const engine::ServiceState& s) { return double(s.reused_tokens); }},
    StateRow{"cistern_engine_steps_total", "counter", "Passes through the model.",
             [](const engine::ServiceState& s) { return double(s.steps); }},
    StateRow{"cistern_engine_busy_seconds_total", "counter", "Time in which the model computed.",
             [](const engine::ServiceState& s) { return s.busy_s; }},
};

}  // namespace

Metrics::Metrics()
    : request_s_(kSeconds),
      first_token_s_(kSeconds),
      token_s_(kTokenSeconds),
      queue_s_(kSeconds),
      forecast_ratio_(kRatios) {}

std::string_view Metrics::label_of(std::string_view path) const {
  const auto fits = [&](std::string_view pattern) {
    const std::size_t brace = pattern.find('{');
    if (brace == std::string_view::npos) return path == pattern;
    return path.size() > brace && path.starts_with(pattern.substr(0, brace));
  };
  const auto pattern = std::ranges::find_if(paths_, fits);
  return pattern == paths_.end() ? kOtherPath : std::string_view(*pattern);
}

void Metrics::count(const http::AccessRecord& request) {
  request_s_.observe(request.seconds);
  const std::lock_guard lock(mutex_);
  ++requests_[{label_of(request.path), request.status}];
}

void Metrics::count(const GenerationReport& generation) {
  const Usage& usage = generation.usage;
  const std::size_t finish = generation.finish && !generation.error
                                 ? static_cast<std::size_t>(*generation.finish)
                                 : kFinishes.size() - 1;
  ++finished_.at(finish);
  prompt_tokens_ += usage.prompt_tokens;
  cached_tokens_ += usage.cached_tokens;
  generated_tokens_ += usage.completion_tokens;
  reasoning_tokens_ += usage.reasoning_tokens;
  if (generation.first_token_s > 0) {
    first_token_s_.observe(generation.first_token_s);
    queue_s_.observe(usage.queue_s);
  }
  add_to_model(generation);
  const engine::Stats& stats = generation.stats;
  if (stats.decode_steps == 0 || stats.decode_s <= 0) return;
  token_s_.observe(stats.decode_s / stats.decode_steps);
  if (!generation.alone || stats.decode_steps < kFewestSteps || generation.loaded == nullptr) return;
  if (const auto& forecast = generation.loaded->forecast; forecast && forecast->decode_tok_s.mid > 0)
    forecast_ratio_.observe(stats.decode_steps / stats.decode_s / forecast->decode_tok_s.mid);
}

void Metrics::add_to_model(const GenerationReport& generation) {
  const Usage& usage = generation.usage;
  const std::lock_guard lock(mutex_);
  ModelTotals& totals = models_[generation.model];
  totals.prompt_tokens += usage.prompt_tokens;
  totals.cached_tokens += usage.cached_tokens;
  totals.generated_tokens += usage.completion_tokens;
  ++totals.requests;
  const engine::Stats& stats = generation.stats;
  if (stats.decode_steps > 0 && stats.decode_s > 0) totals.decode_tok_s = stats.decode_steps / stats.decode_s;
  if (stats.prefill_tok_s() > 0) totals.prefill_tok_s = stats.prefill_tok_s();
}

Metrics::ModelTotals Metrics::totals(const std::string& model) const {
  const std::lock_guard lock(mutex_);
  const auto found = models_.find(model);
  return found == models_.end() ? ModelTotals() : found->second;
}

void Metrics::write_requests(MetricsText& out) const {
  out.family("cistern_http_requests_total", "counter", "Requests that were answered, by route and status.");
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, count] : requests_) {
      out.sample(static_cast<double>(count), {{"path", key.first}, {"status", std::to_string(key.second)}});
    }
  }
  out.family("cistern_http_request_seconds", "histogram", "From the first byte of a request to the last.");
  out.samples(request_s_);
}

void Metrics::write_generations(MetricsText& out) const {
  out.family("cistern_generations_total", "counter", "Answers, by how they ended.");
  for (std::size_t i = 0; i < kFinishes.size(); ++i)
    out.sample(tokens_of(finished_[i]), {{"finish", kFinishes[i]}});
  out.family("cistern_prompt_tokens_total", "counter", "Tokens of prompts.");
  out.sample(tokens_of(prompt_tokens_));
  out.family("cistern_cached_tokens_total", "counter", "Of them, those found in the cache.");
  out.sample(tokens_of(cached_tokens_));
  out.family("cistern_generated_tokens_total", "counter", "Tokens of answers.");
  out.sample(tokens_of(generated_tokens_));
  out.family("cistern_reasoning_tokens_total", "counter", "Of them, those of reasoning.");
  out.sample(tokens_of(reasoning_tokens_));
  out.family("cistern_queue_seconds", "histogram", "What answers waited for a place.");
  out.samples(queue_s_);
  out.family("cistern_first_token_seconds", "histogram", "From a task to its first token.");
  out.samples(first_token_s_);
  out.family("cistern_token_seconds", "histogram", "From a token of an answer to the next, the mean.");
  out.samples(token_s_);
  out.family("cistern_decode_forecast_ratio", "histogram",
             "Speed of answers that ran alone, as a part of what was forecast.");
  out.samples(forecast_ratio_);
}

std::string Metrics::text(ModelPool& pool, std::uint32_t waiting, std::size_t connections) const {
  MetricsText out;
  write_requests(out);
  write_generations(out);
  std::vector<std::pair<std::string, engine::ServiceState>> states;
  for (const ModelPool::Lease& lease : pool.loaded())
    states.emplace_back(lease->info.id, lease->service->state());
  for (const StateRow& row : kStates) {
    out.family(row.name, row.type, row.help);
    for (const auto& [id, state] : states) out.sample(row.value(state), {{"model", id}});
  }
  out.family("cistern_model_loads_total", "counter", "Models loaded.");
  out.sample(static_cast<double>(pool.loads()));
  out.family("cistern_waiting_for_model", "gauge", "Tasks that wait until their model is loaded.");
  out.sample(waiting);
  out.family("cistern_connections", "gauge", "Open connections.");
  out.sample(static_cast<double>(connections));
  out.family("process_resident_memory_bytes", "gauge", "Resident set of the process.");
  out.sample(static_cast<double>(sys::current_rss_bytes()));
  return out.text();
}

}  // namespace cistern::serve
