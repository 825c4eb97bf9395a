// cistern bench: how fast a model runs on this machine, and how much of what the machine can do that is.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "ops/machine_probe.h"
#include "sys/disk_speed.h"
#include "sys/memory_limits.h"
#include "sys/topology.h"
#include "tools/bench_report.h"
#include "tools/commands.h"
#include "tools/flags.h"
#include "tools/interrupt.h"
#include "tools/json_out.h"
#include "tools/machine_figures.h"
#include "tools/model_report.h"
#include "tools/out_file.h"
#include "tools/output.h"
#include "tools/progress.h"
#include "tools/scored_forecast.h"

namespace cistern::tools {
namespace {

constexpr std::uint32_t kMostTokens = 1U << 20U;
// What measuring the disk takes while a model is loaded.
constexpr std::uint64_t kDiskProbeBytes = 24ULL << 20U;
constexpr std::uint32_t kMostBatch = 256;

struct BenchFlags {
  ModelFlags model;
  LoadFlags load;
  std::vector<std::uint32_t> depths = {0};
  std::vector<std::uint32_t> batches = {1};
  std::uint32_t prompt_tokens = 512;
  std::uint32_t generated_tokens = 32;
  int repetitions = 5;
  bool no_ledger = false;
  bool json = false;
  bool csv = false;
  std::string html;
};

std::vector<BenchCase> cases_of(const BenchFlags& flags) {
  std::vector<BenchCase> cases;
  for (const std::uint32_t depth : flags.depths) {
    if (flags.prompt_tokens > 0) {
      cases.push_back({.what = BenchCase::What::kPrefill, .depth = depth, .tokens = flags.prompt_tokens});
    }
    if (flags.generated_tokens == 0) continue;
    for (const std::uint32_t batch : flags.batches) {
      cases.push_back({.depth = depth, .batch = batch, .tokens = flags.generated_tokens});
    }
  }
  return cases;
}

Result<engine::LoadOptions> load_options_of(const BenchFlags& flags, std::uint32_t model_context) {
  CISTERN_TRY(engine::LoadOptions load, load_options(flags.load));
  const std::uint32_t depth = *std::ranges::max_element(flags.depths);
  const std::uint32_t needed = depth + std::max(flags.prompt_tokens, flags.generated_tokens);
  if (needed > model_context) {
    return fail(ErrorCode::kUsage,
                fmt::format("a depth of {} and {} more tokens need a context of {}, but the model "
                            "was made for at most {}: use a smaller --depth",
                            depth, needed - depth, needed, model_context));
  }
  load.context_tokens = needed;
  load.reserved_bytes = kDiskProbeBytes;
  load.sequences = flags.generated_tokens > 0 ? *std::ranges::max_element(flags.batches) : 1;
  return load;
}

// Much larger than any last-level cache but the largest, and small beside a model worth measuring: less where
// memory is short.
constexpr std::uint64_t kProbeBytes = 512ULL << 20U;
constexpr std::uint64_t kLeastProbeBytes = 64ULL << 20U;
constexpr std::uint64_t kProbeShare = 32;  // of the memory
constexpr double kSearchSeconds = 0.02;    // per access pattern
constexpr double kSampleSeconds = 0.06;
constexpr double kDiskSeconds = 0.25;

// Of the disk that holds the model; 0 where there is none to measure (the embedded model).
double disk_gbps_of(const std::string& path, const sys::DiskReading& reading) {
  const auto speed = sys::measure_disk(path, reading);
  return speed ? speed->bytes_per_s / 1e9 : 0;
}

// The limits of the machine, measured with threads of their own.
class Prober {
 public:
  static Result<std::unique_ptr<Prober>> create(sys::Isa isa, int threads) {
    auto pool = std::make_unique<sys::ThreadPool>(threads);
    const std::uint64_t share = sys::read_memory_limits().budget_bytes() / kProbeShare;
    const std::uint64_t wanted = std::clamp(share, kLeastProbeBytes, kProbeBytes);
    CISTERN_TRY(ops::ProbeMemory memory,
                ops::ProbeMemory::create(*pool, probe_memory_bytes(wanted), ops::ProbeMemory::Pages::kHuge));
    return std::unique_ptr<Prober>(new Prober(std::move(pool), std::move(memory), isa));
  }

  MachineLimits limits(const std::string& model_path) {
    return {.read_gbps = [this] { return read_.sample(kSampleSeconds) / 1e9; },
            .gmacs =
                [this](kernels::Arithmetic arithmetic) {
                  return peaks_[static_cast<std::size_t>(arithmetic)].sample(kSampleSeconds) / 1e9;
                },
            .disk_gbps = [model_path] { return disk_gbps_of(model_path, {.max_seconds = kDiskSeconds}); }};
  }

 private:
  Prober(std::unique_ptr<sys::ThreadPool> pool, ops::ProbeMemory memory, sys::Isa isa)
      : pool_(std::move(pool)), memory_(std::move(memory)), read_(*pool_, isa, memory_) {
    for (int i = 0; i < kernels::kArithmeticCount; ++i) {
      peaks_.emplace_back(*pool_, isa, static_cast<kernels::Arithmetic>(i));
    }
    read_.search(kSearchSeconds);
  }

  std::unique_ptr<sys::ThreadPool> pool_;
  ops::ProbeMemory memory_;
  ops::ReadProbe read_;
  std::vector<ops::PeakProbe> peaks_;  // by arithmetic
};

// What was measured from an empty cache, for the ledger.
void note_outcome(const engine::BenchSession& session, const spec::ModelSpec& model, double cached,
                  double disk_gbps, const std::vector<BenchResult>& results) {
  const ForecastRun run{.model = model, .inventory = session.model().inventory(), .plan = session.plan()};
  RunOutcome outcome{.load_s = session.load_s()};
  for (const BenchResult& result : results) {
    const BenchCase& c = result.measured;
    if (c.depth > 0 || c.batch > 1) continue;
    if (c.what == BenchCase::What::kDecode) {
      outcome.decode_tok_s = result.tok_s.median;
      outcome.generated_tokens = c.tokens;
    } else {
      outcome.prefill_tok_s = result.tok_s.median;
      outcome.first_token_s = c.tokens / result.tok_s.median;
      outcome.prompt_tokens = c.tokens;
    }
  }
  const ForecastOptions options{.question = {.prompt_tokens = std::max(1U, outcome.prompt_tokens),
                                             .decode_depth = outcome.generated_tokens / 2,
                                             .cached_share = cached},
                                .disk_bytes_per_s = disk_gbps * 1e9,
                                .disk_path = "",
                                .measure = !run.plan.streaming.has_value(),
                                .memory = session.model().files.files.front().bytes()};
  LocalForecaster(session.isa(), session.threads()).record(engine::LedgerKind::kBench, run, options, outcome);
}

Result<BenchReport> measure(const BenchFlags& flags) {
  CISTERN_TRY(engine::OpenModel model, engine::open_model(open_options(flags.model)));
  CISTERN_TRY_VOID(engine::require_generator(model));
  CISTERN_TRY(const spec::ModelSpec spec, spec::read_model_spec(model.inventory()));
  CISTERN_TRY(const engine::LoadOptions load, load_options_of(flags, spec.context_tokens));
  const InterruptFlag interrupt;
  Progress progress("measuring", 1000);
  progress.say("measuring the machine");
  engine::BenchOptions options{.load = load};
  options.progress = [&](std::uint32_t done, std::uint32_t of) {
    progress.say(fmt::format("reading {} of {} tokens", done, of));
  };
  const double cached = model.path == engine::kGuide ? 1 : cached_share(model.files);
  // Before the model, whose plan may take all the memory that is left.
  CISTERN_TRY(const sys::Isa isa, sys::choose_isa(load.isa));
  CISTERN_TRY(const auto prober, Prober::create(isa, load.threads > 0 ? load.threads : sys::usable_cores()));
  CISTERN_TRY(const auto session, engine::BenchSession::load(std::move(model), std::move(options)));
  const MachineLimits limits = prober->limits(session->model().path);
  const BenchPlan plan{.cases = cases_of(flags),
                       .repetitions = flags.repetitions,
                       .progress = [&](std::size_t done, std::size_t of) -> Result<void> {
                         if (interrupt.raised()) return fail(ErrorCode::kCancelled, "stopped");
                         progress.update(1000 * done / of);
                         return {};
                       }};
  CISTERN_TRY(std::vector<BenchResult> results, run_bench(*session, limits, plan));
  CISTERN_TRY_VOID(session->fill(0, 1));
  const double disk_gbps = disk_gbps_of(session->model().path, {});
  if (!flags.no_ledger) note_outcome(*session, spec, cached, disk_gbps, results);
  return BenchReport{.machine = {.read_gbps = limits.read_gbps(),
                                 .int8_gmacs = limits.gmacs(kernels::Arithmetic::kInt8),
                                 .bf16_gmacs = limits.gmacs(kernels::Arithmetic::kBf16),
                                 .f32_gmacs = limits.gmacs(kernels::Arithmetic::kFloat),
                                 .disk_gbps = disk_gbps,
                                 .isa = std::string(sys::name_of(session->isa())),
                                 .threads = session->threads()},
                     .model = {.path = session->model().path,
                               .arch = spec.arch,
                               .type = main_type_name(session->model().inventory()),
                               .bytes_per_token = session->work(1).weight_bytes,
                               .load_s = session->load_s()},
                     .results = std::move(results)};
}

Result<int> bench(const BenchFlags& flags) {
  if (flags.prompt_tokens == 0 && flags.generated_tokens == 0) {
    return fail(ErrorCode::kUsage, "--prompt 0 and --tokens 0 leave nothing to measure");
  }
  CISTERN_TRY(const BenchReport report, measure(flags));
  if (!flags.html.empty()) {
    CISTERN_TRY(OutFile out, OutFile::create(flags.html));
    const std::string page = bench_html(report);
    CISTERN_TRY_VOID(out.write(std::as_bytes(std::span(page))));
    CISTERN_TRY_VOID(out.commit());
  }
  if (flags.json) {
    CISTERN_TRY_VOID(write_stdout(to_json(bench_json(report), JsonForm::kPretty) + "\n"));
  } else {
    CISTERN_TRY_VOID(write_stdout(flags.csv ? bench_csv(report) : bench_markdown(report)));
  }
  return 0;
}

}  // namespace

void add_bench(Cli& cli) {
  auto flags = std::make_shared<BenchFlags>();
  CLI::App& app = cli.add(
      {.name = "bench",
       .summary = "Measure how fast a model runs, and how much of the machine's limit that is",
       .description =
           "Measures prefill and decoding at the depths and batch sizes asked for. Beside each repetition "
           "the "
           "machine's own limits are measured, because they change within minutes: the bandwidth of reading "
           "memory "
           "and the peak of multiplying, each the best of several ways. The share is the median over the "
           "repetitions of speed divided by limit.",
       .examples = {{"cistern bench model.gguf", "prefill of 512 tokens and decoding of 32"},
                    {"cistern bench model.gguf --depth 0,4096 --batch 1,4,16",
                     "also with 4,096 tokens in the cache, and with several sequences together"},
                    {"cistern bench model.gguf --json > bench.json", "for scripts"},
                    {"cistern bench model.gguf --html bench.html", "a page with plots"}}},
      [flags] { return bench(*flags); });
  add_model_flags(app, flags->model);
  app.add_option("--depth", flags->depths,
                 "Tokens in the cache before a measurement; several with commas [0]")
      ->type_name("N")
      ->delimiter(',')
      ->check(CLI::Range(0U, kMostTokens).description(""));
  app.add_option("--batch", flags->batches, "Sequences that decode together; several with commas [1]")
      ->type_name("N")
      ->delimiter(',')
      ->check(CLI::Range(1U, kMostBatch).description(""));
  app.add_option("--prompt", flags->prompt_tokens, "Tokens to read; 0: do not measure prefill [512]")
      ->type_name("N")
      ->check(CLI::Range(0U, kMostTokens).description(""));
  app.add_option("--tokens", flags->generated_tokens,
                 "Tokens to generate with each sequence; 0: do not measure decoding [32]")
      ->type_name("N")
      ->check(CLI::Range(0U, kMostTokens).description(""));
  app.add_option("--reps", flags->repetitions, "Repetitions, after one to warm up [5]")
      ->type_name("N")
      ->check(CLI::Range(1, 1000).description(""));
  CLI::Option* json = app.add_flag("--json", flags->json, "Print one JSON document");
  app.add_flag("--csv", flags->csv, "Print comma-separated values")->excludes(json);
  app.add_option("--html", flags->html, "Also write a page with plots")->type_name("FILE");
  add_ledger_flag(app, flags->no_ledger);
  add_load_flags(app, flags->load);
}

}  // namespace cistern::tools
