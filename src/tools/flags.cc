#include "tools/flags.h"

#include "tools/streaming_view.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "sys/cpu_features.h"

namespace cistern::tools {
namespace {

constexpr const char* kLoadingGroup = "Loading";

struct KvTypeRow {
  const char* name;
  DType dtype;
};
constexpr std::array kKvTypes = {
    KvTypeRow{"f32", DType::kF32},   KvTypeRow{"f16", DType::kF16},   KvTypeRow{"bf16", DType::kBF16},
    KvTypeRow{"q8_0", DType::kQ8_0}, KvTypeRow{"q4_0", DType::kQ4_0},
};

struct UnitRow {
  const char* name;
  double bytes;
};
constexpr std::array kUnits = {
    UnitRow{"", 1},         UnitRow{"B", 1},        UnitRow{"kB", 1e3},     UnitRow{"KB", 1e3},
    UnitRow{"MB", 1e6},     UnitRow{"GB", 1e9},     UnitRow{"TB", 1e12},    UnitRow{"KiB", 0x1p10},
    UnitRow{"MiB", 0x1p20}, UnitRow{"GiB", 0x1p30}, UnitRow{"TiB", 0x1p40},
};

}  // namespace

CLI::Option* add_model_flags(CLI::App& app, ModelFlags& flags, const std::string& name) {
  CLI::Option* model = app.add_option(name, flags.model, "Model: a path, the beginning of a name, or guide")
                           ->type_name("MODEL");
  app.add_option("--pre", flags.pre, "Use this pre-tokenizer instead of the one that the file names")
      ->type_name("NAME")
      ->group(kLoadingGroup);
  return model;
}

engine::OpenOptions open_options(const ModelFlags& flags) {
  engine::OpenOptions options;
  options.model = flags.model;
  options.pre_override = flags.pre;
  return options;
}

void add_load_flags(CLI::App& app, LoadFlags& flags) {
  app.add_option("--threads", flags.threads, "Threads to compute with [one per physical core]")
      ->type_name("N")
      ->check(CLI::Range(1, 1024).description(""))
      ->group(kLoadingGroup);
  std::vector<std::string> isas;
  for (const sys::Isa isa : sys::kAllIsas) isas.emplace_back(sys::name_of(isa));
  add_choice(app, "--isa", flags.isa, isas, "Instruction set of the kernels [the best of this machine]")
      ->group(kLoadingGroup);
  app.add_option("--ctx", flags.context_tokens,
                 "Context length in tokens, taken while loading [as long as the run needs and memory allows]")
      ->type_name("N")
      ->check(CLI::Range(1U, 1U << 30U).description(""))
      ->group(kLoadingGroup);
  std::vector<std::string> types;
  for (const KvTypeRow& row : kKvTypes) types.emplace_back(row.name);
  add_choice(app, "--kv", flags.kv, types, "Type of the KV cache [" + flags.kv + "]")->group(kLoadingGroup);
  app.add_option("--memory", flags.memory,
                 "Use no more memory than this, 3GB or 512MiB, and run from disk what does not fit [what the "
                 "machine allows]")
      ->type_name("SIZE")
      ->group(kLoadingGroup);
}

void add_adapter_flags(CLI::App& app, LoadFlags& flags) {
  app.add_option("--lora", flags.adapters,
                 "Run the model with this LoRA adapter (GGUF); FILE:0.5 applies half of it; may be repeated")
      ->type_name("FILE")
      ->allow_extra_args(false)
      ->group(kLoadingGroup);
}

Result<engine::AdapterOptions> parse_adapter(const std::string& text) {
  engine::AdapterOptions adapter{.path = text};
  const std::size_t colon = text.rfind(':');
  if (colon != std::string::npos) {
    const char* begin = text.data() + colon + 1;
    const char* end = text.data() + text.size();
    float scale = 0;
    const auto parsed = std::from_chars(begin, end, scale);
    if (begin != end && parsed.ptr == end) {
      if (parsed.ec != std::errc() || !std::isfinite(scale)) {
        return fail(ErrorCode::kUsage,
                    fmt::format("'{}' is no scale; write a number like 0.5", std::string(begin, end)));
      }
      adapter.scale = scale;
      adapter.path.resize(colon);
    }
  }
  if (adapter.path.empty())
    return fail(ErrorCode::kUsage, fmt::format("'{}' names no file; write FILE or FILE:SCALE", text));
  return adapter;
}

std::optional<DType> parse_kv_type(const std::string& name) {
  for (const KvTypeRow& row : kKvTypes) {
    if (name == row.name) return row.dtype;
  }
  return std::nullopt;
}

Result<std::uint64_t> parse_bytes(const std::string& text) {
  double amount = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, amount);
  std::string_view unit = parsed.ec == std::errc() ? std::string_view(parsed.ptr, end) : "?";
  if (unit.starts_with(' ')) unit.remove_prefix(1);
  for (const UnitRow& row : kUnits) {
    if (unit != row.name) continue;
    const double bytes = amount * row.bytes;
    if (std::isfinite(bytes) && bytes >= 1 && bytes < 0x1p62) return static_cast<std::uint64_t>(bytes);
  }
  return fail(ErrorCode::kUsage,
              fmt::format("'{}' is no size; write 512MiB, 3GB or a number of bytes", text));
}

Result<engine::LoadOptions> load_options(const LoadFlags& flags) {
  engine::LoadOptions options;
  options.threads = flags.threads;
  if (flags.context_tokens > 0) options.context_tokens = flags.context_tokens;
  if (const auto type = parse_kv_type(flags.kv)) options.kv_type = *type;
  if (!flags.isa.empty()) {
    CISTERN_TRY(options.isa, sys::parse_isa(flags.isa));
  }
  if (!flags.memory.empty()) {
    auto bytes = parse_bytes(flags.memory);
    if (!bytes) return fail(ErrorCode::kUsage, bytes.error().message, "--memory");
    options.memory_bytes = *bytes;
  }
  for (const std::string& text : flags.adapters) {
    auto adapter = parse_adapter(text);
    if (!adapter) return fail(ErrorCode::kUsage, adapter.error().message, "--lora");
    options.adapters.push_back(*std::move(adapter));
  }
  show_streaming(options);
  return options;
}

void add_draft_flags(CLI::App& app, DraftFlags& flags) {
  CLI::Option* model =
      app.add_option(
             "--draft-model", flags.draft_model,
             "A smaller model of the same vocabulary that guesses tokens for MODEL to check [repetitions "
             "are guessed, and what a layer of MODEL predicts]")
          ->type_name("MODEL")
          ->group(kLoadingGroup);
  app.add_flag("--no-draft", flags.off, "Do not guess tokens; the answer is the same, only later")
      ->excludes(model)
      ->group(kLoadingGroup);
}

Result<void> load_draft_model(const DraftFlags& flags, const LoadFlags& load, engine::Engine& engine) {
  if (flags.draft_model.empty()) return {};
  CISTERN_TRY(engine::OpenModel draft, engine::open_model({.model = flags.draft_model}));
  CISTERN_TRY_VOID(engine::require_generator(draft));
  CISTERN_TRY(const engine::LoadOptions options, load_options(load));
  return engine.set_draft_model(std::move(draft), options);
}

CLI::Option* add_ledger_flag(CLI::App& app, bool& off) {
  return app.add_flag("--no-ledger", off,
                      "Do not note forecast and outcome, numbers only, for cistern plan --score");
}

void add_output_flags(CLI::App& app, OutputFlags& flags) {
  constexpr const char* kGroup = "Output";
  app.add_flag("--stats", flags.stats, "Print speed and memory to stderr, also where that is no terminal")
      ->group(kGroup);
  app.add_flag("--verbose", flags.verbose, "Print the memory plan and what computes to stderr")
      ->group(kGroup);
  add_ledger_flag(app, flags.no_ledger)->group(kGroup);
  add_choice(app, "--color", flags.color, {"auto", "always", "never"},
             "Colours [auto: on a terminal without NO_COLOR]")
      ->group(kGroup);
}

}  // namespace cistern::tools
