#include "tools/serve_start.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json/array.hpp>

#include "plan/memory_plan.h"
#include "tools/output.h"
#include "tools/version.h"

namespace cistern::tools {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostListed = 8;

json::object interval(const plan::Interval& value) {
  return {{"low", value.low}, {"mid", value.mid}, {"high", value.high}};
}

std::string forecast_text(const plan::Forecast& forecast) {
  const auto range = [](const plan::Interval& value) {
    return fmt::format("{:.3g} to {:.3g} tok/s", value.low, value.high);
  };
  std::string text = fmt::format("expected: answers at {}, prompts at {}, one request alone",
                                 range(forecast.decode_tok_s), range(forecast.prefill_tok_s));
  if (forecast.limit_tok_s > 0)
    text += fmt::format("; {} allows {:.3g} tok/s", plan::name_of(forecast.limited_by), forecast.limit_tok_s);
  return text;
}

std::string offered_text(std::vector<std::string> ids) {
  const std::size_t all = ids.size();
  if (all > kMostListed) ids.resize(kMostListed);
  std::string text = fmt::format("models: {}", printable(fmt::format("{}", fmt::join(ids, ", "))));
  if (all > kMostListed) text += fmt::format(" and {} more", all - kMostListed);
  return text;
}

}  // namespace

std::string start_text(const ServeStart& start) {
  std::string text;
  if (start.model != nullptr) {
    const engine::Service& service = *start.model->service;
    text += fmt::format("{}\n", plan::describe(service.plan()));
    text += fmt::format("model: {}, context of {} tokens, {} requests at a time, computing with {}\n",
                        printable(start.model->info.id), service.context_tokens(),
                        service.state().max_running, service.backend());
    if (start.model->forecast) text += forecast_text(*start.model->forecast) + "\n";
  }
  if (start.offered.size() > 1) text += offered_text(start.offered) + "\n";
  if (start.api_key) text += "clients need the API key\n";
  for (const std::string& url : start.urls) text += fmt::format("listening on {}\n", url);
  return text;
}

json::object start_json(const ServeStart& start) {
  json::object object = {{"listening", json::array(start.urls.begin(), start.urls.end())},
                         {"port", start.port},
                         {"version", kVersion},
                         {"models", json::array(start.offered.begin(), start.offered.end())}};
  if (start.model == nullptr) return object;
  const engine::Service& service = *start.model->service;
  const plan::MemoryPlan& plan = service.plan();
  object["model"] = start.model->info.id;
  object["context_tokens"] = service.context_tokens();
  object["max_running"] = service.state().max_running;
  object["computes_with"] = service.backend();
  object["plan"] = {{"weights", plan.weights_bytes}, {"kv", plan.kv_bytes},
                    {"buffers", plan.buffer_bytes},  {"overhead", plan.overhead_bytes},
                    {"total", plan.total_bytes()},   {"budget", plan.budget_bytes}};
  if (const auto& forecast = start.model->forecast) {
    object["forecast"] = {{"decode_tok_s", interval(forecast->decode_tok_s)},
                          {"prefill_tok_s", interval(forecast->prefill_tok_s)},
                          {"first_token_s", interval(forecast->first_token_s)},
                          {"limit_tok_s", forecast->limit_tok_s}};
  }
  return object;
}

}  // namespace cistern::tools
