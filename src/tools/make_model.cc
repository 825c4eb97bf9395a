#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/nearest.h"
#include "engine/synthetic/model.h"
#include "engine/synthetic/shape.h"
#include "engine/synthetic/vocabulary.h"
#include "plan/memory_plan.h"
#include "quant/format.h"
#include "spec/registry.h"
#include "tools/commands.h"
#include "tools/interrupt.h"
#include "tools/json_out.h"
#include "tools/out_file.h"
#include "tools/output.h"
#include "tools/progress.h"

namespace cistern::tools {
namespace {

namespace fs = std::filesystem;

struct MakeModelOptions {
  std::string out;
  std::string shape = "tiny";
  std::string type = "Q8_0";
  std::string arch;
  std::optional<std::uint32_t> layers, dim, ffn, heads, kv_heads, head_dim, vocab, context, window, experts,
      experts_used, expert_ffn, shared_experts;
  std::optional<float> rope_base, router_skew;
  std::uint64_t seed = 1;
  bool mtp = false;
  bool force = false;
  bool json = false;
  bool list = false;
  std::string color = "auto";
};

std::vector<std::string> type_names() {
  std::vector<std::string> names;
  for (const quant::Format& format : quant::all_formats()) {
    if (engine::is_weight_type(format.dtype)) names.emplace_back(format.name);
  }
  return names;
}

// Types are written in capitals everywhere, and typed in small letters.
Result<DType> find_type(std::string name) {
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::toupper(c); });
  const quant::Format* format = quant::find_by_name(name);
  if (format != nullptr) return format->dtype;
  const std::string suggestion = nearest(name, type_names());
  return fail(ErrorCode::kUsage,
              fmt::format("unknown type '{}'{}; known are {}", name,
                          suggestion.empty() ? "" : fmt::format("; did you mean {}?", suggestion),
                          fmt::join(type_names(), ", ")),
              "--type");
}

Result<engine::ModelShape> shape_of(const MakeModelOptions& o) {
  CISTERN_TRY(engine::ModelShape shape, engine::find_shape(o.shape));
  if (!o.arch.empty()) engine::set_architecture(shape, o.arch);
  shape.layers = o.layers.value_or(shape.layers);
  shape.dim = o.dim.value_or(shape.dim);
  shape.ffn = o.ffn.value_or(shape.ffn);
  shape.heads = o.heads.value_or(shape.heads);
  shape.kv_heads = o.kv_heads.value_or(shape.kv_heads);
  shape.head_dim = o.head_dim.value_or(shape.head_dim);
  shape.vocab = o.vocab.value_or(shape.vocab);
  shape.context_tokens = o.context.value_or(shape.context_tokens);
  shape.window = o.window.value_or(shape.window);
  shape.experts = o.experts.value_or(shape.experts);
  shape.experts_used = o.experts_used.value_or(shape.experts_used);
  shape.expert_ffn = o.expert_ffn.value_or(shape.expert_ffn);
  shape.shared_experts = o.shared_experts.value_or(shape.shared_experts);
  shape.rope_base = o.rope_base.value_or(shape.rope_base);
  shape.router_skew = o.router_skew.value_or(shape.router_skew);
  shape.mtp = o.mtp;
  return shape;
}

Result<void> check_place(const MakeModelOptions& options, std::uint64_t bytes) {
  if (options.out.empty()) return fail(ErrorCode::kUsage, "OUT is required: the file to write");
  if (options.out == "-") return fail(ErrorCode::kUsage, "a model goes to a file, not to stdout", "OUT");
  std::error_code error;
  const fs::file_status status = fs::status(options.out, error);
  const bool is_file = fs::is_regular_file(status);
  if (is_file && !options.force) {
    return fail(ErrorCode::kUsage, "exists already; --force replaces it", options.out);
  }
  if (fs::exists(status) && !is_file) return {};  // a device takes what it takes
  const fs::path folder = fs::absolute(options.out, error).parent_path();
  const fs::space_info space = fs::space(folder, error);
  if (error || space.capacity == 0 || space.available >= bytes) return {};  // writing will tell
  return fail(ErrorCode::kIo,
              fmt::format("needs {}, but only {} are free on this disk", plan::describe_bytes(bytes),
                          plan::describe_bytes(space.available)),
              options.out);
}

Result<void> write_file(engine::SyntheticModelWriter& model, const std::string& path) {
  const InterruptFlag interrupt;
  const auto check_interrupt = [&]() -> Result<void> {
    if (!interrupt.raised()) return {};
    return fail(ErrorCode::kCancelled, "interrupted; nothing is left of the file", path);
  };
  CISTERN_TRY(OutFile out, OutFile::create(path));
  Progress progress(fmt::format("writing {}", printable(path)), model.file_bytes());
  std::uint64_t done_bytes = 0;
  const auto sink = [&](std::span<const std::byte> piece) -> Result<void> {
    CISTERN_TRY_VOID(check_interrupt());
    CISTERN_TRY_VOID(out.write(piece));
    done_bytes += piece.size();
    progress.update(done_bytes);
    return {};
  };
  CISTERN_TRY_VOID(model.write(sink));
  progress.say("waiting for the disk");
  CISTERN_TRY_VOID(out.sync());
  CISTERN_TRY_VOID(check_interrupt());
  return out.commit();
}

Result<int> list_shapes(bool json) {
  boost::json::array rows;
  std::string text =
      fmt::format("{:<18} {:<13} {:>6} {:>6} {:>6} {:>5} {:>8} {:>8} {:>7} {:>8} {:>8} {:>5} {:>11}\n",
                  "shape", "arch", "layers", "dim", "ffn", "heads", "kv-heads", "head-dim", "vocab",
                  "context", "experts", "used", "expert-ffn");
  for (const engine::ModelShape& row : engine::model_shapes()) {
    const engine::ModelShape s = engine::completed(row);
    rows.push_back({{"shape", s.name},
                    {"arch", s.arch},
                    {"layers", s.layers},
                    {"dim", s.dim},
                    {"ffn", s.ffn},
                    {"heads", s.heads},
                    {"kv_heads", s.kv_heads},
                    {"head_dim", s.head_dim},
                    {"vocab", s.vocab},
                    {"context", s.context_tokens},
                    {"experts", s.experts},
                    {"experts_used", s.experts_used},
                    {"expert_ffn", s.expert_ffn},
                    {"shared_experts", s.shared_experts}});
    text += fmt::format("{:<18} {:<13} {:>6} {:>6} {:>6} {:>5} {:>8} {:>8} {:>7} {:>8} {:>8} {:>5} {:>11}\n",
                        s.name, s.arch, s.layers, s.dim, s.ffn, s.heads, s.kv_heads, s.head_dim, s.vocab,
                        s.context_tokens, s.experts, s.experts_used, s.expert_ffn);
  }
  CISTERN_TRY_VOID(write_stdout(json ? to_json(boost::json::object{{"shapes", rows}}) + "\n" : text));
  return 0;
}

Result<int> make_model(const MakeModelOptions& options) {
  if (options.list) return list_shapes(options.json);
  const auto start = std::chrono::steady_clock::now();
  engine::SyntheticModel model{.shape = {}, .dtype = DType::kF16, .seed = options.seed};
  CISTERN_TRY(model.shape, shape_of(options));
  CISTERN_TRY(model.dtype, find_type(options.type));
  CISTERN_TRY(auto writer, engine::SyntheticModelWriter::create(model));
  CISTERN_TRY_VOID(check_place(options, writer.file_bytes()));
  CISTERN_TRY_VOID(write_file(writer, options.out));

  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double bytes_per_s = static_cast<double>(writer.file_bytes()) / seconds;
  const std::string_view type = quant::format_of(model.dtype).name;
  if (!options.json) {
    CISTERN_TRY_VOID(write_stdout(
        fmt::format("{}: {} in {} tensors, {:.2f} billion weights in {}, written in {:.1f} s ({:.0f} MB/s)\n",
                    printable(options.out), plan::describe_bytes(writer.file_bytes()), writer.n_tensors(),
                    static_cast<double>(writer.n_parameters()) / 1e9, type, seconds, bytes_per_s / 1e6)));
    return 0;
  }
  const boost::json::object report = {{"path", options.out},
                                      {"bytes", writer.file_bytes()},
                                      {"tensors", writer.n_tensors()},
                                      {"parameters", writer.n_parameters()},
                                      {"arch", model.shape.arch},
                                      {"shape", model.shape.name},
                                      {"type", type},
                                      {"seed", model.seed},
                                      {"seconds", seconds},
                                      {"bytes_per_s", bytes_per_s}};
  CISTERN_TRY_VOID(write_stdout(to_json(report) + "\n"));
  return 0;
}

// Types whose weights cannot be those of the other types.
std::string types_without_encoder() {
  std::vector<std::string_view> names;
  for (const quant::Format& format : quant::all_formats()) {
    if (engine::is_weight_type(format.dtype) && format.quantize == nullptr) names.push_back(format.name);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string known_architectures() {
  std::vector<std::string_view> names;
  for (const spec::Architecture& known : spec::architectures()) names.push_back(known.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

void add_make_model(Cli& cli) {
  auto options = std::make_shared<MakeModelOptions>();
  CLI::App& app = cli.add(
      {.name = "make-model",
       .summary = "Write a model with random weights, for benchmarks and tests",
       .description = fmt::format(
           "Writes a GGUF file of any shape, architecture and weight type, with seeded random weights and a "
           "vocabulary that can tokenize any text. It runs like a real model of that size and says nothing "
           "sensible.\n\n"
           "--type is the type of every matrix, the embedding and the output head too; norms and biases are "
           "F32. "
           "Rows must be a whole number of the type's blocks: nothing falls back to another type. The same "
           "seed "
           "and shape give the same weights in every type. Weights of types without an encoder are random "
           "codes "
           "instead: {}.\n\nThe file appears whole or not at all.",
           types_without_encoder()),
       .examples = {{"cistern make-model a.gguf --shape A --type Q4_0", "Llama-like, 1.1 billion weights"},
                    {"cistern make-model g.gguf --shape gemma-3-4b --type Q4_K",
                     "of the shape of a known model"},
                    {"cistern make-model t.gguf --arch qwen3 --layers 3 --dim 512 --type F32",
                     "the small default shape, changed"},
                    {"cistern make-model --list", "the shapes"}}},
      [options] { return make_model(*options); });
  app.add_option("OUT", options->out, "The file to write")->type_name("OUT");
  app.add_option("--shape", options->shape, "A, B, or a known model; --list has them [tiny]")
      ->type_name("NAME");
  app.add_option("--type", options->type, "Type of the matrices, as GGUF tools call it [Q8_0]")
      ->type_name("TYPE");
  app.add_option("--seed", options->seed, "Seed of the weights [1]")->type_name("N");
  app.add_flag("--force", options->force, "Replace OUT if it exists");
  app.add_flag("--list", options->list, "Print the shapes and exit");
  app.add_flag("--json", options->json, "Print one JSON document");
  add_choice(app, "--color", options->color, {"auto", "always", "never"}, "Colours of messages [auto]");

  const std::string group = "Changes to the shape";
  const auto number = [&](const char* name, std::optional<std::uint32_t>& value,
                          const std::string& description) {
    app.add_option(name, value, description)->type_name("N")->group(group);
  };
  app.add_option("--arch", options->arch, "Architecture: " + known_architectures())
      ->type_name("ARCH")
      ->group(group);
  number("--layers", options->layers, "Layers");
  number("--dim", options->dim, "Values of the residual stream");
  number("--ffn", options->ffn, "Hidden values of the feed-forward block");
  number("--heads", options->heads, "Query heads");
  number("--kv-heads", options->kv_heads, "Key and value heads; must divide --heads");
  number("--head-dim", options->head_dim, "Values of a head, even; need not be --dim / --heads");
  number("--vocab", options->vocab, fmt::format("Tokens, at least {}", engine::kMinVocabulary));
  number("--context", options->context, "The longest sequence, in tokens");
  number("--window", options->window, "Sliding window in tokens, where the architecture has one; 0 is none");
  number("--experts", options->experts, "Experts of a layer that has some; 0, here and below, is as usual");
  number("--experts-used", options->experts_used, "Experts that a token goes to");
  number("--expert-ffn", options->expert_ffn, "Hidden values of an expert");
  number("--shared-experts", options->shared_experts, "Experts that every token takes");
  app.add_flag("--mtp", options->mtp, "With a layer that predicts a further token, as DeepSeek V3 has it")
      ->group(group);
  app.add_option("--rope-base", options->rope_base, "Base of the rotary position embedding")
      ->type_name("X")
      ->group(group);
  app.add_option("--router-skew", options->router_skew,
                 "Routers prefer some experts, as in Zipf's law with this exponent; 0: none [0]")
      ->type_name("X")
      ->check(CLI::Range(0.0F, 10.0F).description(""))
      ->group(group);
}

}  // namespace cistern::tools
