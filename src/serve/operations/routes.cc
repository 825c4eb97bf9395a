#include "serve/operations/routes.h"

#include <boost/json/serialize.hpp>
#include <utility>

#include "serve/operations/status.h"
#include "sys/clock.h"

namespace cistern::serve::operations {
namespace {

using http::Exchange;
using http::Response;

Response health(const Subject& subject) {
  if (subject.stopping) return {.status = 503, .body = R"({"status":"stopping"})"};
  if (subject.backend.pool().is_loading()) return {.body = R"({"status":"loading"})"};
  return {.body = R"({"status":"ok"})"};
}

Response metrics(const Subject& subject) {
  return {
      .content_type = "text/plain; version=0.0.4; charset=utf-8",
      .body = subject.metrics.text(subject.backend.pool(), subject.backend.waiting(), subject.connections())};
}

}  // namespace

std::vector<http::Route> routes(Subject subject) {
  const double start_s = sys::steady_seconds();
  const auto answer = [subject = std::move(subject)](auto&& make) {
    return [subject, make](const std::shared_ptr<Exchange>& exchange) { exchange->respond(make(subject)); };
  };
  const auto status = [start_s](const Subject& s) {
    return Response{.body = boost::json::serialize(
                        status_document(s.backend, s.metrics, s.version, sys::steady_seconds() - start_s))};
  };
  return {{"GET", "/health", answer(health)},
          {"GET", "/metrics", answer(metrics)},
          {"GET", "/api/cistern/status", answer(status)}};
}

}  // namespace cistern::serve::operations
