// A line on the terminal that says how far a long command is: overwritten in place, gone when the object is.
// Where stderr is no terminal nothing is shown. Single-threaded.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace cistern::tools {

class Progress {
 public:
  // `what` stands before the bar: "writing model.gguf". REQUIRES: total > 0.
  Progress(std::string what, std::uint64_t total_bytes);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(std::uint64_t done_bytes);
  void say(const std::string& stage);  // instead of the bar: "waiting for the disk"

 private:
  using Clock = std::chrono::steady_clock;

  std::string what_;
  std::uint64_t total_bytes_;
  bool shown_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_;  // when the line was drawn
};

}  // namespace cistern::tools
