// The whole server: backend, protocols, operations and page behind one HTTP server. What `cistern serve`
// starts and what tests of the whole start. start() and stop() are for one owner. Lifetime: everything ends
// with it.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "serve/engine_backend.h"
#include "serve/http/options.h"
#include "serve/http/router.h"
#include "serve/http/server.h"
#include "serve/operations/metrics.h"

namespace cistern::serve {

struct ApplicationOptions {
  std::string model;          // path of the default one, or "guide"; may be empty where there is a folder
  std::string models_folder;  // offered on demand; may be empty
  ModelPool::Options pool;
  http::ServerOptions http;
  double longest_s = 0;  // an answer may take; 0: any time
  bool page = true;
  std::string version;
  ReportCall on_generation;  // may be empty; must not block
};

class Application {
 public:
  // Loads the model that is named, then listens. The errors of either.
  static Result<std::unique_ptr<Application>> start(ApplicationOptions options);
  ~Application();
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;

  // Nothing new is accepted; what runs may finish until `grace` has passed and is cancelled then.
  void stop(std::chrono::milliseconds grace);

  EngineBackend& backend() { return *backend_; }
  const http::Server& server() const { return *server_; }
  // The default model, where the options name one; it may be unloaded when the lease is gone.
  ModelPool::Lease take_model() { return std::move(model_); }

 private:
  explicit Application(ApplicationOptions options);
  Result<void> listen(http::ServerOptions options);

  ApplicationOptions options_;
  Metrics metrics_;
  std::atomic<bool> stopping_ = false;
  std::shared_ptr<EngineBackend> backend_;
  std::unique_ptr<http::Router> router_;
  std::unique_ptr<http::Server> server_;
  ModelPool::Lease model_;
};

}  // namespace cistern::serve
