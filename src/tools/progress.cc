#include "tools/progress.h"

#include <fmt/format.h>

#include <utility>

#include "tools/output.h"

namespace cistern::tools {
namespace {

constexpr auto kBetweenDraws = std::chrono::milliseconds(100);
constexpr std::size_t kBarWidth = 30;
constexpr std::string_view kEraseLine = "\r\x1b[K";

}  // namespace

Progress::Progress(std::string what, std::uint64_t total_bytes, std::uint64_t begin_bytes)
    : what_(std::move(what)),
      total_bytes_(total_bytes),
      begin_bytes_(begin_bytes),
      shown_(stderr_is_terminal()) {}

Progress::~Progress() {
  if (shown_) write_stderr(kEraseLine);
}

void Progress::update(std::uint64_t done_bytes) {
  const Clock::time_point now = Clock::now();
  if (!shown_ || now - last_ < kBetweenDraws) return;
  last_ = now;
  const double share = static_cast<double>(done_bytes) / static_cast<double>(total_bytes_);
  const auto filled = static_cast<std::size_t>(share * kBarWidth);
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double rate = seconds > 0 ? static_cast<double>(done_bytes - begin_bytes_) / seconds : 0.0;
  std::string line = fmt::format("{}{} [{:#<{}}{:.<{}}] {:3.0f}%, {:.0f} MB/s", kEraseLine, what_, "", filled,
                                 "", kBarWidth - filled, share * 100, rate / 1e6);
  if (rate > 0) line += fmt::format(", {:.0f} s left", static_cast<double>(total_bytes_ - done_bytes) / rate);
  write_stderr(line);
}

void Progress::say(const std::string& stage) {
  if (shown_) write_stderr(fmt::format("{}{}: {}", kEraseLine, what_, stage));
}

}  // namespace cistern::tools
