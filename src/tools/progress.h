// A line on the terminal that says how far a long command is: overwritten in place, gone when the object is.
// Where stderr is no terminal nothing is shown. Single-threaded.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace cistern::tools {

class Progress {
 public:
  // `what` stands before the bar: "writing model.gguf"; `begin_bytes` were done before. REQUIRES: total > 0.
  Progress(std::string what, std::uint64_t total_bytes, std::uint64_t begin_bytes = 0);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(std::uint64_t done_bytes);
  void say(const std::string& stage);  // instead of the bar: "waiting for the disk"

 private:
  using Clock = std::chrono::steady_clock;

  std::string what_;
  std::uint64_t total_bytes_;
  std::uint64_t begin_bytes_;
  bool shown_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_;  // when the line was drawn
};

}  // namespace cistern::tools
