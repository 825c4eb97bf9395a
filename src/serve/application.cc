#include "serve/application.h"

#include <utility>

#include "serve/anthropic/routes.h"
#include "serve/http/error_body.h"
#include "serve/http/route.h"
#include "serve/offered_models.h"
#include "serve/ollama/routes.h"
#include "serve/openai/routes.h"
#include "serve/openapi/openapi.h"
#include "serve/operations/routes.h"
#include "serve/page/page.h"

namespace cistern::serve {
namespace {

// Answered without an API key: load balancers ask it.
constexpr const char* kHealthPath = "/health";
// Where two protocols list models.
constexpr const char* kModelsPath = "/v1/models";

EngineBackend::Options backend_options(const ApplicationOptions& options, Metrics& metrics) {
  return {.longest_s = options.longest_s,
          .report = [&metrics, further = options.on_generation](const GenerationReport& report) {
            metrics.count(report);
            if (further) further(report);
          }};
}

}  // namespace

Application::Application(ApplicationOptions options)
    : options_(std::move(options)),
      backend_(std::make_shared<EngineBackend>(OfferedModels(options_.model, options_.models_folder),
                                               options_.pool, backend_options(options_, metrics_))) {}

Result<std::unique_ptr<Application>> Application::start(ApplicationOptions options) {
  std::unique_ptr<Application> application(new Application(std::move(options)));
  if (!application->options_.model.empty()) {
    CISTERN_TRY(application->model_, application->backend_->load(""));
  }
  CISTERN_TRY_VOID(application->listen(application->options_.http));
  return application;
}

Result<void> Application::listen(http::ServerOptions options) {
  if (!options.error_body) options.error_body = http::error_body;
  options.access.open_paths.emplace_back(kHealthPath);
  options.access_log = [this, further = options.access_log](const http::AccessRecord& record) {
    metrics_.count(record);
    if (further) further(record);
  };
  router_ = std::make_unique<http::Router>(options.error_body);
  std::vector<std::string> paths;
  const auto add = [&](const std::vector<http::Route>& routes) {
    for (const http::Route& route : routes) {
      paths.push_back(route.path);
      router_->add(route.method, route.path,
                   [handler = route.handler](const std::shared_ptr<http::Exchange>& exchange,
                                             const std::string&) { handler(exchange); });
    }
  };
  std::vector<http::Route> openai_routes = openai::routes(backend_);
  for (http::Route& route : openai_routes) {
    const bool models = route.path.starts_with(kModelsPath);
    if (models) route.handler = anthropic::models_or(backend_, std::move(route.handler));
  }
  add(openai_routes);
  add(anthropic::routes(backend_));
  add(ollama::routes(backend_));
  add(openapi::routes());
  add(operations::routes(
      {.backend = *backend_,
       .metrics = metrics_,
       .stopping = stopping_,
       .connections = [this] { return server_ == nullptr ? 0 : server_->connection_count(); },
       .version = options_.version}));
  if (options_.page) {
    const std::vector<http::Route> page = page::routes();
    for (const http::Route& route : page) options.access.open_paths.push_back(route.path);
    add(page);
  }
  metrics_.set_paths(std::move(paths));
  CISTERN_TRY(server_, http::Server::start(std::move(options),
                                           [this](const std::shared_ptr<http::Exchange>& exchange) {
                                             router_->handle(exchange);
                                           }));
  return {};
}

Application::~Application() {
  stop(std::chrono::milliseconds(0));
  model_ = nullptr;
  backend_->stop();
}

void Application::stop(std::chrono::milliseconds grace) {
  stopping_ = true;
  if (server_ != nullptr) server_->stop(grace);
}

}  // namespace cistern::serve
