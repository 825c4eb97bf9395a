#include "tools/local_speed.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <set>

#include "ops/machine_probe.h"
#include "quant/format.h"
#include "sys/buffer.h"
#include "sys/clock.h"
#include "sys/disk_speed.h"
#include "sys/resident_pages.h"
#include "sys/thread_pool.h"
#include "sys/user_folders.h"
#include "tools/kept_json.h"
#include "tools/machine_figures.h"

namespace cistern::tools {
namespace {

namespace json = boost::json;

constexpr int kFormat = 1;
constexpr std::size_t kReadsKept = 32;
// Several times the last cache of most machines, and quickly touched.
constexpr std::uint64_t kProbeBytes = 128ULL << 20U;
constexpr std::uint64_t kCommitBytes = 64ULL << 20U;
constexpr std::size_t kAlignment = 64;    // of what is read
constexpr double kSearchSeconds = 0.001;  // per access pattern
constexpr double kReadSeconds = 0.05;
constexpr double kPeakSeconds = 0.02;
constexpr double kProductSeconds = 0.03;  // per type
constexpr sys::DiskReading kShortReading{.max_bytes = 512ULL << 20U, .max_seconds = 0.15};

std::string key_of(const SpeedWanted& wanted) {
  const sys::Topology topology = wanted.topology != nullptr ? *wanted.topology : sys::read_topology();
  return fmt::format("{}/{}/{}/{}/{}", kFormat, topology.processor, topology.cores, sys::name_of(wanted.isa),
                     wanted.threads);
}

double positive(const json::value* value) {
  if (value == nullptr || !value->is_number()) return 0;
  boost::system::error_code error;
  const auto number = value->to_number<double>(error);
  return !error && std::isfinite(number) && number > 0 ? number : 0;
}

// REQUIRES: there are some.
double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// What is known, as it is in the file; what makes no sense there is not known.
class Known {
 public:
  explicit Known(const json::object* object) {
    if (object != nullptr) object_ = *object;
    reads_ = speeds("reads");
    commits_ = speeds("commits");
  }

  double number(std::string_view name) const { return positive(object_.if_contains(name)); }
  void set(std::string_view name, double value) {
    object_[name] = value;
    changed_ = true;
  }

  ops::ProductSpeed product(std::string_view type) const {
    return {.decode_bytes_per_s = number(fmt::format("{} decode", type)),
            .prefill_macs_per_s = number(fmt::format("{} prefill", type))};
  }
  void set_product(std::string_view type, const ops::ProductSpeed& speed) {
    set(fmt::format("{} decode", type), speed.decode_bytes_per_s);
    set(fmt::format("{} prefill", type), speed.prefill_macs_per_s);
  }

  void add_read(double bytes_per_s, bool keep) {
    reads_.push_back(bytes_per_s);
    if (reads_.size() > kReadsKept) reads_.erase(reads_.begin());
    keeps_reads_ = keeps_reads_ && keep;
    changed_ = true;
  }
  void add_commit(double bytes_per_s) {
    commits_.push_back(bytes_per_s);
    if (commits_.size() > kReadsKept) commits_.erase(commits_.begin());
    changed_ = true;
  }
  // A little memory is often some that was given back a moment ago; much has to come from somewhere, on a
  // virtual machine perhaps from its host: the slowest tells.
  double slowest_commit() const { return commits_.empty() ? 0 : std::ranges::min(commits_); }
  double median_commit() const { return commits_.empty() ? 0 : median(commits_); }
  bool has_reads() const { return !reads_.empty(); }
  double latest_read() const { return reads_.back(); }
  double median_read() const { return median(reads_); }
  double read_spread() const {
    if (reads_.size() < 3) return 0;
    double sum = 0, squares = 0;
    for (const double read : reads_) {
      sum += std::log(read);
      squares += std::log(read) * std::log(read);
    }
    const auto n = static_cast<double>(reads_.size());
    return std::sqrt(std::max(0.0, squares / n - sum / n * (sum / n)));
  }

  bool changed() const { return changed_; }
  json::object object() const {
    json::object all = object_;
    if (keeps_reads_) all["reads"] = json::array(reads_.begin(), reads_.end());
    all["commits"] = json::array(commits_.begin(), commits_.end());
    return all;
  }

 private:
  std::vector<double> speeds(std::string_view name) const {
    std::vector<double> all;
    if (const json::value* kept = object_.if_contains(name); kept != nullptr && kept->is_array())
      for (const json::value& one : kept->get_array())
        if (const double speed = positive(&one); speed > 0) all.push_back(speed);
    return all;
  }

  json::object object_;
  std::vector<double> reads_;
  std::vector<double> commits_;
  bool changed_ = false;
  bool keeps_reads_ = true;
};

double read_speed(const SpeedWanted& wanted, sys::ThreadPool& pool, const ops::ProbeMemory& memory) {
  ops::ReadProbe probe(pool, wanted.isa, memory);
  probe.search(kSearchSeconds);
  return probe.sample(kReadSeconds);
}

// Of memory; 0: there is none to measure with.
double measure_reads(const SpeedWanted& wanted, sys::ThreadPool& pool) {
  if (wanted.memory) {
    if (wanted.memory->size() < ops::kMinProbeBytes + kAlignment) return 0;
    return read_speed(wanted, pool, ops::ProbeMemory::borrow(*wanted.memory));
  }
  const auto memory =
      ops::ProbeMemory::create(pool, probe_memory_bytes(kProbeBytes), ops::ProbeMemory::Pages::kHuge);
  return memory ? read_speed(wanted, pool, *memory) : 0;
}

// Of memory that the system hands out; 0: it refuses.
double measure_commit(sys::ThreadPool& pool) {
  auto memory = sys::Buffer::allocate(kCommitBytes);
  if (!memory) return 0;
  constexpr std::uint64_t kPieces = 16, kPieceBytes = kCommitBytes / kPieces;
  const double start = sys::steady_seconds();
  pool.run_chunks(kPieces, [&](int, std::uint32_t i) {
    sys::commit(memory->bytes().subspan(i * kPieceBytes, kPieceBytes));
  });
  const double seconds = sys::steady_seconds() - start;
  return seconds > 0 ? kCommitBytes / seconds : 0;
}

std::set<DType> types_of(const file::Inventory& inventory) {
  std::set<DType> types;
  for (const file::TensorInfo& tensor : inventory.tensors())
    if (tensor.shape.rows() > 1 && quant::format_of(tensor.dtype).dequantize != nullptr)
      types.insert(tensor.dtype);
  return types;
}

// Measures what is wanted and not known.
void complete(const SpeedWanted& wanted, Known& known) {
  std::unique_ptr<sys::ThreadPool> pool;
  const auto threads = [&]() -> sys::ThreadPool& {
    if (!pool) pool = std::make_unique<sys::ThreadPool>(wanted.threads);
    return *pool;
  };
  if (!wanted.memory)
    if (const double speed = measure_commit(threads()); speed > 0) known.add_commit(speed);
  if (wanted.fresh || !known.has_reads()) {
    const double speed = measure_reads(wanted, threads());
    // What fits caches says nothing of other models.
    const bool counts = !wanted.memory || wanted.memory->size() >= kProbeBytes;
    if (speed > 0) known.add_read(speed, counts);
  }
  if (known.number("dispatch_s") <= 0) known.set("dispatch_s", ops::measure_dispatch(threads()));
  for (const auto& [name, arithmetic] : {std::pair{"bf16_macs_per_s", kernels::Arithmetic::kBf16},
                                         {"float_macs_per_s", kernels::Arithmetic::kFloat}})
    if (known.number(name) <= 0)
      known.set(name, ops::PeakProbe(threads(), wanted.isa, arithmetic).sample(kPeakSeconds));
  if (wanted.inventory == nullptr) return;
  for (const DType type : types_of(*wanted.inventory)) {
    const std::string_view name = quant::format_of(type).name;
    const ops::ProductSpeed before = known.product(name);
    if (before.prefill_macs_per_s > 0 && !wanted.fresh) continue;
    // What was measured beside other work is too slow: the better of all times counts.
    const ops::ProductSpeed now = ops::measure_products(threads(), wanted.isa, type, kProductSeconds);
    known.set_product(name,
                      {.decode_bytes_per_s = std::max(before.decode_bytes_per_s, now.decode_bytes_per_s),
                       .prefill_macs_per_s = std::max(before.prefill_macs_per_s, now.prefill_macs_per_s)});
  }
}

}  // namespace

plan::MachineSpeed local_speed(const SpeedWanted& wanted) {
  const std::string path = sys::user_file(sys::UserFolder::kCache, "speed.json");
  const std::string key = key_of(wanted);
  json::object all = read_kept(path);
  const json::value* kept = all.if_contains(key);
  Known known(kept == nullptr ? nullptr : kept->if_object());
  if (wanted.measure) complete(wanted, known);
  if (known.changed()) {
    all[key] = known.object();
    write_kept(path, all);
  }
  plan::MachineSpeed speed{.read_spread = known.read_spread(),
                           .commit_bytes_per_s = known.median_commit(),
                           .slow_commit_bytes_per_s = known.slowest_commit(),
                           .dispatch_s = known.number("dispatch_s"),
                           .bf16_macs_per_s = known.number("bf16_macs_per_s"),
                           .float_macs_per_s = known.number("float_macs_per_s")};
  // What is measured now may be gone in a minute: half way to what is usual.
  if (known.has_reads())
    speed.read_bytes_per_s =
        wanted.fresh ? std::sqrt(known.latest_read() * known.median_read()) : known.median_read();
  if (wanted.inventory != nullptr)
    for (const DType type : types_of(*wanted.inventory))
      speed.products[static_cast<std::size_t>(type)] = known.product(quant::format_of(type).name);
  if (wanted.measure && !wanted.disk_path.empty())
    if (const auto disk = sys::measure_disk(wanted.disk_path, kShortReading))
      speed.disk_bytes_per_s = disk->bytes_per_s;
  return speed;
}

double cached_share(const file::ModelFiles& files) {
  double bytes = 0, cached = 0;
  for (const sys::MappedFile& file : files.files) {
    const auto size = static_cast<double>(file.bytes().size());
    bytes += size;
    cached += size * sys::resident_share(file.bytes());
  }
  return bytes > 0 ? cached / bytes : 1;
}

}  // namespace cistern::tools
