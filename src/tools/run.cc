#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <memory>

#include "engine/prompt.h"
#include "sample/grammar.h"
#include "tools/answer.h"
#include "tools/commands.h"
#include "tools/flags.h"
#include "tools/input.h"
#include "tools/json_out.h"
#include "tools/output.h"
#include "tools/prompt.h"
#include "tools/scored_forecast.h"
#include "tools/streaming_view.h"

namespace cistern::tools {
namespace {

constexpr int kInterruptedStatus = 130;

struct RunOptions {
  ModelFlags model;
  LoadFlags load;
  DraftFlags draft;
  SamplingFlags sampling;
  OutputFlags output;
  std::optional<std::string> prompt;
  std::string file;
  std::string system;
  std::string template_file;
  std::uint32_t max_tokens = 0;
  std::vector<std::string> stop;
  bool raw = false;
  bool ignore_end = false;
  bool context_shift = false;
  bool json = false;
  std::string json_schema_file;
  std::string grammar_file;
};

// The newline with which files and `echo` end is not part of the prompt.
std::string without_last_newline(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

Result<std::string> read_prompt(const RunOptions& options) {
  std::string text;
  if (options.prompt && *options.prompt != "-") {
    text = *options.prompt;
  } else if (!options.file.empty() && options.file != "-") {
    CISTERN_TRY(text, read_file(options.file));
    text = without_last_newline(std::move(text));
  } else if (options.prompt || !options.file.empty() || !stdin_is_terminal()) {
    CISTERN_TRY(text, read_stdin());
    text = without_last_newline(std::move(text));
  } else {
    return fail(ErrorCode::kUsage, "no prompt: use -p TEXT, -f FILE or a pipe, or talk with cistern chat",
                "run");
  }
  CISTERN_TRY_VOID(require_utf8(text, "prompt"));
  CISTERN_TRY_VOID(require_utf8(options.system, "--system"));
  for (const std::string& stop : options.stop) CISTERN_TRY_VOID(require_utf8(stop, "--stop"));
  return text;
}

Result<std::vector<text::TokenId>> prompt_ids(const RunOptions& options, const engine::OpenModel& model,
                                              const std::string& text) {
  if (options.raw) return engine::encode_prompt(model, text);
  CISTERN_TRY(const text::jinja::Template chat, load_template(model, options.template_file));
  std::vector<Message> messages;
  if (!options.system.empty()) messages.push_back({.role = "system", .content = options.system});
  messages.push_back({.role = "user", .content = text});
  return chat_prompt(model, chat, messages);
}

Result<engine::LoadOptions> load_options_for(const RunOptions& options, std::size_t prompt_tokens) {
  CISTERN_TRY(engine::LoadOptions load, load_options(options.load));
  load.mtp = options.draft.uses_mtp();
  if (options.max_tokens > 0) {
    load.wanted_tokens = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(std::uint64_t{prompt_tokens} + options.max_tokens, 1U << 30U));
  }
  return load;
}

// What the answer has to be; null: anything.
Result<sample::GrammarPtr> read_grammar(const RunOptions& options, const text::Tokenizer& tokenizer) {
  const std::string& file = options.grammar_file.empty() ? options.json_schema_file : options.grammar_file;
  if (file.empty()) return nullptr;
  CISTERN_TRY(const std::string text, read_file(file));
  CISTERN_TRY(sample::GrammarVocabPtr vocab, sample::GrammarVocab::create(tokenizer));
  const auto in_file = [&](Error error) {
    return fail(error.code, std::move(error.message), error.where.empty() ? file : file + ": " + error.where);
  };
  if (!options.grammar_file.empty()) {
    auto grammar = sample::compile_gbnf(text, std::move(vocab));
    return grammar ? std::move(grammar) : in_file(grammar.error());
  }
  boost::system::error_code error;
  const boost::json::value schema = boost::json::parse(text, error);
  if (error) return fail(ErrorCode::kFormat, "this is not JSON: " + error.message(), file);
  auto grammar = sample::compile_json_schema(schema, std::move(vocab));
  return grammar ? std::move(grammar) : in_file(grammar.error());
}

boost::json::object answer_json(const Answer& answer, std::span<const text::TokenId> prompt,
                                std::uint64_t seed) {
  const engine::Stats& stats = answer.stats;
  boost::json::object json = {{"text", answer.text},
                              {"ids", json_ids(answer.ids)},
                              {"prompt_ids", json_ids(prompt)},
                              {"stop_reason", engine::name_of(answer.reason)},
                              {"seed", seed},
                              {"stats",
                               {{"load_s", stats.load_s},
                                {"prompt_tokens", stats.prompt_tokens},
                                {"prefill_s", stats.prefill_s},
                                {"prefill_tok_s", stats.prefill_tok_s()},
                                {"generated_tokens", stats.generated_tokens},
                                {"decode_s", stats.decode_s},
                                {"decode_tok_s", stats.decode_tok_s()},
                                {"decode_steps", stats.decode_steps},
                                {"drafted_tokens", stats.drafted_tokens},
                                {"accepted_tokens", stats.accepted_tokens},
                                {"peak_rss_bytes", stats.peak_rss_bytes},
                                {"planned_bytes", stats.planned_bytes}}}};
  if (stats.streaming) json["stats"].as_object()["disk"] = disk_json(stats);
  return json;
}

// What belongs on stderr after the answer.
void print_end(const RunOptions& options, const Answer& answer, std::uint32_t context_tokens,
               std::uint64_t seed) {
  const Style style = Style::choose(options.output.color, stderr_is_terminal());
  if (answer.reason == engine::StopReason::kContextFull) {
    write_stderr(fmt::format(
        "cistern: the context of {} tokens is full; go on with --context-shift or a larger --ctx\n",
        context_tokens));
  }
  if (!options.output.stats && !stderr_is_terminal()) return;
  write_stderr(style.dim(fmt::format("{}, seed {}", stats_line(answer.stats), seed)) + "\n");
}

Result<int> run(const RunOptions& options) {
  if (options.raw && (!options.system.empty() || !options.template_file.empty())) {
    return fail(ErrorCode::kUsage, "--raw uses no template: leave out --system and --template", "run");
  }
  CISTERN_TRY(const std::string text, read_prompt(options));
  CISTERN_TRY(engine::OpenModel model, engine::open_model(open_options(options.model)));
  CISTERN_TRY_VOID(engine::require_generator(model));
  engine::Request request;
  CISTERN_TRY(request.prompt, prompt_ids(options, model, text));
  CISTERN_TRY(request.sampling, sampler_options(options.sampling, model));
  request.max_tokens = options.max_tokens;
  request.stop = options.stop;
  request.ignore_end = options.ignore_end;
  request.speculate = !options.draft.off;
  request.context_shift = options.context_shift;
  CISTERN_TRY(request.grammar, read_grammar(options, *model.tokenizer));
  CISTERN_TRY(engine::LoadOptions load, load_options_for(options, request.prompt.size()));
  RunScore score(engine::LedgerKind::kRun, options.output.no_ledger, model, load);
  CISTERN_TRY(const auto engine, engine::Engine::load(std::move(model), load));
  CISTERN_TRY_VOID(load_draft_model(options.draft, options.load, *engine));
  print_plan(*engine, options.output);

  const std::vector<text::TokenId> prompt = request.prompt;
  const std::uint64_t seed = request.sampling.seed;
  const bool terminal = stdout_is_terminal();
  const auto show = [&](std::string_view piece) -> Result<void> {
    return options.json ? Result<void>() : write_stdout(for_display(piece, terminal));
  };
  CISTERN_TRY(const Answer answer, generate(*engine, std::move(request), show));
  if (options.json) {
    CISTERN_TRY_VOID(write_stdout(to_json(answer_json(answer, prompt, seed)) + "\n"));
  } else if (!answer.text.ends_with('\n')) {
    CISTERN_TRY_VOID(write_stdout("\n"));
  }
  print_end(options, answer, engine->context_tokens(), seed);
  if (options.draft.draft_model.empty()) score.record(*engine, answer.stats);
  return answer.reason == engine::StopReason::kCancelled ? kInterruptedStatus : 0;
}

}  // namespace

void add_run(Cli& cli) {
  auto options = std::make_shared<RunOptions>();
  CLI::App& app =
      cli.add({.name = "run",
               .summary = "Generate an answer to a prompt, or continue a text",
               .description = "Generates text and prints it as it comes. The prompt is -p TEXT, -f FILE or "
                              "what comes through a pipe (a "
                              "newline at its end is left out). A chat model gets it in its own template as "
                              "the message of a user; with "
                              "--raw it is continued as it is. Without MODEL the built-in guide answers, "
                              "always with its likeliest "
                              "words; other models are sampled as they ask for (general.sampling.*), else at "
                              "temperature 0.8.\n\n"
                              "A token is chosen in this order: logit bias, penalties (repetition, presence, "
                              "frequency), DRY, top-k, "
                              "typical, top-p, min-p, XTC, temperature, draw. Load time, speed and memory "
                              "are printed to stderr at the "
                              "end if that is a terminal, or with --stats.",
               .examples = {{"cistern run -p \"What is the KV cache?\"", "ask the built-in guide"},
                            {"cistern run qwen3-4b -p \"Explain DNS\" --temp 0.7 --seed 1",
                             "with a model, reproducibly"},
                            {"git diff | cistern run qwen3-4b --system \"Write a commit message.\"",
                             "prompt from a pipe"},
                            {"cistern run model.gguf --raw -p \"Once upon a time\" -n 100 --stop \"The end\"",
                             "continue a text"},
                            {"cistern run model.gguf -p Hello --lora style.gguf --lora facts.gguf:0.5",
                             "with two adapters, the second at half its strength"},
                            {"cistern run model.gguf -p \"Ada, 36\" --json-schema person.json",
                             "an answer that a JSON Schema admits"},
                            {"cistern run -p Hello --temp 0 --json", "one JSON document, for programs"}}},
              [options] { return run(*options); });
  add_model_flags(app, options->model);
  CLI::Option* prompt =
      app.add_option("-p,--prompt", options->prompt, "The prompt; - is stdin")->type_name("TEXT");
  app.add_option("-f,--file", options->file, "Read the prompt from a file; - is stdin")
      ->type_name("FILE")
      ->excludes(prompt);
  app.add_option("-n,--max-tokens", options->max_tokens, "Most tokens to generate [until the answer ends]")
      ->type_name("N");
  app.add_option("--system", options->system, "System message for the template")->type_name("TEXT");
  app.add_option("--template", options->template_file, "Use this Jinja chat template instead of the model's")
      ->type_name("FILE");
  app.add_flag("--raw", options->raw, "Continue the text as it is, without a template");
  app.add_option("--stop", options->stop, "End the answer before this text; may be repeated")
      ->type_name("TEXT")
      ->allow_extra_args(false);
  CLI::Option* ignore_end = app.add_flag("--ignore-end", options->ignore_end, "Go on after end tokens");
  CLI::Option* schema =
      app.add_option("--json-schema", options->json_schema_file,
                     "The whole answer is JSON that this JSON Schema admits, reasoning included")
          ->type_name("FILE")
          ->excludes(ignore_end);
  app.add_option("--grammar", options->grammar_file, "The whole answer is a text of this GBNF grammar")
      ->type_name("FILE")
      ->excludes(ignore_end)
      ->excludes(schema);
  app.add_flag("--context-shift", options->context_shift,
               "When the context is full, forget its older half and go on");
  app.add_flag("--json", options->json, "Print one JSON document instead of text");
  add_sampling_flags(app, options->sampling);
  add_load_flags(app, options->load);
  add_draft_flags(app, options->draft);
  add_adapter_flags(app, options->load);
  add_output_flags(app, options->output);
}

}  // namespace cistern::tools
