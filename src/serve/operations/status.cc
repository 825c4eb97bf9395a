#include "serve/operations/status.h"

#include <algorithm>
#include <boost/json/array.hpp>

namespace cistern::serve {
namespace {

namespace json = boost::json;

json::value or_null(double figure) {
  return figure > 0 ? json::value(figure) : json::value(nullptr);
}

json::object interval(const plan::Interval& value) {
  return {{"low", value.low}, {"mid", value.mid}, {"high", value.high}};
}

json::object plan_object(const LoadedModel& model) {
  const plan::MemoryPlan& plan = model.service->plan();
  json::array tiers = {{{"name", "memory"}, {"bytes", plan.total_bytes()}}};
  if (plan.streaming) {
    tiers.push_back(
        {{"name", "disk"}, {"bytes", plan.streaming->model_bytes - plan.streaming->resident_bytes}});
  }
  return {{"verdict", plan.streaming ? "streams" : "fits"},
          {"bytes",
           {{"weights", plan.weights_bytes},
            {"kv", plan.kv_bytes},
            {"buffers", plan.buffer_bytes},
            {"overhead", plan.overhead_bytes},
            {"total", plan.total_bytes()}}},
          {"budget_bytes", plan.budget_bytes},
          {"tiers", std::move(tiers)},
          {"context_tokens", model.service->context_tokens()}};
}

json::object forecast_object(const plan::Forecast& forecast) {
  return {{"decode_tok_s", interval(forecast.decode_tok_s)},
          {"prefill_tok_s", interval(forecast.prefill_tok_s)},
          {"limit_tok_s", or_null(forecast.limit_tok_s)}};
}

json::object totals_object(const Metrics::ModelTotals& totals) {
  return {{"prompt_tokens", totals.prompt_tokens},
          {"reused_tokens", totals.cached_tokens},
          {"generated_tokens", totals.generated_tokens},
          {"requests", totals.requests}};
}

void add_loaded(json::object& object, const LoadedModel& model) {
  const engine::ServiceState state = model.service->state();
  object["plan"] = plan_object(model);
  if (model.forecast) object["forecast"] = forecast_object(*model.forecast);
  object["computes_with"] = model.service->backend();
  object["running"] = state.running;
  object["queued"] = state.queued;
  object["max_running"] = state.max_running;
  object["kv_pages"] = {{"all", state.pages_all},
                        {"used", state.pages_used},
                        {"cached", state.pages_cached},
                        {"page_tokens", state.page_tokens}};
}

}  // namespace

json::object status_document(EngineBackend& backend, const Metrics& metrics, std::string_view version,
                             double uptime_s) {
  const std::vector<ModelPool::Lease> loaded = backend.pool().loaded();
  json::array models;
  for (const ModelInfo& info : backend.models()) {
    json::object object = {{"id", info.id}, {"loaded", info.loaded}};
    const auto lease = std::ranges::find(loaded, info.id, [](const auto& l) { return l->info.id; });
    if (lease != loaded.end()) add_loaded(object, **lease);
    const Metrics::ModelTotals totals = metrics.totals(info.id);
    object["recent"] = {{"decode_tok_s", or_null(totals.decode_tok_s)},
                        {"prefill_tok_s", or_null(totals.prefill_tok_s)}};
    object["totals"] = totals_object(totals);
    models.push_back(std::move(object));
  }
  return {{"version", json::string_view(version.data(), version.size())},
          {"uptime_s", uptime_s},
          {"models", std::move(models)}};
}

}  // namespace cistern::serve
