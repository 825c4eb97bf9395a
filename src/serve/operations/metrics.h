// What a server counts, for GET /metrics (docs/serve.md lists it): requests by path and status, tokens,
// times, forecasts against outcomes; where the engines stand is read when it is asked. Labels are from closed
// lists, so that no client can make the text grow. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "serve/generation.h"
#include "serve/http/options.h"
#include "serve/model_pool.h"
#include "serve/operations/exposition.h"

namespace cistern::serve {

class Metrics {
 public:
  Metrics();

  // Patterns of routes ("/v1/models/{id}"): other paths are counted together. Before requests come.
  void set_paths(std::vector<std::string> patterns) { paths_ = std::move(patterns); }

  void count(const http::AccessRecord& request);
  void count(const GenerationReport& generation);

  std::string text(ModelPool& pool, std::uint32_t waiting, std::size_t connections) const;

  // Of a model since the start, and how fast its last answers were; 0: not known.
  struct ModelTotals {
    std::uint64_t prompt_tokens = 0;
    std::uint64_t cached_tokens = 0;
    std::uint64_t generated_tokens = 0;
    std::uint64_t requests = 0;
    double decode_tok_s = 0;
    double prefill_tok_s = 0;
  };
  ModelTotals totals(const std::string& model) const;

 private:
  void add_to_model(const GenerationReport& generation);
  std::string_view label_of(std::string_view path) const;
  void write_requests(MetricsText& out) const;
  void write_generations(MetricsText& out) const;

  std::vector<std::string> paths_;
  mutable std::mutex mutex_;
  std::map<std::pair<std::string_view, unsigned>, std::uint64_t> requests_;
  std::map<std::string, ModelTotals> models_;
  std::array<std::atomic<std::uint64_t>, 6> finished_{};  // by Finish, then failures
  std::atomic<std::uint64_t> prompt_tokens_ = 0, cached_tokens_ = 0, generated_tokens_ = 0,
                             reasoning_tokens_ = 0;
  Histogram request_s_, first_token_s_, token_s_, queue_s_, forecast_ratio_;
};

}  // namespace cistern::serve
