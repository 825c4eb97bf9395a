#include "serve/http/router.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/check.h"

namespace cistern::serve::http {

void Router::add(std::string method, std::string_view pattern, RouteHandler handler) {
  Route route{.method = std::move(method), .handler = std::move(handler)};
  const std::size_t open = pattern.find('{'), close = pattern.find('}');
  route.prefix = pattern.substr(0, open);
  route.has_parameter = open != std::string_view::npos;
  if (route.has_parameter) {
    CISTERN_CHECK(close != std::string_view::npos && close > open);
    route.suffix = pattern.substr(close + 1);
  }
  const auto rank = [](const Route& r) {
    return std::tuple(r.has_parameter, -(r.prefix.size() + r.suffix.size()));
  };
  const auto place = std::ranges::upper_bound(routes_, rank(route), {}, rank);
  routes_.insert(place, std::move(route));
}

bool Router::matches(const Route& route, std::string_view path) {
  if (!route.has_parameter) return path == route.prefix;
  return path.size() > route.prefix.size() + route.suffix.size() && path.starts_with(route.prefix) &&
         path.ends_with(route.suffix);
}

void Router::handle(const std::shared_ptr<Exchange>& exchange) const {
  const Request& request = exchange->request();
  const std::string_view method = request.method == "HEAD" ? std::string_view("GET") : request.method;
  std::string allowed;
  for (const Route& route : routes_) {
    if (!matches(route, request.path)) continue;
    if (route.method == method) {
      std::string parameter;
      if (route.has_parameter) {
        const std::size_t around = route.prefix.size() + route.suffix.size();
        parameter = request.path.substr(route.prefix.size(), request.path.size() - around);
      }
      return route.handler(exchange, std::move(parameter));
    }
    allowed += (route.method == "GET" ? "GET, HEAD" : route.method) + ", ";
  }
  if (allowed.empty()) {
    return exchange->respond(
        {.status = 404, .body = error_body_(404, "there is nothing at this path", request.path)});
  }
  allowed += "OPTIONS";
  if (method == "OPTIONS")
    return exchange->respond({.status = 204, .content_type = {}, .headers = {{"Allow", allowed}}});
  exchange->respond({.status = 405,
                     .body = error_body_(405, "this path does not know the method: " + allowed, request.path),
                     .headers = {{"Allow", allowed}}});
}

}  // namespace cistern::serve::http
