// Picks the handler of a request by method and path: exact paths, and paths with one parameter. What has none
// is answered with 404, a method that a path does not know with 405. Routes are added before the server
// starts; then the router is only read, from any thread, and has to outlive the server.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "serve/http/exchange.h"
#include "serve/http/options.h"

namespace cistern::serve::http {

class Router {
 public:
  // `parameter`: what stands for {name}, decoded; empty for an exact path.
  using RouteHandler = std::function<void(std::shared_ptr<Exchange> exchange, std::string parameter)>;

  explicit Router(ErrorBody error_body) : error_body_(std::move(error_body)) {}

  // Pattern: "/v1/models", "/v1/models/{id}" or "/v1/responses/{id}/cancel"; the parameter is not empty and
  // may have slashes. An exact path wins over a parameter, then the longer pattern. Handlers of GET get HEAD,
  // too.
  void add(std::string method, std::string_view pattern, RouteHandler handler);

  void handle(const std::shared_ptr<Exchange>& exchange) const;

 private:
  struct Route {
    std::string method;
    std::string prefix, suffix;  // of the parameter; an exact path is a prefix alone
    bool has_parameter = false;
    RouteHandler handler;
  };
  static bool matches(const Route& route, std::string_view path);

  ErrorBody error_body_;
  std::vector<Route> routes_;  // those that win first
};

}  // namespace cistern::serve::http
