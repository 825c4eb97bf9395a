#include "tools/streaming_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "tools/machine_cache.h"
#include "tools/output.h"
#include "tools/progress.h"

namespace cistern::tools {
namespace {

constexpr double kGb = 1e9;

// Two digits are all that a forecast knows.
std::string rate(double tok_s) {
  return fmt::format("{:.2g}", tok_s);
}

void print_verdict(const engine::StreamingForecast& forecast) {
  write_stderr(fmt::format(
      "cistern: larger than the memory, so it runs from disk: {}; forecast {} to {} tok/s at {:.2f} GB/s{}\n",
      plan::describe(forecast.streaming), rate(forecast.low_tok_s), rate(forecast.high_tok_s),
      forecast.disk_bytes_per_s / kGb,
      forecast.past_page_cache ? "" : ", through the page cache: this file system has no direct reads"));
}

double per_second(double amount, double seconds) {
  return seconds > 0 ? amount / seconds : 0;
}

struct Use {
  double bytes_per_token, bytes_per_s, waiting;
};

Use use_of(const engine::DiskUse& disk, double tokens, double seconds) {
  const auto bytes = static_cast<double>(disk.bytes_read);
  return {.bytes_per_token = tokens > 0 ? bytes / tokens : 0,
          .bytes_per_s = per_second(bytes, seconds),
          .waiting = per_second(disk.waited_s, seconds)};
}

Use decode_use(const engine::Stats& stats) {
  return use_of(stats.decode_disk, stats.decoded_tokens, stats.decode_s);
}

boost::json::object use_json(const Use& use, const engine::DiskUse& disk) {
  return {{"bytes_read", disk.bytes_read},
          {"bytes_per_token", use.bytes_per_token},
          {"bytes_per_s", use.bytes_per_s},
          {"waiting_share", use.waiting},
          {"expert_hit_rate", disk.hit_rate()}};
}

}  // namespace

void show_streaming(engine::LoadOptions& options) {
  const std::string cache = machine_cache_path();
  if (!cache.empty()) options.memory_folder = std::filesystem::path(cache).parent_path().string();
  options.on_streaming = print_verdict;
  const auto progress = std::make_shared<std::unique_ptr<Progress>>();
  options.load_progress = [progress](std::uint64_t done, std::uint64_t all) {
    if (*progress == nullptr) *progress = std::make_unique<Progress>("reading what stays in memory", all);
    (*progress)->update(done);
    if (done >= all) progress->reset();
  };
}

std::string disk_line(const engine::Stats& stats) {
  const Use use = decode_use(stats);
  std::string line = fmt::format("disk {} per token at {:.2f} GB/s, {:.0f}% of the time waiting",
                                 plan::describe_bytes(static_cast<std::uint64_t>(use.bytes_per_token)),
                                 use.bytes_per_s / kGb, 100 * use.waiting);
  if (stats.decode_disk.expert_hits + stats.decode_disk.expert_misses > 0)
    line += fmt::format(", {:.0f}% of experts in memory", 100 * stats.decode_disk.hit_rate());
  return line;
}

boost::json::object disk_json(const engine::Stats& stats) {
  const double prompt = stats.prompt_tokens - stats.reused_tokens;
  return {{"prefill", use_json(use_of(stats.prefill_disk, prompt, stats.prefill_s), stats.prefill_disk)},
          {"decode", use_json(decode_use(stats), stats.decode_disk)}};
}

}  // namespace cistern::tools
