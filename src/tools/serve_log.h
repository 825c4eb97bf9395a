// What a running server writes to stderr: a line per request, per answer and per model that comes or goes, as
// text or JSON, never with a word of a prompt or an answer. Lines are written by a thread of the log's own,
// so that a terminal or pipe that is not read holds up nothing: beyond a bound lines are dropped, and
// counted. Thread-safe.
#pragma once

#include <boost/json/object.hpp>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "serve/generation.h"
#include "serve/http/options.h"
#include "serve/model_pool.h"

namespace cistern::tools {

class ServeLog {
 public:
  enum class Form { kText, kJson, kOff };
  explicit ServeLog(Form form);
  ~ServeLog();  // writes what is left
  ServeLog(const ServeLog&) = delete;
  ServeLog& operator=(const ServeLog&) = delete;

  void request(const serve::http::AccessRecord& record);
  void answer(const serve::GenerationReport& report);
  void model(const serve::PoolEvent& event);

 private:
  void add(const std::string& text, boost::json::object fields);
  void write_lines();

  const Form form_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> lines_;
  std::uint64_t dropped_ = 0;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace cistern::tools
