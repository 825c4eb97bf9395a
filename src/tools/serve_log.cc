#include "tools/serve_log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <utility>

#include "tools/json_out.h"
#include "tools/output.h"

namespace cistern::tools {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostLines = 10'000;

constexpr std::array kFinishes = {"end", "stop", "length", "tool_calls", "cancelled"};

std::string now_text() {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto ms = now.time_since_epoch().count() % 1000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(now)),
                     ms);
}

std::string string_of(std::string_view text) {
  return std::string(text);
}

std::string outcome_of(const serve::GenerationReport& report) {
  if (report.error) return std::string(name_of(*report.error));
  return report.finish ? kFinishes.at(static_cast<std::size_t>(*report.finish)) : "failed";
}

}  // namespace

ServeLog::ServeLog(Form form) : form_(form) {
  if (form_ != Form::kOff) thread_ = std::thread([this] { write_lines(); });
}

ServeLog::~ServeLog() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void ServeLog::request(const serve::http::AccessRecord& record) {
  if (form_ == Form::kOff) return;
  const std::string method(record.method.empty() ? "-" : record.method);
  add(fmt::format("{} {} {} {:.3f} s, {} bytes", method, printable(record.path), record.status,
                  record.seconds, record.bytes),
      {{"event", "request"},
       {"method", method},
       {"path", string_of(record.path)},
       {"status", record.status},
       {"seconds", record.seconds},
       {"bytes", record.bytes}});
}

void ServeLog::answer(const serve::GenerationReport& report) {
  if (form_ == Form::kOff) return;
  const serve::Usage& usage = report.usage;
  const std::string outcome = outcome_of(report);
  add(fmt::format("answer of {}: {}, prompt {} ({} cached), generated {}, queue {:.3f} s, prefill {:.3f} s, "
                  "decode {:.3f} s, first token after {:.0f} ms",
                  printable(report.model), outcome, usage.prompt_tokens, usage.cached_tokens,
                  usage.completion_tokens, usage.queue_s, usage.prefill_s, usage.decode_s,
                  report.first_token_s * 1e3),
      {{"event", "answer"},
       {"model", report.model},
       {"outcome", outcome},
       {"prompt_tokens", usage.prompt_tokens},
       {"cached_tokens", usage.cached_tokens},
       {"generated_tokens", usage.completion_tokens},
       {"choices", report.choices},
       {"load_s", usage.load_s},
       {"queue_s", usage.queue_s},
       {"prefill_s", usage.prefill_s},
       {"decode_s", usage.decode_s},
       {"first_token_s", report.first_token_s},
       {"total_s", report.total_s}});
}

void ServeLog::model(const serve::PoolEvent& event) {
  using Kind = serve::PoolEvent::Kind;
  if (form_ == Form::kOff) return;
  const char* what = event.kind == Kind::kLoaded     ? "loaded"
                     : event.kind == Kind::kUnloaded ? "unloaded"
                                                     : "failed";
  std::string text = fmt::format("model {} {}", printable(event.id), what);
  json::object fields = {{"event", "model"}, {"model", event.id}, {"what", what}};
  if (event.kind == Kind::kLoaded) {
    text += fmt::format(" in {:.2f} s", event.seconds);
    fields["seconds"] = event.seconds;
  }
  if (event.kind == Kind::kFailed) {
    text += ": " + printable(event.error);
    fields["error"] = event.error;
  }
  add(text, std::move(fields));
}

void ServeLog::add(const std::string& text, json::object fields) {
  const std::string time = now_text();
  std::string line;
  if (form_ == Form::kJson) {
    json::object timed = {{"time", time}};
    for (auto& [key, value] : fields) timed[key] = std::move(value);
    line = to_json(timed) + "\n";
  } else {
    line = fmt::format("{} {}\n", time, text);
  }
  const std::lock_guard lock(mutex_);
  if (lines_.size() >= kMostLines) {
    ++dropped_;
    return;
  }
  lines_.push_back(std::move(line));
  changed_.notify_one();
}

void ServeLog::write_lines() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ending_ || !lines_.empty(); });
    if (lines_.empty()) return;
    std::deque<std::string> lines = std::exchange(lines_, {});
    if (const std::uint64_t dropped = std::exchange(dropped_, 0); dropped > 0)
      lines.push_back(fmt::format("{} lines of the log were dropped\n", dropped));
    lock.unlock();
    for (const std::string& line : lines) write_stderr(line);
    lock.lock();
  }
}

}  // namespace cistern::tools
