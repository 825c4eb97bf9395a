#include "engine/streaming.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <vector>

#include "base/fnv.h"
#include "sys/disk_speed.h"

namespace cistern::engine {
namespace {

namespace fs = std::filesystem;

// Long enough to see a disk's speed, short beside loading.
constexpr sys::DiskReading kShortReading{.max_bytes = 512ULL << 20U, .max_seconds = 0.15};
// What computing with weights in memory takes, between a slow machine and a fast one.
constexpr double kSlowMemory = 15e9;
constexpr double kFastMemory = 60e9;
constexpr std::string_view kFileHeader = "cistern experts 1";
constexpr std::size_t kMostRemembered = 1U << 20U;

std::vector<std::string> paths_of(const OpenModel& open) {
  std::vector<std::string> paths;
  for (const sys::MappedFile& file : open.files.files) paths.push_back(file.path());
  return paths;
}

// The file that remembers for a model: by the path and the size of its first part.
std::string remembered_path(const std::string& folder, const OpenModel& open) {
  std::error_code error;
  const std::string path = fs::absolute(open.path, error).string();
  const std::size_t bytes = open.files.files.front().bytes().size();
  return fmt::format("{}/experts-{:016x}", folder, fnv1a(fmt::format("{}:{}", path, bytes)));
}

}  // namespace

Result<StreamingForecast> forecast_streaming(const OpenModel& open, const plan::MemoryPlan& plan,
                                             const plan::StepWork& token) {
  CISTERN_TRY(const sys::DiskSpeed disk, sys::measure_disk(open.files.files.front().path(), kShortReading));
  StreamingForecast forecast{
      .streaming = *plan.streaming, .disk_bytes_per_s = disk.bytes_per_s, .past_page_cache = disk.direct};
  const auto token_bytes = static_cast<double>(std::max<std::uint64_t>(1, plan.streaming->token_bytes));
  const double disk_s = token_bytes / disk.bytes_per_s;
  const auto used_bytes = static_cast<double>(token.weight_bytes + token.kv_bytes);
  forecast.high_tok_s = 1 / std::max(disk_s, used_bytes / kFastMemory);
  forecast.low_tok_s = 1 / (disk_s + used_bytes / kSlowMemory);
  return forecast;
}

Result<std::unique_ptr<store::StreamingStore>> open_streaming_store(const OpenModel& open,
                                                                    const plan::MemoryPlan& plan,
                                                                    const LoadOptions& options) {
  std::vector<std::string> paths = paths_of(open);
  CISTERN_TRY(auto reader, options.make_reader ? options.make_reader(paths) : sys::make_file_reader(paths));
  return store::StreamingStore::open(open.inventory(), plan.streaming->placement, std::move(paths),
                                     std::move(reader),
                                     {.stall_s = options.disk_stall_s, .progress = options.load_progress});
}

void warm_experts(const std::string& folder, const OpenModel& open, store::StreamingStore& store) {
  if (folder.empty()) return;
  std::ifstream in(remembered_path(folder, open));
  std::string line;
  if (!std::getline(in, line) || line != kFileHeader) return;
  std::vector<store::SliceCache::SliceId> slices;
  while (slices.size() < kMostRemembered && std::getline(in, line)) {
    const std::size_t space = line.find(' ');
    const file::TensorInfo* info = open.inventory().find(std::string_view(line).substr(0, space));
    if (space == std::string::npos || info == nullptr) continue;
    std::uint32_t slice = 0;
    const auto parsed = std::from_chars(line.data() + space + 1, line.data() + line.size(), slice);
    if (parsed.ec != std::errc()) continue;
    slices.push_back(
        {.tensor = static_cast<std::size_t>(info - open.inventory().tensors().data()), .slice = slice});
  }
  store.warm(slices);
}

void remember_experts(const std::string& folder, const OpenModel& open, const store::StreamingStore& store) {
  const std::vector<store::SliceCache::SliceId> slices = store.most_wanted();
  if (folder.empty() || slices.empty()) return;
  std::error_code error;
  fs::create_directories(folder, error);
  const std::string path = remembered_path(folder, open);
  const std::string unfinished = path + ".new";
  std::ofstream out(unfinished);
  out << kFileHeader << '\n';
  for (const store::SliceCache::SliceId& id : slices)
    out << open.inventory().tensors()[id.tensor].name << ' ' << id.slice << '\n';
  out.close();
  if (out) {
    fs::rename(unfinished, path, error);
  } else {
    fs::remove(unfinished, error);
  }
}

}  // namespace cistern::engine
