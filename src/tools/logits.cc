#include <memory>

#include "engine/engine.h"
#include "tools/answer.h"
#include "tools/commands.h"
#include "tools/flags.h"
#include "tools/interrupt.h"
#include "tools/out_file.h"
#include "tools/output.h"
#include "tools/token_file.h"

namespace cistern::tools {
namespace {

struct LogitsOptions {
  ModelFlags model;
  LoadFlags load;
  OutputFlags output;
  std::string tokens;
  std::string out;
  std::uint32_t chunk_tokens = 0;
};

Result<int> logits(const LogitsOptions& options) {
  CISTERN_TRY(engine::OpenModel model, engine::open_model(open_options(options.model)));
  CISTERN_TRY_VOID(engine::require_generator(model));
  CISTERN_TRY(const auto ids, read_token_file(options.tokens, model.tokenizer->size()));
  CISTERN_TRY(engine::LoadOptions load, load_options(options.load));
  load.wanted_tokens = static_cast<std::uint32_t>(ids.size());
  CISTERN_TRY(const auto engine, engine::Engine::load(std::move(model), load));
  print_plan(*engine, options.output);
  CISTERN_TRY(OutFile out, OutFile::create(options.out));
  const CancelOnInterrupt interrupt(*engine);
  Result<void> written;
  const auto keep = [&](std::span<const float> row) {
    if (written) written = out.write(row);
  };
  CISTERN_TRY_VOID(engine->logits(ids, options.chunk_tokens, keep));
  CISTERN_TRY_VOID(written);
  CISTERN_TRY_VOID(out.commit());
  return 0;
}

}  // namespace

void add_logits(Cli& cli) {
  auto options = std::make_shared<LogitsOptions>();
  CLI::App& app = cli.add(
      {.name = "logits",
       .summary = "Write the logits after every token of a list",
       .description = "Feeds token ids as they are, from position 0 and without adding BOS, and writes the "
                      "logits after each "
                      "as raw little-endian 32-bit floats, row by row: [tokens, vocabulary]. For comparing "
                      "with other engines.",
       .examples =
           {{"cistern logits model.gguf --tokens ids.json --out logits.f32",
             "ids.json holds [1, 2, 3] or {\"tokens\": [1, 2, 3]}"},
            {"cistern logits model.gguf --tokens ids.json --out chunked.f32 --chunk 7 --kv f32 --threads 1",
             "in chunks of seven tokens, which gives the same bits"},
            {"echo '[0, 1, 289]' | cistern logits guide --tokens - --out - | od -f | head",
             "through pipes"}}},
      [options] { return logits(*options); });
  add_model_flags(app, options->model)->required();
  app.add_option("--tokens", options->tokens, "JSON file with the token ids; - is stdin")
      ->type_name("FILE")
      ->required();
  app.add_option("--out", options->out, "Where the logits go; - is stdout")->type_name("FILE")->required();
  app.add_option("--chunk", options->chunk_tokens, "Tokens fed at once [as the memory plan has it]")
      ->type_name("N")
      ->check(CLI::Range(1U, 1U << 30U).description(""));
  add_load_flags(app, options->load);
  add_adapter_flags(app, options->load);
  add_output_flags(app, options->output);
}

}  // namespace cistern::tools
