#include "tools/machine_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cmath>
#include <ctime>
#include <filesystem>

#include "ops/machine_probe.h"
#include "ops/product_probe.h"
#include "quant/format.h"
#include "sys/clock.h"
#include "sys/memory_limits.h"
#include "sys/thread_pool.h"

namespace cistern::tools {
namespace {

using kernels::Arithmetic;
using Pages = ops::ProbeMemory::Pages;

// Shares of the time that measuring may take, for all thread counts together.
constexpr double kSearchShare = 0.4;
constexpr double kSampleShare = 0.2;
constexpr double kPeakShare = 0.05;  // each arithmetic
constexpr double kDiskShare = 0.15;
constexpr double kProductShare = 0.1;  // all types
constexpr int kPatterns = 30;          // about as many as are tried

// 1, 2, 4, ... and all.
std::vector<int> thread_counts(int most) {
  std::vector<int> counts;
  for (int n = 1; n < most; n *= 2) counts.push_back(n);
  counts.push_back(most);
  return counts;
}

struct Reading {
  double bytes_per_s = 0;
  std::string pattern;
};

Result<Reading> measure_reading(sys::ThreadPool& pool, const MachineMeasuring& m, std::uint64_t bytes,
                                Pages pages, double seconds) {
  CISTERN_TRY(const auto memory, ops::ProbeMemory::create(pool, bytes, pages));
  ops::ReadProbe probe(pool, m.isa, memory);
  probe.search(seconds * kSearchShare / kPatterns);
  const double speed = probe.sample(seconds * kSampleShare);
  return Reading{
      .bytes_per_s = speed,
      .pattern = fmt::format("{}, {} pages", probe.describe(), pages == Pages::kHuge ? "huge" : "small")};
}

// What weights are quantized to; a few of a family tell of the others.
constexpr std::array kTypes = {DType::kF16,    DType::kBF16,  DType::kQ8_0,    DType::kQ4_0, DType::kQ5_0,
                               DType::kQ6_K,   DType::kQ5_K,  DType::kQ4_K,    DType::kQ3_K, DType::kQ2_K,
                               DType::kIQ4_XS, DType::kIQ3_S, DType::kIQ2_XXS, DType::kMXFP4};

void measure_types(const MachineMeasuring& m, MachineFigures& figures) {
  sys::ThreadPool pool(m.threads);
  const double seconds = m.seconds * kProductShare / kTypes.size();
  for (const DType type : kTypes) {
    const ops::ProductSpeed speed = ops::measure_products(pool, m.isa, type, seconds);
    figures.by_type.push_back({.type = std::string(quant::format_of(type).name),
                               .decode_gbps = speed.decode_bytes_per_s / 1e9,
                               .prefill_gmacs = speed.prefill_macs_per_s / 1e9});
  }
}

void measure_disk(const MachineMeasuring& m, MachineFigures& figures) {
  constexpr std::uint64_t kFileBytes = 256ULL << 20U;
  constexpr double kBytesPerSecond = 64e6;  // a file that slow disks write in time
  if (m.disk.empty()) {
    figures.disk_note = "not measured";
    return;
  }
  const sys::DiskReading reading{.max_seconds = m.seconds * kDiskShare};
  std::error_code error;
  const bool folder = std::filesystem::is_directory(m.disk, error);
  const auto bytes = std::min(kFileBytes, static_cast<std::uint64_t>(m.seconds * kBytesPerSecond) + 4096);
  const auto speed =
      folder ? sys::measure_disk_of_folder(m.disk, bytes, reading) : sys::measure_disk(m.disk, reading);
  if (!speed) {
    figures.disk_note = fmt::format("not measured: {}", describe(speed.error()));
    return;
  }
  figures.disk = *speed;
  figures.disk_note =
      fmt::format("{}, {}", m.disk, speed->direct ? "past the page cache" : "through the page cache");
}

}  // namespace

std::uint64_t probe_memory_bytes(std::uint64_t wanted) {
  return std::max(ops::kMinProbeBytes, std::min(wanted, sys::read_memory_limits().budget_bytes() / 4));
}

Result<MachineFigures> measure_machine(const MachineMeasuring& m) {
  const double start = sys::steady_seconds();
  const auto say = [&m](const std::string& what) {
    if (m.progress) m.progress(what);
  };
  MachineFigures figures;
  figures.memory_bytes = probe_memory_bytes(m.memory_bytes);
  figures.measured_at = static_cast<std::int64_t>(std::time(nullptr));
  const std::vector<int> counts = thread_counts(m.threads);
  const double seconds = m.seconds / static_cast<double>(counts.size() + 1);
  for (const int n : counts) {
    say(fmt::format("reading and multiplying with {} thread{}", n, n == 1 ? "" : "s"));
    sys::ThreadPool pool(n);
    ThreadFigures found{.threads = n};
    CISTERN_TRY(Reading reading, measure_reading(pool, m, figures.memory_bytes, Pages::kHuge, seconds));
    if (n == m.threads) {
      CISTERN_TRY(Reading other, measure_reading(pool, m, figures.memory_bytes, Pages::kSmall, seconds));
      if (other.bytes_per_s > reading.bytes_per_s) reading = std::move(other);
    }
    found.read_gbps = reading.bytes_per_s / 1e9;
    figures.read_pattern = reading.pattern;
    const auto peak = [&](Arithmetic arithmetic, double& gmacs, std::string& instructions) {
      ops::PeakProbe probe(pool, m.isa, arithmetic);
      gmacs = probe.sample(seconds * kPeakShare) / 1e9;
      instructions = probe.instructions();
    };
    peak(Arithmetic::kInt8, found.int8_gmacs, figures.int8_instructions);
    peak(Arithmetic::kBf16, found.bf16_gmacs, figures.bf16_instructions);
    peak(Arithmetic::kFloat, found.f32_gmacs, figures.f32_instructions);
    figures.by_threads.push_back(found);
  }
  say("multiplying weights of each type");
  measure_types(m, figures);
  say("reading the disk");
  measure_disk(m, figures);
  figures.seconds = sys::steady_seconds() - start;
  return figures;
}

boost::json::object figures_json(const MachineFigures& figures) {
  const ThreadFigures& all = figures.by_threads.back();
  boost::json::array by_threads;
  for (const ThreadFigures& f : figures.by_threads) {
    by_threads.push_back({{"threads", f.threads},
                          {"read_gbps", f.read_gbps},
                          {"int8_gmacs", f.int8_gmacs},
                          {"bf16_gmacs", f.bf16_gmacs},
                          {"f32_gmacs", f.f32_gmacs}});
  }
  boost::json::array by_type;
  for (const TypeFigures& f : figures.by_type)
    by_type.push_back({{"type", f.type}, {"decode_gbps", f.decode_gbps}, {"prefill_gmacs", f.prefill_gmacs}});
  boost::json::value disk;
  if (figures.disk)
    disk = {{"bytes_per_s", figures.disk->bytes_per_s},
            {"latency_s", figures.disk->latency_s},
            {"direct", figures.disk->direct}};
  return {{"threads", all.threads},
          {"read_gbps", all.read_gbps},
          {"int8_gmacs", all.int8_gmacs},
          {"bf16_gmacs", all.bf16_gmacs},
          {"f32_gmacs", all.f32_gmacs},
          {"disk_gbps",
           figures.disk ? boost::json::value(figures.disk->bytes_per_s / 1e9) : boost::json::value()},
          {"by_threads", by_threads},
          {"by_type", by_type},
          {"read_pattern", figures.read_pattern},
          {"int8_instructions", figures.int8_instructions},
          {"bf16_instructions", figures.bf16_instructions},
          {"f32_instructions", figures.f32_instructions},
          {"disk", disk},
          {"disk_note", figures.disk_note},
          {"memory_bytes", figures.memory_bytes},
          {"seconds", figures.seconds},
          {"measured_at", figures.measured_at}};
}

namespace {

// Fields of an untrusted object, null where there is none: every look-up that fails is remembered.
class Fields {
 public:
  explicit Fields(const boost::json::object* object) : object_(object), valid_(object != nullptr) {}

  template <class T>
  void number(const char* name, T& value) {
    const boost::json::value* found = find(name);
    boost::system::error_code error;
    if (found != nullptr && found->is_number()) value = found->to_number<T>(error);
    valid_ = valid_ && found != nullptr && found->is_number() && !error;
    if constexpr (std::is_floating_point_v<T>) valid_ = valid_ && std::isfinite(value) && value > 0;
  }
  void text(const char* name, std::string& value) {
    const boost::json::value* found = find(name);
    valid_ = valid_ && found != nullptr && found->is_string();
    if (valid_) value = found->get_string().c_str();
  }
  const boost::json::value* find(const char* name) const {
    return object_ == nullptr ? nullptr : object_->if_contains(name);
  }
  bool valid() const { return valid_; }

 private:
  const boost::json::object* object_;
  bool valid_;
};

std::optional<ThreadFigures> thread_figures_from_json(const boost::json::value& json) {
  ThreadFigures f;
  Fields fields(json.if_object());
  fields.number("threads", f.threads);
  fields.number("read_gbps", f.read_gbps);
  fields.number("int8_gmacs", f.int8_gmacs);
  fields.number("bf16_gmacs", f.bf16_gmacs);
  fields.number("f32_gmacs", f.f32_gmacs);
  return fields.valid() && f.threads > 0 ? std::optional(f) : std::nullopt;
}

}  // namespace

std::optional<MachineFigures> figures_from_json(const boost::json::object& json) {
  MachineFigures figures;
  Fields fields(&json);
  fields.text("read_pattern", figures.read_pattern);
  fields.text("int8_instructions", figures.int8_instructions);
  fields.text("bf16_instructions", figures.bf16_instructions);
  fields.text("f32_instructions", figures.f32_instructions);
  fields.text("disk_note", figures.disk_note);
  fields.number("memory_bytes", figures.memory_bytes);
  fields.number("seconds", figures.seconds);
  fields.number("measured_at", figures.measured_at);
  const boost::json::value* list = fields.find("by_threads");
  if (!fields.valid() || list == nullptr || !list->is_array() || list->get_array().empty())
    return std::nullopt;
  for (const boost::json::value& item : list->get_array()) {
    const auto found = thread_figures_from_json(item);
    if (!found) return std::nullopt;
    figures.by_threads.push_back(*found);
  }
  const boost::json::value* types = fields.find("by_type");
  if (types == nullptr || !types->is_array()) return std::nullopt;
  for (const boost::json::value& item : types->get_array()) {
    TypeFigures f;
    Fields type_fields(item.if_object());
    type_fields.text("type", f.type);
    type_fields.number("decode_gbps", f.decode_gbps);
    type_fields.number("prefill_gmacs", f.prefill_gmacs);
    if (!type_fields.valid()) return std::nullopt;
    figures.by_type.push_back(std::move(f));
  }
  if (const boost::json::value* disk = fields.find("disk"); disk != nullptr && !disk->is_null()) {
    Fields disk_fields(disk->if_object());
    sys::DiskSpeed speed;
    disk_fields.number("bytes_per_s", speed.bytes_per_s);
    disk_fields.number("latency_s", speed.latency_s);
    const boost::json::value* direct = disk_fields.find("direct");
    if (!disk_fields.valid() || direct == nullptr || !direct->is_bool()) return std::nullopt;
    speed.direct = direct->get_bool();
    figures.disk = speed;
  }
  return figures;
}

}  // namespace cistern::tools
