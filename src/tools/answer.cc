#include "tools/answer.h"

#include "tools/streaming_view.h"

#include <fmt/format.h>

#include "plan/memory_plan.h"
#include "text/utf8.h"
#include "tools/interrupt.h"

namespace cistern::tools {
namespace {

constexpr std::size_t kLongPromptTokens = 512;

// One line on the terminal that disappears when the first token is there.
class WaitNote {
 public:
  explicit WaitNote(std::size_t prompt_tokens)
      : shown_(prompt_tokens >= kLongPromptTokens && stderr_is_terminal()) {
    if (shown_) write_stderr(fmt::format("reading {} tokens ...", prompt_tokens));
  }
  void clear() {
    if (std::exchange(shown_, false)) write_stderr("\r\033[K");
  }
  ~WaitNote() { clear(); }
  WaitNote(const WaitNote&) = delete;
  WaitNote& operator=(const WaitNote&) = delete;

 private:
  bool shown_;
};

}  // namespace

Result<Answer> generate(engine::Engine& engine, engine::Request request,
                        const std::function<Result<void>(std::string_view)>& show) {
  WaitNote note(request.prompt.size());
  CISTERN_TRY(engine::Generation generation, engine.submit(std::move(request)));
  const CancelOnInterrupt interrupt(engine);
  Answer answer;
  const auto add = [&](std::string_view text) -> Result<void> {
    note.clear();
    answer.text += text;
    return text.empty() ? Result<void>() : show(text);
  };
  while (true) {
    CISTERN_TRY(const std::optional<engine::Step> step, generation.next());
    if (!step) break;
    answer.ids.push_back(step->id);
    CISTERN_TRY_VOID(add(step->text));
  }
  CISTERN_TRY_VOID(add(generation.tail()));
  answer.reason = generation.stop_reason();
  answer.stats = generation.stats();
  return answer;
}

std::string for_display(std::string_view text, bool terminal) {
  if (!terminal) return std::string(text);
  std::string out;
  while (!text.empty()) {
    const text::CodePoint c = text::decode_utf8(text);
    const bool control =
        (c.value < 0x20 && c.value != U'\n' && c.value != U'\t') || (c.value >= 0x7F && c.value < 0xA0);
    out += control ? text::kReplacement : text.substr(0, c.length);
    text.remove_prefix(c.length);
  }
  return out;
}

std::string stats_line(const engine::Stats& stats) {
  std::string out = fmt::format("load {:.2f} s, prompt {} tokens", stats.load_s, stats.prompt_tokens);
  if (stats.reused_tokens > 0) out += fmt::format(" ({} re-used)", stats.reused_tokens);
  out += fmt::format(" at {:.1f} tok/s, answer {} tokens at {:.1f} tok/s", stats.prefill_tok_s(),
                     stats.generated_tokens, stats.decode_tok_s());
  if (stats.drafted_tokens > 0)
    out += fmt::format(" ({} of {} guesses right)", stats.accepted_tokens, stats.drafted_tokens);
  if (stats.streaming) out += ", " + disk_line(stats);
  out += fmt::format(", memory {} of {} planned", plan::describe_bytes(stats.peak_rss_bytes),
                     plan::describe_bytes(stats.planned_bytes));
  return out;
}

void print_plan(const engine::Engine& engine, const OutputFlags& flags) {
  if (!flags.verbose) return;
  write_stderr(fmt::format("{}\ncontext: {} tokens, computing with {}\n", plan::describe(engine.plan()),
                           engine.context_tokens(), engine.backend()));
}

}  // namespace cistern::tools
