#include <fmt/format.h>

#include <memory>

#include "base/nearest.h"
#include "engine/embedded/guide.h"
#include "engine/engine.h"
#include "quant/format.h"
#include "spec/model_spec.h"
#include "tools/commands.h"
#include "tools/flags.h"
#include "tools/json_out.h"
#include "tools/model_report.h"
#include "tools/out_file.h"
#include "tools/output.h"

namespace cistern::tools {
namespace {

struct InspectOptions {
  ModelFlags model;
  OutputFlags output;
  bool json = false;
  bool show_template = false;
  std::string tensor;
  std::string out = "-";
};

Result<file::ModelFiles> open_files(const std::string& model) {
  CISTERN_TRY(const std::string path, engine::resolve_model(model));
  if (path == engine::kGuide) return file::open_model(engine::guide_model(), path);
  return file::open_model(path);
}

// Why the file cannot be run: the first thing that loading it would stumble over.
std::optional<Error> find_problem(const engine::OpenOptions& options, const file::Inventory& inventory) {
  if (const auto model = engine::open_model(options); !model) return model.error();
  if (const auto spec = spec::read_model_spec(inventory); !spec) return spec.error();
  return std::nullopt;
}

Result<void> print_template(const file::Inventory& inventory) {
  CISTERN_TRY(const auto text, inventory.metadata.find_string("tokenizer.chat_template"));
  if (!text) return fail(ErrorCode::kNotFound, "the file holds no chat template", inventory.metadata.where());
  return write_stdout(std::string(*text) + (text->ends_with('\n') ? "" : "\n"));
}

// In pieces: a tensor may be larger than memory.
Result<void> write_tensor(const file::ModelFiles& files, const InspectOptions& options) {
  const file::TensorInfo* tensor = files.inventory.find(options.tensor);
  if (tensor == nullptr) {
    std::vector<std::string> names;
    for (const file::TensorInfo& t : files.inventory.tensors()) names.emplace_back(t.name);
    const std::string suggestion = nearest(options.tensor, names);
    return fail(ErrorCode::kNotFound,
                suggestion.empty() ? "no tensor of this name; cistern inspect FILE lists them"
                                   : fmt::format("no tensor of this name; did you mean {}?", suggestion),
                options.tensor);
  }
  const quant::Format& format = quant::format_of(tensor->dtype);
  if (format.dequantize == nullptr) {
    return fail(ErrorCode::kUnsupported,
                fmt::format("tensors of type {} have no float values to write", format.name), options.tensor);
  }
  constexpr std::uint64_t kPieceValues = 1U << 18U;
  const std::uint64_t blocks_a_piece = std::max<std::uint64_t>(kPieceValues / format.block_values, 1);
  std::vector<float> values(blocks_a_piece * format.block_values);
  CISTERN_TRY(OutFile out, OutFile::create(options.out));
  const std::uint64_t n_blocks = tensor->shape.elements() / format.block_values;
  for (std::uint64_t block = 0; block < n_blocks; block += blocks_a_piece) {
    const std::uint64_t count = std::min(blocks_a_piece, n_blocks - block);
    const std::uint64_t n_values = count * format.block_values;
    format.dequantize(tensor->bytes.data() + block * format.block_bytes, values.data(), n_values);
    CISTERN_TRY_VOID(files.check_intact());
    CISTERN_TRY_VOID(out.write(std::span<const float>(values.data(), n_values)));
  }
  return out.commit();
}

Result<int> inspect(const InspectOptions& options) {
  CISTERN_TRY(const file::ModelFiles files, open_files(options.model.model));
  if (!options.tensor.empty()) {
    CISTERN_TRY_VOID(write_tensor(files, options));
    return 0;
  }
  if (options.show_template) {
    CISTERN_TRY_VOID(print_template(files.inventory));
    return 0;
  }
  ModelReport report = make_report(files, files.files.front().path());
  report.problem = find_problem(open_options(options.model), files.inventory);
  CISTERN_TRY_VOID(files.check_intact());
  const std::string text = options.json
                               ? to_json(report_json(report, files.inventory), JsonForm::kPretty) + "\n"
                               : report_text(report, files.inventory);
  CISTERN_TRY_VOID(write_stdout(text));
  // What is only unknown to us is no fault of the file.
  if (report.problem && report.problem->code != ErrorCode::kUnsupported)
    return std::unexpected(*report.problem);
  return 0;
}

}  // namespace

void add_inspect(Cli& cli) {
  auto options = std::make_shared<InspectOptions>();
  CLI::App& app = cli.add(
      {.name = "inspect",
       .summary = "Show what a model file holds",
       .description =
           "Shows metadata, tokenizer, tensors, and how many bytes play which role. Files of architectures "
           "that "
           "cannot be run are shown too. A damaged file is shown as far as it can be read, then the error.",
       .examples = {{"cistern inspect model.gguf", "everything, for people (long arrays are cut)"},
                    {"cistern inspect model.gguf --json | jq '.by_role'", "everything, for programs"},
                    {"cistern inspect model.gguf --template", "the chat template"},
                    {"cistern inspect model.gguf --tensor blk.0.attn_q.weight --out q.f32",
                     "a tensor as raw little-endian 32-bit floats"}}},
      [options] { return inspect(*options); });
  add_model_flags(app, options->model, "FILE")->required()->type_name("MODEL");
  app.add_flag("--json", options->json, "Print one JSON document");
  app.add_flag("--template", options->show_template, "Print the chat template");
  app.add_option("--tensor", options->tensor, "Write the values of this tensor as 32-bit floats")
      ->type_name("NAME");
  app.add_option("--out", options->out, "Where --tensor goes; - is stdout [-]")->type_name("FILE");
  add_choice(app, "--color", options->output.color, {"auto", "always", "never"},
             "Colours of messages [auto]");
}

}  // namespace cistern::tools
