#include <fmt/format.h>

#include <memory>

#include "tools/chat_session.h"
#include "tools/commands.h"
#include "tools/flags.h"
#include "tools/line_editor.h"
#include "tools/scored_forecast.h"

namespace cistern::tools {
namespace {

struct ChatOptions {
  ModelFlags model;
  LoadFlags load;
  DraftFlags draft;
  SamplingFlags sampling;
  OutputFlags output;
  std::string system;
  std::string template_file;
  std::uint32_t max_tokens = 0;
  std::vector<std::string> stop;
};

constexpr std::string_view kBlock = "\"\"\"";

// The rest of a message that begins with """: up to a line that ends with it.
Result<LineReader::Line> read_block(LineEditor& editor, std::string text) {
  while (!text.ends_with(kBlock)) {
    CISTERN_TRY(LineReader::Line line, editor.read("... "));
    if (line.end == LineReader::End::kInterrupted) return line;
    if (line.end == LineReader::End::kEof) return LineReader::Line{.text = std::move(text)};
    text += '\n' + line.text;
  }
  text.resize(text.size() - kBlock.size());
  if (text.starts_with('\n')) text.erase(0, 1);
  if (text.ends_with('\n')) text.pop_back();
  return LineReader::Line{.text = std::move(text)};
}

// A message: one line, lines joined by a backslash at their end, or a block.
Result<LineReader::Line> read_message(LineEditor& editor) {
  CISTERN_TRY(LineReader::Line line, editor.read("> "));
  if (line.text.starts_with(kBlock)) return read_block(editor, line.text.substr(kBlock.size()));
  while (line.end == LineReader::End::kLine && line.text.ends_with('\\')) {
    line.text.back() = '\n';
    CISTERN_TRY(const LineReader::Line more, editor.read("... "));
    if (more.end == LineReader::End::kInterrupted) return more;
    line.text += more.text;
    if (more.end == LineReader::End::kEof) break;
  }
  return line;
}

// Errors of single lines are shown and the chat goes on; a script learns of the first by the exit status.
Result<int> talk(ChatSession& session, LineEditor& editor, const Style& style) {
  int status = 0;
  while (!session.wants_to_quit()) {
    CISTERN_TRY(const LineReader::Line line, read_message(editor));
    if (line.end == LineReader::End::kEof) break;
    if (line.end == LineReader::End::kInterrupted) continue;
    const Result<void> handled = session.handle(line.text);
    if (handled) continue;
    const Error& error = handled.error();
    if (error.code == ErrorCode::kCancelled || error.where == "stdout") return std::unexpected(error);
    write_stderr(fmt::format("{} {}\n", style.red("cistern:"), printable(describe(error))));
    if (status == 0 && !stdin_is_terminal()) status = exit_status(error.code);
  }
  return status;
}

Result<int> chat(const ChatOptions& options) {
  CISTERN_TRY(engine::OpenModel model, engine::open_model(open_options(options.model)));
  CISTERN_TRY_VOID(engine::require_generator(model));
  CISTERN_TRY(text::jinja::Template chat_template, load_template(model, options.template_file));
  ChatSession::Settings settings;
  CISTERN_TRY(settings.sampling, sampler_options(options.sampling, model));
  CISTERN_TRY_VOID(require_utf8(options.system, "--system"));
  settings.system = options.system;
  settings.stop = options.stop;
  settings.max_tokens = options.max_tokens;
  settings.stats = options.output.stats;
  settings.speculate = !options.draft.off;
  settings.terminal = stdin_is_terminal() && stdout_is_terminal();
  CISTERN_TRY(engine::LoadOptions load, load_options(options.load));
  load.mtp = options.draft.uses_mtp();
  const std::string name = model.path;
  RunScore score(engine::LedgerKind::kChat, options.output.no_ledger || !options.draft.draft_model.empty(),
                 model, load);
  CISTERN_TRY(auto engine, engine::Engine::load(std::move(model), load));
  CISTERN_TRY_VOID(load_draft_model(options.draft, options.load, *engine));
  print_plan(*engine, options.output);
  if (settings.terminal) {
    CISTERN_TRY_VOID(
        write_stdout(fmt::format("{}, context of {} tokens. /help shows the commands, Ctrl-D leaves.\n",
                                 printable(name), engine->context_tokens())));
  }
  const auto editor = make_line_editor(Style::choose(options.output.color, stdout_is_terminal()).on());
  settings.after_answer = [&score](const engine::Engine& loaded, const engine::Stats& stats) {
    score.record(loaded, stats);
  };
  ChatSession session(std::move(engine), std::move(chat_template), std::move(settings));
  return talk(session, *editor, Style::choose(options.output.color, stderr_is_terminal()));
}

}  // namespace

void add_chat(Cli& cli) {
  auto options = std::make_shared<ChatOptions>();
  CLI::App& app =
      cli.add({.name = "chat",
               .summary = "Talk with a model",
               .description = "A conversation in the model's own chat template. Later turns re-use what the "
                              "model has read before. "
                              "Lines can be edited and are remembered; when stdin is no terminal, each line "
                              "is a message (or a command) "
                              "and only answers are printed.\n\nCommands in the chat: /help, /reset, /system "
                              "TEXT, /save FILE, /load "
                              "FILE, /stats, /quit. A line that ends in a backslash goes on in the next one; "
                              "\"\"\" begins and ends a "
                              "message of many lines. Ctrl-C stops an answer, Ctrl-D leaves.",
               .examples = {{"cistern chat", "with the built-in guide"},
                            {"cistern chat qwen3-4b --system \"Answer briefly.\" --temp 0.6", "with a model"},
                            {"printf 'Hello!\\nWho are you?\\n/stats\\n' | cistern chat", "from a script"}}},
              [options] { return chat(*options); });
  add_model_flags(app, options->model);
  app.add_option("--system", options->system, "System message")->type_name("TEXT");
  app.add_option("--template", options->template_file, "Use this Jinja chat template instead of the model's")
      ->type_name("FILE");
  app.add_option("-n,--max-tokens", options->max_tokens, "Most tokens of an answer [until it ends]")
      ->type_name("N");
  app.add_option("--stop", options->stop, "End answers before this text; may be repeated")
      ->type_name("TEXT")
      ->allow_extra_args(false);
  add_sampling_flags(app, options->sampling);
  add_load_flags(app, options->load);
  add_draft_flags(app, options->draft);
  add_adapter_flags(app, options->load);
  add_output_flags(app, options->output);
}

}  // namespace cistern::tools
