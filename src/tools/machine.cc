#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "plan/memory_plan.h"
#include "sys/memory_limits.h"
#include "sys/topology.h"
#include "tools/commands.h"
#include "tools/flags.h"
#include "tools/json_out.h"
#include "tools/machine_cache.h"
#include "tools/machine_figures.h"
#include "tools/output.h"
#include "tools/progress.h"

namespace cistern::tools {
namespace {

struct MachineOptions {
  int threads = 0;
  std::string isa;
  std::string memory = "1GiB";
  double seconds = 8;
  std::string disk;
  bool no_disk = false;
  bool refresh = false;
  bool json = false;
  std::string color = "auto";
};

// What is known without measuring.
struct Description {
  sys::Topology topology;
  sys::MemoryLimits memory;
  sys::Isa isa = sys::Isa::kScalar;
  bool forced = false;
  int threads = 1;
};

Result<Description> describe_machine(const MachineOptions& options) {
  Description found{.topology = sys::read_topology(), .memory = sys::read_memory_limits()};
  std::optional<sys::Isa> forced;
  if (!options.isa.empty()) {
    CISTERN_TRY(forced, sys::parse_isa(options.isa));
  }
  found.forced = forced.has_value();
  CISTERN_TRY(found.isa, sys::choose_isa(forced));
  found.threads = options.threads > 0 ? options.threads : sys::usable_cores();
  return found;
}

// What figures depend on. Memory that is free at the moment is not part of it.
boost::json::object cache_key(const Description& d, const MachineMeasuring& m) {
  constexpr int kFormat = 2;
  const auto quota = sys::cpu_quota();
  return {{"format", kFormat},
          {"processor", d.topology.processor},
          {"cores", d.topology.cores},
          {"hardware_threads", d.topology.hardware_threads},
          {"quota", quota ? fmt::format("{:.2f}", *quota) : "none"},
          {"ram_bytes", d.memory.physical_bytes},
          {"isa", sys::name_of(d.isa)},
          {"threads", m.threads},
          {"memory_bytes", m.memory_bytes},
          {"seconds", fmt::format("{}", m.seconds)},
          {"disk", m.disk}};
}

boost::json::object description_json(const Description& d) {
  const auto or_null = [](const auto& value) {
    return value ? boost::json::value(*value) : boost::json::value();
  };
  boost::json::array isas;
  for (const sys::Isa isa : sys::kAllIsas) {
    if (sys::host_has(isa)) isas.push_back(boost::json::value(sys::name_of(isa)));
  }
  boost::json::array caches;
  for (const sys::Cache& c : d.topology.caches) {
    caches.push_back({{"level", c.level}, {"bytes", c.bytes}, {"count", c.count}});
  }
  return {{"isa", sys::name_of(d.isa)},
          {"isa_forced", d.forced},
          {"isas", isas},
          {"processor", d.topology.processor},
          {"packages", d.topology.packages},
          {"cores", d.topology.cores},
          {"hardware_threads", d.topology.hardware_threads},
          {"memory_nodes", d.topology.memory_nodes},
          {"caches", caches},
          {"cpu_quota", or_null(sys::cpu_quota())},
          {"ram",
           {{"physical_bytes", d.memory.physical_bytes},
            {"available_bytes", d.memory.available_bytes},
            {"cgroup_bytes", or_null(d.memory.cgroup_bytes)},
            {"address_space_bytes", or_null(d.memory.address_space_bytes)},
            {"budget_bytes", d.memory.budget_bytes()}}}};
}

std::string counted(int n, std::string_view what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

std::string description_text(const Description& d) {
  const sys::Topology& t = d.topology;
  std::string text =
      fmt::format("processor  {}: {}, {}, {}\n", t.processor.empty() ? "unknown" : printable(t.processor),
                  counted(t.cores, "core"), counted(t.hardware_threads, "hardware thread"),
                  counted(t.memory_nodes, "memory node"));
  std::vector<std::string> caches;
  for (const sys::Cache& c : t.caches) {
    caches.push_back(fmt::format("{} x L{} {}", c.count, c.level, plan::describe_bytes(c.bytes)));
  }
  if (!caches.empty()) text += fmt::format("caches     {}\n", fmt::join(caches, ", "));
  std::vector<std::string_view> isas;
  for (const sys::Isa isa : sys::kAllIsas) {
    if (sys::host_has(isa)) isas.push_back(sys::name_of(isa));
  }
  text += fmt::format("isa        {} ({}this machine has {})\n", sys::name_of(d.isa),
                      d.forced ? "forced; " : "", fmt::join(isas, ", "));
  text += fmt::format("memory     {}, {} of it available; budget {}\n",
                      plan::describe_bytes(d.memory.physical_bytes),
                      plan::describe_bytes(d.memory.available_bytes), d.memory.describe());
  if (const auto quota = sys::cpu_quota()) text += fmt::format("quota      {:.2f} processors\n", *quota);
  return text;
}

std::string figures_text(const MachineFigures& f, std::uint64_t cache_bytes) {
  std::string text = fmt::format("disk       {}{}\n",
                                 f.disk ? fmt::format("{:.2f} GB/s, {:.2f} ms a small read, ",
                                                      f.disk->bytes_per_s / 1e9, 1e3 * f.disk->latency_s)
                                        : "",
                                 printable(f.disk_note));
  text += "\nthreads    reads      int8      bf16       f32\n";
  for (const ThreadFigures& t : f.by_threads) {
    text += fmt::format("{:>7} {:>8.1f} {:>9.0f} {:>9.0f} {:>9.0f}\n", t.threads, t.read_gbps, t.int8_gmacs,
                        t.bf16_gmacs, t.f32_gmacs);
  }
  text += fmt::format("reads in GB/s ({});\nothers in 1e9 multiply-accumulates per second ({}; {}; {})\n",
                      f.read_pattern, f.int8_instructions, f.bf16_instructions, f.f32_instructions);
  text += "\ntype       one token  many tokens\n";
  for (const TypeFigures& t : f.by_type)
    text += fmt::format("{:<9} {:>10.1f} {:>12.0f}\n", t.type, t.decode_gbps, t.prefill_gmacs);
  text += "weights in cache, in GB/s; 1e9 multiply-accumulates per second\n";
  if (f.memory_bytes < 4 * cache_bytes) {
    text +=
        fmt::format("only {} could be read from: caches have helped\n", plan::describe_bytes(f.memory_bytes));
  }
  return text;
}

// The cache's own folder: of the user, and on a disk more often than the temporary one is.
std::string default_disk_folder(const std::string& cache) {
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::path(cache).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (!folder.empty() && !error) return folder.string();
  return std::filesystem::temp_directory_path(error).string();
}

Result<int> machine(const MachineOptions& options) {
  CISTERN_TRY(const Description description, describe_machine(options));
  const std::string cache = machine_cache_path();
  Progress progress("measuring", 1);
  MachineMeasuring measuring{.threads = description.threads,
                             .isa = description.isa,
                             .seconds = options.seconds,
                             .disk = options.no_disk ? "" : options.disk,
                             .progress = [&progress](const std::string& what) { progress.say(what); }};
  auto memory = parse_bytes(options.memory);
  if (!memory) return fail(ErrorCode::kUsage, memory.error().message, "--memory");
  measuring.memory_bytes = *memory;
  if (!options.no_disk && options.disk.empty()) measuring.disk = default_disk_folder(cache);
  const boost::json::object key = cache_key(description, measuring);
  std::optional<MachineFigures> figures;
  if (!options.refresh) figures = read_machine_cache(cache, key);
  const bool cached = figures.has_value();
  bool kept = cached;
  if (!cached) {
    CISTERN_TRY(figures, measure_machine(measuring));
    kept = write_machine_cache(cache, key, *figures);
  }
  if (options.json) {
    boost::json::object report = description_json(description);
    for (const auto& [name, value] : figures_json(*figures)) report[name] = value;
    report["cached"] = cached;
    CISTERN_TRY_VOID(write_stdout(to_json(report) + "\n"));
    return 0;
  }
  std::string text =
      description_text(description) + figures_text(*figures, description.topology.last_cache_bytes());
  text += cached ? fmt::format("from {}; --refresh measures again\n", printable(cache))
                 : fmt::format("measured in {:.1f} s{}\n", figures->seconds,
                               kept ? fmt::format(", kept in {}", printable(cache)) : "");
  CISTERN_TRY_VOID(write_stdout(text));
  return 0;
}

}  // namespace

void add_machine(Cli& cli) {
  auto options = std::make_shared<MachineOptions>();
  CLI::App& app = cli.add(
      {.name = "machine",
       .summary = "Show what this machine can do: instruction sets, memory, bandwidth, arithmetic",
       .description = "Shows what Cistern finds on this machine, and measures what limits every model: how "
                      "fast its threads "
                      "read memory, how fast they multiply, how fast the disk is. The best of several access "
                      "patterns and "
                      "instructions counts. Generating a token of a model cannot be faster than its bytes "
                      "can be read.\n\n"
                      "Takes about ten seconds; the figures are kept in the user's cache folder. On shared "
                      "machines they "
                      "change within minutes: cistern bench measures them again beside every figure.",
       .examples = {{"cistern machine", "everything, for people"},
                    {"cistern machine --refresh --json | jq .read_gbps", "measured again, for programs"},
                    {"cistern machine --isa avx2 --threads 1", "one instruction set, one thread"},
                    {"cistern machine --disk model.gguf", "of the disk that holds a model"}}},
      [options] { return machine(*options); });
  app.add_option("--threads", options->threads, "Threads to measure with, at most [one per physical core]")
      ->type_name("N")
      ->check(CLI::Range(1, 1024).description(""));
  std::vector<std::string> isas;
  for (const sys::Isa isa : sys::kAllIsas) isas.emplace_back(sys::name_of(isa));
  add_choice(app, "--isa", options->isa, isas, "Instruction set to measure [the best of this machine]");
  app.add_option("--memory", options->memory, "Memory to read from; much more than the caches [1GiB]")
      ->type_name("SIZE");
  app.add_option("--seconds", options->seconds, "About how long to measure [8]")
      ->type_name("S")
      ->check(CLI::Range(0.001, 600.0).description(""));
  app.add_option("--disk", options->disk,
                 "File to read, or folder to write one in for a moment [the cache folder]")
      ->type_name("PATH");
  app.add_flag("--no-disk", options->no_disk, "Leave the disk alone");
  app.add_flag("--refresh", options->refresh, "Measure again, whatever is known");
  app.add_flag("--json", options->json, "Print one JSON document");
  add_choice(app, "--color", options->color, {"auto", "always", "never"}, "Colours of messages [auto]");
}

}  // namespace cistern::tools
