#include "plan/hardware_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plan/model_work.h"

namespace cistern::plan {
namespace {

constexpr double kGiga = 1e9;
// Of a device's memory, what a model may take: drivers, the screen and other programs have the rest. Of
// memory that is shared with them, less.
constexpr double kUsableGpu = 0.95;
constexpr double kUsableShared = 0.85;
constexpr double kUsableHost = 0.90;
// Held by the program on each device and in the host's memory.
constexpr std::uint64_t kProcessBytes = 512ULL << 20U;
// Reading from disk is less certain than computing.
constexpr double kDiskWidth = 0.35;
constexpr std::uint32_t kUsualContext = 4096;
// A GPU without a machine around it is put into a usual one.
constexpr std::string_view kUsualHost = "64GB DDR5-5600";

std::uint64_t usable(double bytes, double share) {
  return static_cast<std::uint64_t>(std::max(0.0, bytes * share));
}

// Memory that weights may be in, the fastest first.
std::vector<Tier> tiers_of(const System& system) {
  std::vector<Tier> tiers;
  for (const Part& part : system.devices) {
    const bool shared = part.hardware.kind == HardwareKind::kSoc;
    tiers.push_back(
        {.name = part.count > 1 ? fmt::format("{}x {}", part.count, part.hardware.name) : part.hardware.name,
         .kind = "device",
         .capacity_bytes = usable(static_cast<double>(part.memory_bytes) * part.count,
                                  shared ? kUsableShared : kUsableGpu)});
  }
  if (system.host)
    tiers.push_back({.name = fmt::format("RAM ({})", system.host->hardware.name),
                     .kind = "ram",
                     .capacity_bytes = usable(static_cast<double>(system.host->memory_bytes), kUsableHost)});
  return tiers;
}

// Fills the tiers one after the other: what every token needs first, then experts. What is left over goes to
// disk. The share of the weights there.
double fill(std::vector<Tier>& tiers, const ByteCounts& bytes) {
  std::uint64_t dense = bytes.weights - std::min(bytes.weights, bytes.experts), experts = bytes.experts;
  std::uint64_t overhead = bytes.overhead, buffers = bytes.buffers, kv = bytes.kv;
  tiers.push_back({.name = "disk", .kind = "disk", .capacity_bytes = ~std::uint64_t{0}});
  for (Tier& tier : tiers) {
    std::uint64_t room = tier.capacity_bytes;
    const auto take = [&room](std::uint64_t& left) {
      const std::uint64_t taken = std::min(room, left);
      room -= taken;
      left -= taken;
      return taken;
    };
    if (tier.kind != "disk") {
      tier.bytes.overhead = take(overhead);
      tier.bytes.buffers = take(buffers);
      tier.bytes.kv = take(kv);
    }
    const std::uint64_t own = take(dense);
    tier.bytes.experts = take(experts);
    tier.bytes.weights = own + tier.bytes.experts;
  }
  const Tier disk = tiers.back();
  if (disk.bytes.weights == 0) {
    tiers.pop_back();
  } else {
    tiers.back().capacity_bytes = bytes.weights;
  }
  return bytes.weights == 0 ? 0
                            : static_cast<double>(disk.bytes.weights) / static_cast<double>(bytes.weights);
}

Interval inverse(const Interval& rate, double amount) {
  return {.low = amount / rate.high, .mid = amount / rate.mid, .high = amount / rate.low};
}

// Tokens of which each waits for so many seconds of the disk too.
Interval slowed(const Interval& rate, double disk_s) {
  if (disk_s <= 0) return rate;
  const double mid = 1 / (1 / rate.mid + disk_s);
  const double width = std::max(kDiskWidth, std::log(rate.high / rate.mid));
  return {.low = mid * std::exp(-width), .mid = mid, .high = mid * std::exp(width)};
}

spec::ModelSpec without_mtp(spec::ModelSpec model) {
  model.mtp.reset();
  return model;
}

// The same machine with a usual host around its GPUs.
System with_host(const System& system) {
  static const Catalogue kCatalogue = Catalogue::built_in();
  System whole = system;
  if (const auto host = kCatalogue.resolve(kUsualHost); host && host->host) whole.host = host->host;
  return whole;
}

}  // namespace

std::uint32_t usual_context(const spec::ModelSpec& model) {
  return std::min(kUsualContext, model.context_tokens);
}

HardwarePlanner::HardwarePlanner(const spec::ModelSpec& model, const file::Inventory& inventory,
                                 std::string_view quant, const HardwareQuestion& question,
                                 const TimeModel& time)
    : model_(without_mtp(model)),
      inventory_(inventory),
      quant_(quant),
      question_(question),
      time_(time),
      plan_(make_plan(
          {.budget_bytes = ~std::uint64_t{0} >> 1U, .process_bytes = kProcessBytes}, model_, inventory,
          {.context_tokens = question.context_tokens > 0 ? question.context_tokens : usual_context(model),
           .kv_type = question.kv_type,
           .sequences = question.sequences})) {
  if (plan_) bytes_ = byte_counts(model_, inventory, *plan_);
}

Result<void> HardwarePlanner::check() const {
  if (!plan_) return std::unexpected(plan_.error());
  return {};
}

// What every token reads and experts may lie in different memories; the cache is never on disk.
HardwarePlanner::Reads HardwarePlanner::reads_of(const Work& work, const std::vector<Tier>& tiers) const {
  const auto share = [](std::uint64_t part, std::uint64_t all) {
    return all == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(all);
  };
  Reads reads;
  for (const Tier& tier : tiers) {
    const std::uint64_t dense = tier.bytes.weights - tier.bytes.experts;
    double& sum = tier.kind == "disk" ? reads.disk : tier.kind == "ram" ? reads.ram : reads.device;
    sum += work.dense_read_bytes * share(dense, bytes_.weights - bytes_.experts) +
           work.routed_read_bytes * share(tier.bytes.experts, bytes_.experts) +
           work.kv_bytes * share(tier.bytes.kv, bytes_.kv);
  }
  return reads;
}

PlanRow HardwarePlanner::row(const System& system) const {
  PlanRow row{.hardware = system.name,
              .bytes = bytes_,
              .price_usd = system.price_usd(),
              .power_w = system.power_w(),
              .unconfirmed = system.unconfirmed()};
  row.tiers = tiers_of(system);
  double on_disk = fill(row.tiers, bytes_);
  System whole = system;
  const bool only_gpus =
      !system.host && !system.devices.empty() && system.devices.front().hardware.kind == HardwareKind::kGpu;
  if (on_disk > 0 && only_gpus) {
    whole = with_host(system);
    row.tiers = tiers_of(whole);
    on_disk = fill(row.tiers, bytes_);
    row.why = fmt::format("with {} of RAM assumed", kUsualHost);
  }
  std::uint64_t fixed = bytes_.kv + bytes_.buffers + bytes_.overhead, room = 0;
  for (const Tier& tier : row.tiers)
    if (tier.kind != "disk") room += tier.capacity_bytes;
  row.verdict = on_disk <= 0 ? Verdict::kFits : fixed < room ? Verdict::kStreams : Verdict::kRefused;
  const auto say = [&row](const std::string& text) { row.why += (row.why.empty() ? "" : ", ") + text; };
  if (row.verdict == Verdict::kRefused) {
    say(fmt::format("KV cache and buffers need {}, it has {}", describe_bytes(fixed), describe_bytes(room)));
    return row;
  }
  const double last = std::max(1U, plan_->cache.context_tokens) - 1.0;
  const auto work_at = [&](double depth) {
    Work work =
        model_work(model_, inventory_, plan_->cache, quant_,
                   {.decode_depth = depth, .prompt_tokens = static_cast<double>(question_.prompt_tokens)});
    // What else is on a device leaves less of it to weights.
    work.file_bytes += static_cast<double>(bytes_.kv + bytes_.buffers + bytes_.overhead);
    return work;
  };
  // Users' programs are not asked for: the usual one of the hardware.
  const Backend backend{};
  const Work work = work_at(0);
  row.bytes_per_token = work.dense_read_bytes + work.routed_read_bytes + work.kv_bytes;
  const Reads reads = reads_of(work, row.tiers);
  const double disk_s = reads.disk / (question_.ssd_gbps * kGiga);
  const auto rate_at = [&](double depth) -> Interval {
    const auto speed = time_.decode(work_at(depth), whole, backend);
    return speed ? slowed(*speed, disk_s) : Interval{};
  };
  Forecast f;
  if (model_.causal) {
    f.decode_tok_s = rate_at(0);
    f.decode_half_tok_s = rate_at(last / 2);
    f.decode_full_tok_s = rate_at(last);
  }
  if (const auto prompt = time_.prompt(work, whole, backend)) {
    const double pass_s = static_cast<double>(bytes_.weights) * on_disk / (question_.ssd_gbps * kGiga) /
                          question_.prompt_tokens;
    f.prefill_tok_s = slowed(*prompt, pass_s);
    f.first_token_s = inverse(f.prefill_tok_s, question_.prompt_tokens);
  }
  if (!is_usable(model_.causal ? f.decode_tok_s : f.prefill_tok_s)) {
    row.verdict = Verdict::kRefused;
    say("its speed is unknown");
    return row;
  }
  const double read_s = static_cast<double>(bytes_.weights) * (1 - on_disk) / (question_.ssd_gbps * kGiga);
  f.load_s = {.low = read_s * 0.5, .mid = read_s, .high = read_s * 2};
  const auto peak = static_cast<double>(bytes_.total()) - on_disk * static_cast<double>(bytes_.weights);
  f.peak_bytes = {.low = peak * 0.95, .mid = peak, .high = peak * 1.05};

  // The limit: every byte once, at the bandwidth of where it is.
  const auto seconds_at = [](double bytes, double gbps) { return gbps > 0 ? bytes / (gbps * kGiga) : 0; };
  const double device_s =
      whole.devices.empty() ? 0 : seconds_at(reads.device, whole.devices.front().bandwidth_gbps);
  // A bandwidth that was stated is that of all sockets.
  const double ram_gbps = !whole.host                    ? 0
                          : whole.host->bandwidth_stated ? whole.host->bandwidth_gbps
                                                         : whole.host->bandwidth_gbps * whole.host->count;
  const double ram_s = seconds_at(reads.ram, ram_gbps);
  const double seconds = device_s + ram_s + disk_s;
  if (disk_s > std::max(device_s, ram_s)) f.limited_by = Limit::kDisk;
  if (model_.causal && seconds > 0) f.limit_tok_s = 1 / seconds;
  row.forecast = f;
  row.points = operating_points(model_, inventory_, *plan_, {.prompt_tokens = question_.prompt_tokens}, f);
  const Part& first = whole.devices.empty() ? *whole.host : whole.devices.front();
  row.read_bytes_per_s = first.bandwidth_gbps * kGiga;
  row.macs_per_s = std::max(first.hardware.fp16_tflops, first.hardware.fp32_tflops) * 1e12 / 2;
  if (row.tiers.size() > 1) {
    std::string where;
    for (const Tier& tier : row.tiers)
      if (tier.bytes.total() > 0)
        where += fmt::format("{}{} in {}", where.empty() ? "" : ", ", describe_bytes(tier.bytes.total()),
                             tier.name);
    say(where);
  }
  return row;
}

}  // namespace cistern::plan
