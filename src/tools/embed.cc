// cistern embed: texts to vectors.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <memory>

#include "engine/engine.h"
#include "tools/answer.h"
#include "tools/commands.h"
#include "tools/flags.h"
#include "tools/input.h"
#include "tools/interrupt.h"
#include "tools/json_out.h"
#include "tools/out_file.h"
#include "tools/output.h"
#include "tools/token_file.h"

namespace cistern::tools {
namespace {

namespace json = boost::json;
using Ids = std::vector<text::TokenId>;

struct EmbedOptions {
  ModelFlags model;
  LoadFlags load;
  OutputFlags output;
  std::vector<std::string> texts;
  std::string tokens;
  std::string out;
  std::string pooling;
  bool json = false;
};

struct PoolingName {
  const char* name;
  spec::Pooling pooling;
};
constexpr std::array kPoolings = {PoolingName{"mean", spec::Pooling::kMean},
                                  PoolingName{"cls", spec::Pooling::kCls},
                                  PoolingName{"last", spec::Pooling::kLast}};

std::optional<spec::Pooling> pooling_named(const std::string& name) {
  for (const PoolingName& row : kPoolings) {
    if (name == row.name) return row.pooling;
  }
  return std::nullopt;
}

std::string name_of(spec::Pooling pooling) {
  for (const PoolingName& row : kPoolings) {
    if (pooling == row.pooling) return row.name;
  }
  return "none";
}

Result<std::vector<Ids>> read_inputs(const EmbedOptions& options, const text::Tokenizer& tokenizer) {
  if (!options.tokens.empty()) {
    CISTERN_TRY(Ids ids, read_token_file(options.tokens, tokenizer.size()));
    return std::vector<Ids>{std::move(ids)};
  }
  CISTERN_TRY(const std::vector<std::string> texts, read_texts(options.texts, "text"));
  std::vector<Ids> inputs;
  for (const std::string& text : texts) {
    CISTERN_TRY(Ids ids, tokenizer.encode(text, false));
    inputs.push_back(tokenizer.add_prefix_suffix(std::move(ids)));
  }
  return inputs;
}

// Before the first is computed.
Result<void> check_lengths(const std::vector<Ids>& inputs, std::uint32_t most) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].size() <= most) continue;
    return fail(ErrorCode::kTooLong,
                fmt::format("has {} tokens, but the model takes {} at once: cut it into shorter texts",
                            inputs[i].size(), most),
                fmt::format("text {}", i + 1));
  }
  return {};
}

Result<void> print_vectors(const std::vector<std::vector<float>>& vectors) {
  for (const std::vector<float>& vector : vectors)
    CISTERN_TRY_VOID(write_stdout(fmt::format("{}\n", fmt::join(vector, " "))));
  return {};
}

Result<void> print_json(const engine::Engine& engine, spec::Pooling pooling, const std::vector<Ids>& inputs,
                        const std::vector<std::vector<float>>& vectors) {
  json::array embeddings;
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    embeddings.push_back(json::object{{"tokens", inputs[i].size()},
                                      {"embedding", json::array(vectors[i].begin(), vectors[i].end())}});
  }
  const json::object document{
      {"dim", engine.spec().dim}, {"pooling", name_of(pooling)}, {"embeddings", std::move(embeddings)}};
  return write_stdout(to_json(document) + "\n");
}

Result<void> write_file(const std::string& path, const std::vector<std::vector<float>>& vectors) {
  CISTERN_TRY(OutFile out, OutFile::create(path));
  for (const std::vector<float>& vector : vectors) CISTERN_TRY_VOID(out.write(vector));
  return out.commit();
}

Result<int> embed(const EmbedOptions& options) {
  if (!options.tokens.empty() && !options.texts.empty())
    return fail(ErrorCode::kUsage, "give texts or --tokens, not both", "embed");
  CISTERN_TRY(engine::OpenModel model, engine::open_model(open_options(options.model)));
  CISTERN_TRY(const std::vector<Ids> inputs, read_inputs(options, *model.tokenizer));
  CISTERN_TRY(engine::LoadOptions load, load_options(options.load));
  load.wanted_tokens = static_cast<std::uint32_t>(std::ranges::max(inputs, {}, &Ids::size).size());
  CISTERN_TRY(const auto engine, engine::Engine::load(std::move(model), load));
  print_plan(*engine, options.output);
  CISTERN_TRY_VOID(check_lengths(inputs, engine->context_tokens()));

  const CancelOnInterrupt interrupt(*engine);
  const auto pooling = pooling_named(options.pooling);
  std::vector<std::vector<float>> vectors;
  for (const Ids& ids : inputs) {
    CISTERN_TRY(std::vector<float> vector, engine->embed(ids, pooling));
    vectors.push_back(std::move(vector));
  }
  if (!options.out.empty()) CISTERN_TRY_VOID(write_file(options.out, vectors));
  if (options.json) {
    CISTERN_TRY_VOID(print_json(*engine, pooling.value_or(engine->spec().pooling), inputs, vectors));
  } else if (options.out.empty()) {
    CISTERN_TRY_VOID(print_vectors(vectors));
  }
  return 0;
}

}  // namespace

void add_embed(Cli& cli) {
  auto options = std::make_shared<EmbedOptions>();
  options->load.kv = "f32";  // a text is read once, and its keys are small
  CLI::App& app = cli.add(
      {.name = "embed",
       .summary = "Turn texts into vectors that can be compared",
       .description =
           "Prints one vector per text, of length 1, so that the dot product of two is the cosine of their "
           "angle: the closer to 1, the more alike the texts. Texts are the arguments, else the lines of "
           "stdin; the tokens that the model wants around a text are added, prefixes like \"query: \" are "
           "yours to write. How the tokens' states become one vector the file says (mean, cls, last); "
           "--pooling replaces that, or says it for models that were not made for embeddings.",
       .examples = {{"cistern embed bge-small \"A cat sat on the mat.\"", "one text, numbers on a line"},
                    {"cistern embed bge-small --json < lines.txt", "a text per line, one JSON document"},
                    {"cistern embed qwen3-4b --pooling last --out vectors.f32 < lines.txt",
                     "raw little-endian floats, row by row"},
                    {"cistern embed model.gguf --tokens ids.json --out vector.f32",
                     "token ids as they are, for comparing with other engines"}}},
      [options] { return embed(*options); });
  add_model_flags(app, options->model)->required();
  app.add_option("TEXT", options->texts, "The texts [lines of stdin]")->type_name("TEXT");
  std::vector<std::string> names;
  for (const PoolingName& row : kPoolings) names.emplace_back(row.name);
  add_choice(app, "--pooling", options->pooling, names,
             "Vector of a text: mean of its tokens', the first's or the last's [as the file says]");
  app.add_option("--tokens", options->tokens,
                 "JSON file with token ids, fed as they are, instead of texts; - is stdin")
      ->type_name("FILE");
  app.add_option("--out", options->out, "Write raw 32-bit floats here; - is stdout")->type_name("FILE");
  app.add_flag("--json", options->json, "Print one JSON document");
  add_load_flags(app, options->load);
  add_adapter_flags(app, options->load);
  add_output_flags(app, options->output);
}

}  // namespace cistern::tools
