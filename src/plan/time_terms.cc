// The kinds of work of a token and how each is named: what a term's ideal time is, and which parameters its
// multiple is made of.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <optional>

#include "plan/time_parts.h"

namespace cistern::plan {
namespace {

constexpr double kGiga = 1e9;
constexpr double kTera = 1e12;
constexpr double kLaunchSeconds = 1e-5;       // the ideal of a layer's fixed cost on a GPU
constexpr double kBarrierSeconds = 1e-4;      // and on a CPU
constexpr double kBatchTokens = 512;          // of a prompt that pass the weights together
constexpr double kMostBatchTokens = 2048;     // where people choose a larger one
constexpr double kCpuOperationsPerByte = 10;  // a CPU's usual ratio of arithmetic to bandwidth
constexpr double kOverflow = 1.05;            // of a GPU's memory: more than that is paged
constexpr double kMacsPerScoreByte = 64;      // two products of 128 values for a score of four bytes
constexpr double kUsable = 0.9;               // of a GPU's memory, when it is

constexpr std::array<std::string_view, 8> kClassNames = {"f16", "f16", "q8", "q4", "k", "iq", "iqk", "mxfp4"};

std::string_view class_name(const Work& work) {
  return kClassNames[static_cast<std::size_t>(work.weights)];
}

bool is_hbm(const Hardware& hardware) {
  return hardware.memory_type.starts_with("hbm");
}

// Collects terms; "@" in the names of factors stands for the interface, "%" for the class of the weights.
class Terms {
 public:
  Terms(std::string_view phase, std::string_view interface, std::string_view weights)
      : phase_(phase), interface_(interface), weights_(weights) {}

  // Begins a term; `with` and `when` add to it.
  Terms& add(double seconds, std::initializer_list<std::string_view> names) {
    terms_.push_back({.seconds = seconds, .factors = {}});
    for (const std::string_view name : names) with(name);
    return *this;
  }
  Terms& with(std::string_view name, double weight = 1) {
    std::string full = std::string(phase_) + ".";
    for (const char c : name) {
      if (c == '@') {
        full += interface_;
      } else if (c == '%') {
        full += weights_;
      } else {
        full += c;
      }
    }
    terms_.back().factors.push_back({.parameter = std::move(full), .weight = weight});
    return *this;
  }
  Terms& when(bool condition, std::initializer_list<std::string_view> names) {
    if (condition) {
      for (const std::string_view name : names) with(name);
    }
    return *this;
  }

  Result<std::vector<Term>> take() {
    std::erase_if(terms_, [](const Term& term) { return !(term.seconds > 0); });
    if (terms_.empty()) return fail(ErrorCode::kUsage, "there is no work to forecast the time of");
    return std::move(terms_);
  }

 private:
  std::string_view phase_;
  std::string_view interface_;
  std::string_view weights_;
  std::vector<Term> terms_;
};

// What both phases need of a GPU.
struct Gpu {
  explicit Gpu(const Part& device, Interface interface)
      : part(device), bytes_s(device.bandwidth_gbps * kGiga), fp32(fp32_of(device)) {
    fp16 = interface == Interface::kMetal ? fp32 : std::max(device.hardware.fp16_tflops * kTera, fp32);
    const double integers = device.hardware.int8_tops * kTera;
    // GeForce cards do halves with 32-bit sums at half the rate of those with 16-bit sums, which programs
    // use.
    if (device.hardware.vendor == "NVIDIA" && fp16 > fp32) fp16 = std::max(fp16, integers / 2);
    // Where integers are no faster than halves, products are computed in halves.
    if (interface != Interface::kMetal && integers > 1.01 * fp16) int8 = integers;
  }

  static double fp32_of(const Part& device) {
    constexpr double kUsualPerByte = 40;
    const double known = device.hardware.fp32_tflops * kTera;
    return known > 0 ? known : device.bandwidth_gbps * kGiga * kUsualPerByte;
  }

  const Part& part;
  double bytes_s;
  double fp32;
  double fp16;
  std::optional<double> int8;
};

void add_gpu_decode(const Work& work, const TimeParts& parts, Terms& terms) {
  const Gpu gpu(*parts.gpu, parts.interface);
  const Hardware& hardware = gpu.part.hardware;
  const std::string arch = "arch." + hardware.architecture, app = "app." + std::string(parts.app);
  const bool moe = work.routed_file_bytes > 0, has_app = !parts.app.empty(), hbm = is_hbm(hardware);
  const double dense = parts.gpu_dense, routed = parts.gpu_routed, any = std::max(dense, routed);
  terms.add(work.dense_read_bytes * dense / gpu.bytes_s, {"weights", "weights.@", "weights.@.%", arch})
      .when(hbm, {"weights.hbm"})
      .when(has_app, {app});
  terms
      .add(work.routed_read_bytes * routed / gpu.bytes_s,
           {"weights", "weights.@", "weights.@.%", arch, "moe.weights", "moe.weights.@"})
      .when(hbm, {"weights.hbm"})
      .when(has_app, {app})
      .when(work.weights == WeightClass::kBfloat16, {"moe.weights.@.bf16"});
  terms
      .add(2 * (work.dense_macs * dense + work.routed_macs * routed) / gpu.fp32,
           {"alu", "alu.@", "alu.%", "alu.@.%"})
      .when(has_app, {app});
  terms.add(work.layers * any * kLaunchSeconds, {"layer", "layer.@", "layer." + hardware.architecture})
      .when(moe, {"layer.moe", "layer.moe.@"})
      .when(hbm, {"layer.hbm"})
      .when(gpu.part.count > 1, {"layer.several"})
      .when(has_app, {app});
  terms.add(work.recurrent_layers * any * kLaunchSeconds, {"recurrent", "recurrent.@"});
  terms.add(work.kv_bytes / gpu.bytes_s, {"kv", "kv.@"})
      .when(!work.flash_attention, {"kv.plain", "kv.plain.@"})
      .when(work.latent_attention, {"kv.latent"});
  terms.add(2 * work.attention_macs / gpu.fp32, {"attention", "attention.@"})
      .when(!work.flash_attention, {"attention.plain", "attention.plain.@"})
      .when(work.latent_attention, {"attention.latent", "attention.latent.@"});
  // A model that is larger than the memory, with no CPU to take a part: paged over the link.
  if (!parts.cpu && hardware.kind == HardwareKind::kGpu && hardware.link_gbps > 0 &&
      work.file_bytes > kOverflow * parts.gpu_bytes) {
    const double paged = 1 - kUsable * parts.gpu_bytes / work.file_bytes;
    terms.add((work.dense_read_bytes + work.routed_read_bytes) * paged / (hardware.link_gbps * kGiga),
              {"paged"});
  }
}

// Decoding keeps few cores busy: users choose threads to saturate the memory, so a CPU's arithmetic counts by
// its bandwidth, and only in part by its peak.
void add_cpu_decode(const Work& work, const TimeParts& parts, Terms& terms) {
  const CpuSpeed& cpu = *parts.cpu;
  const bool moe = work.routed_file_bytes > 0, hybrid = parts.gpu != nullptr;
  const std::string arch = "cpu.arch." + cpu.architecture, flavour(parts.flavour);
  const std::string by_flavour = "cpu.alu." + flavour, by_class = by_flavour + ".%";
  const double dense = 1 - parts.gpu_dense, routed = 1 - parts.gpu_routed;
  const double bytes_s = cpu.bandwidth_gbps * kGiga;
  terms
      .add((work.dense_read_bytes * dense + work.routed_read_bytes * routed) / bytes_s, {"cpu.weights", arch})
      .with("cpu.weights.size", std::log(cpu.bandwidth_gbps / 100))
      .when(cpu.sockets > 1, {"cpu.weights.sockets"})
      .when(moe, {"cpu.weights.moe"})
      .when(hybrid, {"cpu.weights.hybrid"});
  if (!parts.app.empty() && parts.app != "ik") terms.with("cpu.app." + std::string(parts.app));
  terms
      .add(2 * (work.dense_macs * dense + work.routed_macs * routed) / (bytes_s * kCpuOperationsPerByte),
           {"cpu.alu", "cpu.alu.%", by_flavour, by_class, arch})
      .with("cpu.alu.size", std::log(cpu.fp32_tflops * kTera / (bytes_s * kCpuOperationsPerByte)))
      .when(hybrid, {"cpu.alu.hybrid"})
      .when(moe, {"cpu.alu.moe"});
  terms.add(work.layers * kBarrierSeconds, {"cpu.layer"}).when(hybrid, {"cpu.layer.hybrid"});
  if (!hybrid) terms.add(work.kv_bytes / bytes_s, {"cpu.kv"});
}

// Several GPUs with a part of the layers each: what they gain when batches of a prompt follow each other.
double pipelined(double devices, double prompt_tokens) {
  const double batches = std::max(1.0, prompt_tokens / kBatchTokens);
  return devices * batches / (batches + devices - 1);
}

void add_gpu_prompt(const Work& work, const TimeParts& parts, Terms& terms) {
  const Gpu gpu(*parts.gpu, parts.interface);
  const Hardware& hardware = gpu.part.hardware;
  const bool moe = work.routed_file_bytes > 0;
  const std::string arch = "arch." + hardware.architecture, app = "app." + std::string(parts.app);
  const double operations = 2 * (work.dense_macs * parts.gpu_dense + work.routed_macs * parts.gpu_routed);
  const double gain = pipelined(gpu.part.count, work.prompt_tokens);
  const bool halves = class_name(work) == "f16" || !gpu.int8;
  const auto products = [&](double seconds, std::initializer_list<std::string_view> names, bool waits) {
    terms.add(seconds, names)
        .with(arch)
        .when(!parts.app.empty(), {app})
        .when(moe, {"moe", "moe.@"})
        .when(moe && work.weights == WeightClass::kBfloat16, {"moe.@.bf16"})
        .when(waits, {"pipe"});
    if (waits) terms.with("pipe.size", std::log((work.dense_macs + work.routed_macs) / 1e10));
  };
  const auto all_products = [&](double share, bool waits) {
    if (halves) {
      products(share * operations / gpu.fp16, {"halves", "halves.@", "halves.@.%"}, waits);
    } else {
      products(share * operations / *gpu.int8, {"integers", "integers.@", "integers.@.%"}, waits);
    }
    products(share * operations / gpu.fp32, {"floats", "floats.@", "floats.@.%"}, waits);
  };
  all_products(1 / gain, false);
  if (gain > 1) all_products(1 - 1 / gain, true);
  const double batch = std::clamp(work.prompt_tokens, 1.0, kMostBatchTokens);
  const double routed = moe ? work.routed_file_bytes * parts.gpu_routed : 0;
  terms
      .add((work.dense_read_bytes * parts.gpu_dense + routed) / gpu.bytes_s / batch, {"weights", "weights.@"})
      .when(moe, {"weights.moe", "weights.moe.@"});
  terms.add(work.layers * kLaunchSeconds / batch, {"layer", "layer.@"});
  terms.add(2 * work.prompt_attention_macs / gain / gpu.fp16, {"attention", "attention.@"})
      .when(!work.flash_attention, {"attention.plain", "attention.plain.@"})
      .when(work.latent_attention, {"attention.latent", "attention.latent.@"});
  // Without flash attention, the scores of all heads go through memory.
  if (!work.flash_attention) {
    terms.add(work.prompt_attention_macs / kMacsPerScoreByte / gain / gpu.bytes_s, {"scores", "scores.@"});
  }
}

void add_cpu_prompt(const Work& work, const TimeParts& parts, Terms& terms) {
  const CpuSpeed& cpu = *parts.cpu;
  const std::string flavour = "cpu." + std::string(parts.flavour), by_class = flavour + ".%";
  const double dense = 1 - parts.gpu_dense, routed = 1 - parts.gpu_routed;
  terms
      .add(2 * (work.dense_macs * dense + work.routed_macs * routed) / (cpu.int8_tops * kTera),
           {"cpu", flavour, by_class, "cpu.arch." + cpu.architecture})
      .when(work.routed_file_bytes > 0, {"cpu.moe"})
      .when(parts.gpu != nullptr, {"cpu.hybrid"});
  const double batch = std::clamp(work.prompt_tokens, 1.0, kBatchTokens);
  const double read = work.routed_file_bytes * routed + (work.file_bytes - work.routed_file_bytes) * dense;
  terms.add(read / (cpu.bandwidth_gbps * kGiga) / batch, {"cpu.weights"});
}

}  // namespace

Result<std::vector<Term>> decode_terms(const Work& work, const System& system, const Backend& backend) {
  CISTERN_TRY(const TimeParts parts, time_parts(work, system, backend));
  Terms terms("decode", interface_name(parts.interface), class_name(work));
  if (parts.gpu != nullptr) add_gpu_decode(work, parts, terms);
  if (parts.cpu) add_cpu_decode(work, parts, terms);
  return terms.take();
}

Result<std::vector<Term>> prompt_terms(const Work& work, const System& system, const Backend& backend) {
  CISTERN_TRY(const TimeParts parts, time_parts(work, system, backend));
  Terms terms("prompt", interface_name(parts.interface), class_name(work));
  if (parts.gpu != nullptr) add_gpu_prompt(work, parts, terms);
  if (parts.cpu) add_cpu_prompt(work, parts, terms);
  return terms.take();
}

std::vector<std::string> width_groups(const Work& work, const System& system, const Backend& backend) {
  const auto parts = time_parts(work, system, backend);
  if (!parts) return {"all"};
  const std::string_view where = parts->gpu == nullptr ? "cpu"
                                 : parts->cpu          ? "hybrid"
                                                       : interface_name(parts->interface);
  const std::string_view kind = work.routed_file_bytes > 0 ? "moe" : "dense";
  std::vector<std::string> groups;
  if (!parts->app.empty()) groups.push_back(fmt::format("app.{}", parts->app));
  groups.push_back(fmt::format("{}.{}", where, kind));
  groups.emplace_back(kind);
  groups.emplace_back("all");
  return groups;
}

}  // namespace cistern::plan
