#include "plan/time_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace cistern::plan {
namespace {

constexpr double kUsableShare = 0.85;         // of a GPU's memory for weights, beside a CPU
constexpr double kExpertsPlaced = 0.9;        // of the room for experts, that people use
constexpr double kUsualTflopsPerGbps = 0.01;  // of a CPU nobody knows the peak of

constexpr std::array<std::string_view, 6> kInterfaceNames = {"auto", "cpu",    "cuda",
                                                             "rocm", "vulkan", "metal"};

// By runtime: the name in parameters, and whose kernels it has on a CPU.
struct App {
  std::string_view name;
  std::string_view flavour;
};
constexpr std::array<App, 7> kApps = {{
    {"", "main"},
    {"ik", "ik"},
    {"localscore", "main"},
    {"ollama", "main"},
    {"mlx", "main"},
    {"exl", "main"},
    {"kt", "ik"},
}};

struct VendorInterface {
  std::string_view vendor;
  Interface interface;
};
constexpr std::array<VendorInterface, 6> kVendors = {{
    {"NVIDIA", Interface::kCuda},
    {"AMD", Interface::kRocm},
    {"Apple", Interface::kMetal},
    {"Intel", Interface::kVulkan},
    {"Qualcomm", Interface::kVulkan},
    {"", Interface::kVulkan},
}};

// Small boards have GPUs that nobody computes with: kCpu.
Interface usual_interface(const System& system) {
  if (system.devices.empty() || system.cpu_cores_only) return Interface::kCpu;
  const Hardware& hardware = system.devices.front().hardware;
  const auto* const found = std::ranges::find(kVendors, hardware.vendor, &VendorInterface::vendor);
  if (found != kVendors.end()) return found->interface;
  return hardware.kind == HardwareKind::kSoc ? Interface::kCpu : Interface::kVulkan;
}

CpuSpeed cpu_speed(const System& system) {
  CpuSpeed cpu;
  if (system.host) {
    const Part& host = *system.host;
    cpu = {.architecture = host.hardware.architecture,
           // A bandwidth that was stated is that of all, with what sockets cost each other.
           .sockets = host.bandwidth_stated ? 1 : host.count,
           .bandwidth_gbps = host.bandwidth_gbps,
           .fp32_tflops = host.hardware.fp32_tflops * host.count,
           .int8_tops = host.hardware.int8_tops * host.count};
  } else if (!system.devices.empty()) {
    const Part& device = system.devices.front();
    const Hardware& hardware = device.hardware;
    const bool own = hardware.cpu_bandwidth_gbps > 0 && !device.bandwidth_stated;
    cpu = {.architecture = hardware.architecture,
           .bandwidth_gbps = own ? hardware.cpu_bandwidth_gbps : device.bandwidth_gbps,
           .fp32_tflops = hardware.cpu_fp32_tflops,
           .int8_tops = hardware.cpu_int8_tops};
  }
  if (cpu.fp32_tflops <= 0) cpu.fp32_tflops = cpu.bandwidth_gbps * kUsualTflopsPerGbps;
  if (cpu.int8_tops <= 0) cpu.int8_tops = 2 * cpu.fp32_tflops;
  // Matrix units of CPUs are left idle by most programs; vector units do four bytes where they do a float.
  cpu.int8_tops = std::min(cpu.int8_tops, 4 * cpu.fp32_tflops);
  return cpu;
}

void place(const Work& work, const System& system, TimeParts& parts) {
  parts.gpu_dense = parts.gpu_routed = 1;
  const double room = kUsableShare * static_cast<double>(system.device_bytes());
  if (!system.host || work.file_bytes <= room) return;
  const double dense_bytes = std::max(0.0, work.file_bytes - work.routed_file_bytes);
  if (work.routed_file_bytes <= 0) {
    parts.gpu_dense = room / work.file_bytes;
    parts.gpu_routed = 0;
    return;
  }
  parts.gpu_dense = dense_bytes > 0 ? std::min(1.0, room / dense_bytes) : 1;
  const double left = std::max(0.0, room - dense_bytes);
  parts.gpu_routed = kExpertsPlaced * std::min(1.0, left / work.routed_file_bytes);
}

}  // namespace

std::string_view interface_name(Interface interface) {
  return kInterfaceNames[static_cast<std::size_t>(interface)];
}

Result<TimeParts> time_parts(const Work& work, const System& system, const Backend& backend) {
  const App& app = kApps[static_cast<std::size_t>(backend.runtime)];
  TimeParts parts{.interface = backend.interface, .app = app.name, .flavour = app.flavour};
  if (parts.interface == Interface::kAutomatic) parts.interface = usual_interface(system);
  if (system.cpu_cores_only || system.devices.empty()) parts.interface = Interface::kCpu;
  if (parts.interface != Interface::kCpu) {
    parts.gpu = &system.devices.front();
    if (parts.gpu->bandwidth_gbps <= 0 || parts.gpu->count < 1)
      return fail(ErrorCode::kUsage,
                  fmt::format("the bandwidth of '{}' is unknown", parts.gpu->hardware.name));
    parts.gpu_bytes = static_cast<double>(system.device_bytes());
    place(work, system, parts);
  }
  if (parts.gpu_dense < 1 || parts.gpu_routed < 1) {
    parts.cpu = cpu_speed(system);
    if (parts.cpu->bandwidth_gbps <= 0)
      return fail(ErrorCode::kUsage, fmt::format("'{}' has no memory of a known bandwidth", system.name));
  }
  return parts;
}

}  // namespace cistern::plan
