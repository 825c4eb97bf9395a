// cistern serve: models over HTTP.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>

#include "engine/engine.h"
#include "ops/machine_probe.h"
#include "serve/application.h"
#include "tools/commands.h"
#include "tools/flags.h"
#include "tools/input.h"
#include "tools/interrupt.h"
#include "tools/json_out.h"
#include "tools/output.h"
#include "tools/scored_forecast.h"
#include "tools/serve_ledger.h"
#include "tools/serve_log.h"
#include "tools/serve_start.h"
#include "tools/version.h"

namespace cistern::tools {
namespace {

constexpr auto kStopGrace = std::chrono::seconds(10);
constexpr std::uint64_t kMaxKeyFileBytes = 64U << 10U;
constexpr double kSecondsPerMinute = 60;
// With several models memory is wanted for the next one; a model that was chosen stays.
constexpr double kIdleUnloadMinutes = 30;

struct ServeOptions {
  ModelFlags model;
  LoadFlags load;
  std::string models_folder;
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;
  std::vector<std::string> api_keys;
  std::string api_key_file;
  std::vector<std::string> cors_origins;
  std::vector<std::string> host_names;
  std::string tls_certificate, tls_key;
  std::uint32_t parallel = 0;
  std::uint32_t queue = engine::ServiceOptions().max_queued;
  std::optional<double> idle_unload_minutes;
  double timeout_s = 0;
  std::string log = "text";
  bool no_page = false;
  bool no_ledger = false;
  bool json = false;
};

// Of the command line, a file and the environment: any of them opens the door.
Result<std::vector<std::string>> api_keys(const ServeOptions& options) {
  std::vector<std::string> keys = options.api_keys;
  if (!options.api_key_file.empty()) {
    CISTERN_TRY(const std::string text, read_file(options.api_key_file, kMaxKeyFileBytes));
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      std::string line = text.substr(begin, end - begin);
      if (line.ends_with('\r')) line.pop_back();
      if (!line.empty()) keys.push_back(std::move(line));
      begin = end + 1;
    }
    if (keys.size() == options.api_keys.size())
      return fail(ErrorCode::kUsage, "holds no key: write one on a line", options.api_key_file);
  }
  if (const char* key = std::getenv("CISTERN_API_KEY"); key != nullptr && *key != '\0')
    keys.emplace_back(key);
  if (std::ranges::find(keys, std::string()) != keys.end())
    return fail(ErrorCode::kUsage, "an empty key would let everybody in", "--api-key");
  return keys;
}

// Forecasts of an answer that runs alone, on the machine as it is now. On the thread that loads.
auto forecaster() {
  return [](const engine::Service& service) -> std::optional<plan::Forecast> {
    constexpr std::uint32_t kPromptTokens = 512;
    const plan::MemoryPlan& plan = service.plan();
    const std::uint32_t prompt = std::min(kPromptTokens, std::max(1U, service.context_tokens() / 2));
    const std::span<const std::byte> file = service.model().files.files.front().bytes();
    // The bandwidth of memory is measured with the model, where that is large enough to leave the caches.
    const bool measurable = !plan.streaming && file.size() >= ops::kMinProbeBytes;
    const auto memory = measurable ? std::optional(file) : std::nullopt;
    const LocalForecaster local(service.isa(), service.threads());
    return local
        .forecast({.model = service.spec(), .inventory = service.model().inventory(), .plan = plan},
                  {.question = {.prompt_tokens = prompt, .decode_depth = prompt, .filled_tokens = prompt},
                   .disk_path = {},
                   .memory = memory})
        .told;
  };
}

Result<serve::ApplicationOptions> application_options(const ServeOptions& options, ServeLog& log,
                                                      ServeLedger& ledger) {
  serve::ApplicationOptions application;
  if (options.models_folder.empty() || !options.model.model.empty()) {
    CISTERN_TRY(application.model, engine::resolve_model(options.model.model));
  }
  application.models_folder = options.models_folder;
  CISTERN_TRY(application.pool.policy.load, load_options(options.load));
  if (!application.pool.policy.load.adapters.empty() && !options.models_folder.empty())
    return fail(ErrorCode::kUsage, "goes with one model, not with --models", "--lora");
  application.pool.policy.service = {.max_running = options.parallel, .max_queued = options.queue};
  application.pool.policy.forecast = forecaster();
  const double idle_minutes =
      options.idle_unload_minutes.value_or(options.models_folder.empty() ? 0 : kIdleUnloadMinutes);
  application.pool.idle_unload_s = idle_minutes * kSecondsPerMinute;
  application.pool.on_event = [&log](const serve::PoolEvent& event) { log.model(event); };
  application.http.host = options.host;
  application.http.port = options.port;
  CISTERN_TRY(application.http.access.api_keys, api_keys(options));
  application.http.access.host_names = options.host_names;
  application.http.access.cors_origins = options.cors_origins;
  application.http.tls = {.certificate = options.tls_certificate, .key = options.tls_key};
  application.http.access_log = [&log](const serve::http::AccessRecord& record) { log.request(record); };
  application.longest_s = options.timeout_s;
  application.page = !options.no_page;
  application.version = kVersion;
  application.on_generation = [&log, &ledger](const serve::GenerationReport& report) {
    log.answer(report);
    ledger.answer(report);
  };
  return application;
}

Result<void> print_start(serve::Application& application, const ServeOptions& options, bool api_key) {
  const serve::ModelPool::Lease model = application.take_model();
  ServeStart start{.urls = application.server().urls(),
                   .port = application.server().port(),
                   .model = model.get(),
                   .offered = {},
                   .api_key = api_key};
  for (const serve::ModelInfo& info : application.backend().models()) start.offered.push_back(info.id);
  return write_stdout(options.json ? to_json(start_json(start)) + "\n" : start_text(start));
}

ServeLog::Form log_form(const std::string& name) {
  if (name == "off") return ServeLog::Form::kOff;
  return name == "json" ? ServeLog::Form::kJson : ServeLog::Form::kText;
}

Result<int> serve(const ServeOptions& options) {
  EndSignal end;
  ServeLog log(log_form(options.log));
  ServeLedger ledger(options.no_ledger);
  CISTERN_TRY(serve::ApplicationOptions application_options_, application_options(options, log, ledger));
  const bool api_key = !application_options_.http.access.api_keys.empty();
  CISTERN_TRY(const auto application, serve::Application::start(std::move(application_options_)));
  CISTERN_TRY_VOID(print_start(*application, options, api_key));
  end.wait();
  application->stop(kStopGrace);
  return 0;
}

void add_access_flags(CLI::App& app, ServeOptions& options) {
  constexpr const char* kGroup = "Access";
  app.add_option("--api-key", options.api_keys,
                 "Answer only requests with this key; may be repeated [$CISTERN_API_KEY, else everybody]")
      ->type_name("KEY")
      ->allow_extra_args(false)
      ->group(kGroup);
  app.add_option("--api-key-file", options.api_key_file, "Keys of a file, one on a line")
      ->type_name("FILE")
      ->group(kGroup);
  app.add_option("--cors", options.cors_origins,
                 "Let pages of this origin ask, https://example.org or *; may be repeated [none]")
      ->type_name("ORIGIN")
      ->allow_extra_args(false)
      ->group(kGroup);
  app.add_option("--allow-host", options.host_names,
                 "Answer requests for this host name too, or *; may be repeated [addresses and localhost]")
      ->type_name("NAME")
      ->allow_extra_args(false)
      ->group(kGroup);
  CLI::Option* certificate =
      app.add_option("--tls-cert", options.tls_certificate, "Certificate chain (PEM): serve https")
          ->type_name("FILE")
          ->group(kGroup);
  CLI::Option* key = app.add_option("--tls-key", options.tls_key, "Its private key (PEM)")
                         ->type_name("FILE")
                         ->needs(certificate)
                         ->group(kGroup);
  certificate->needs(key);
}

void add_serving_flags(CLI::App& app, ServeOptions& options) {
  app.add_option("--models", options.models_folder,
                 "Offer every GGUF file of this folder, loaded when it is asked for")
      ->type_name("DIR");
  app.add_option("--host", options.host, "Address to listen on [127.0.0.1: this machine only]")
      ->type_name("ADDRESS");
  app.add_option("--port", options.port, "Port; 0: one that is free [8080]")->type_name("N");
  app.add_option("--parallel", options.parallel,
                 "Answers that are generated together [as many as memory and speed suggest]")
      ->type_name("N")
      ->check(CLI::Range(0U, 1024U).description(""));
  app.add_option("--queue", options.queue, "Requests that may wait for a place; more get status 429 [64]")
      ->type_name("N")
      ->check(CLI::Range(0U, 1U << 20U).description(""));
  app.add_option("--timeout", options.timeout_s, "End answers after so many seconds [never]")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.0, 1e6).description(""));
  app.add_option(
         "--idle-unload", options.idle_unload_minutes,
         "Unload a model that nobody used for so many minutes; 0: never [30 with --models, else never]")
      ->type_name("MINUTES")
      ->check(CLI::Range(0.0, 1e6).description(""));
  app.add_flag("--no-page", options.no_page, "Serve no web page at /");
  add_choice(app, "--log", options.log, {"text", "json", "off"},
             "Form of the lines on stderr, one per request and answer, never with their text [text]");
  add_ledger_flag(app, options.no_ledger);
  app.add_flag("--json", options.json, "Print where it listens, model, plan and forecast as a line of JSON");
}

}  // namespace

void add_serve(Cli& cli) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App& app = cli.add(
      {.name = "serve",
       .summary = "Serve models over HTTP, with the protocols of OpenAI, Anthropic and Ollama",
       .description =
           "Loads MODEL, prints its memory plan and what speed to expect, and answers requests until Ctrl-C. "
           "Requests run together: prompts are read beside answers being generated, and what prompts have in "
           "common is read once. With --models every file of a folder is offered and loaded when it is asked "
           "for; where memory is short, the model that was used longest ago makes room. Open the address in "
           "a "
           "browser for a page to chat with. Only this machine is listened to unless --host says "
           "otherwise; then set an API key.\n\nGET /health tells whether it works, GET /metrics how "
           "(Prometheus), GET /openapi.json what can be asked. Ctrl-C or SIGTERM lets answers finish for 10 "
           "seconds; a second one ends at once.",
       .examples = {{"cistern serve", "the built-in guide on http://127.0.0.1:8080"},
                    {"cistern serve qwen3-4b --ctx 32768 --parallel 8", "a model, 8 answers at a time"},
                    {"cistern serve --models ~/models", "all models of a folder, on demand"},
                    {"cistern serve qwen3-4b --host 0.0.0.0 --api-key-file keys.txt --allow-host box.lan",
                     "for the network"}}},
      [options] { return serve(*options); });
  add_model_flags(app, options->model);
  add_serving_flags(app, *options);
  add_access_flags(app, *options);
  add_load_flags(app, options->load);
  add_adapter_flags(app, options->load);
}

}  // namespace cistern::tools
