// Options that several commands share, each declared once: which model and how to load it, sampling, output.
// A command keeps the structs it wants, add_*() hangs the options into its part of the command line, and the
// conversions give the engine's option structs or a kUsage error that names the option.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "tools/cli.h"

namespace cistern::tools {

struct ModelFlags {
  std::string model;
  std::string pre;
};
// The positional MODEL (or `name`), --pre.
CLI::Option* add_model_flags(CLI::App& app, ModelFlags& flags, const std::string& name = "MODEL");
engine::OpenOptions open_options(const ModelFlags& flags);

struct LoadFlags {
  int threads = 0;
  std::string isa;
  std::uint32_t context_tokens = 0;
  std::string kv = "f16";
  std::string memory;
  std::vector<std::string> adapters;  // "FILE" or "FILE:SCALE"
};
// --threads, --isa, --ctx, --kv, --memory
void add_load_flags(CLI::App& app, LoadFlags& flags);
// --lora
void add_adapter_flags(CLI::App& app, LoadFlags& flags);
Result<engine::LoadOptions> load_options(const LoadFlags& flags);

struct SamplingFlags {
  std::vector<std::function<void(sample::SamplerOptions&)>> given;  // what the command line changes, in order
  std::optional<std::uint64_t> seed;
  std::vector<std::string> logit_bias;    // "ID=AMOUNT"
  std::vector<std::string> dry_breakers;  // texts
};
// --temp, --top-k, ... --seed
void add_sampling_flags(CLI::App& app, SamplingFlags& flags);
// The model's own defaults (general.sampling.*; greedy for the guide), changed by the command line. Without
// --seed a random one is chosen.
Result<sample::SamplerOptions> sampler_options(const SamplingFlags& flags, const engine::OpenModel& model);

struct DraftFlags {
  std::string draft_model;
  bool off = false;

  // Whether a layer of the model that predicts further tokens has work.
  bool uses_mtp() const { return !off && draft_model.empty(); }
};
// --draft-model, --no-draft
void add_draft_flags(CLI::App& app, DraftFlags& flags);
// Gives the engine its draft model, where one is asked for.
Result<void> load_draft_model(const DraftFlags& flags, const LoadFlags& load, engine::Engine& engine);

struct OutputFlags {
  bool stats = false;
  bool verbose = false;
  bool no_ledger = false;
  std::string color = "auto";
};
// --no-ledger
CLI::Option* add_ledger_flag(CLI::App& app, bool& off);
// --stats, --verbose, --no-ledger, --color
void add_output_flags(CLI::App& app, OutputFlags& flags);

// "512MiB", "3GB", "1.5 GiB", "4096" (bytes). Decimal and binary units; a bare letter is refused.
Result<std::uint64_t> parse_bytes(const std::string& text);

// "FILE", or "FILE:SCALE" where what follows the last colon is a number.
Result<engine::AdapterOptions> parse_adapter(const std::string& text);

// "f32" ... "q4_0"; nothing for other names.
std::optional<DType> parse_kv_type(const std::string& name);

}  // namespace cistern::tools
