// Lets the engine generate one answer and hands its text on as it comes; afterwards tells how it went. Shared
// by run and chat.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "tools/flags.h"
#include "tools/output.h"

namespace cistern::tools {

struct Answer {
  std::string text;
  std::vector<text::TokenId> ids;
  engine::StopReason reason = engine::StopReason::kEnd;
  engine::Stats stats;
};

// `show` receives the text piece by piece and may fail (a closed stdout). Ctrl-C ends the answer early
// (StopReason::kCancelled). On a terminal the wait for a long prompt is announced.
Result<Answer> generate(engine::Engine& engine, engine::Request request,
                        const std::function<Result<void>(std::string_view)>& show);

// Text for stdout: on a terminal without control characters but newline and tab, so that what a model writes
// cannot move the cursor or set the title.
std::string for_display(std::string_view text, bool terminal);

// "load 0.02 s, prompt 15 tokens (12 re-used) 1200 tok/s, ..." without a newline.
std::string stats_line(const engine::Stats& stats);

// With --verbose: memory plan, context and backend to stderr.
void print_plan(const engine::Engine& engine, const OutputFlags& flags);

}  // namespace cistern::tools
