// cistern plan: what would run, where its bytes would be and how fast, before anything is loaded or bought.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "tools/commands.h"
#include "tools/flags.h"
#include "tools/input.h"
#include "tools/json_out.h"
#include "tools/out_file.h"
#include "tools/output.h"
#include "tools/plan_local.h"
#include "tools/plan_model.h"
#include "tools/plan_report.h"
#include "tools/score_table.h"

namespace cistern::tools {
namespace {

constexpr std::uint32_t kMostTokens = 1U << 24U;

struct PlanFlags {
  std::string model;
  LoadFlags load;
  std::uint32_t parallel = 1;
  std::uint32_t prompt_tokens = 512;
  std::string score_table;
  bool features = false;
  bool json = false;
  std::string color = "auto";
};

PlanReport report_of(const PlanModel& model, const PlanFlags& flags, std::uint32_t context) {
  return {.name = model.name,
          .arch = model.spec.arch,
          .type = model.type,
          .source = model.source,
          .parameters = model.parameters(),
          .active_parameters = model.active_parameters(),
          .file_bytes = model.inventory().tensor_bytes(),
          .layers = model.spec.layers.size(),
          .model_context = model.spec.context_tokens,
          .context_tokens = context,
          .prompt_tokens = flags.prompt_tokens,
          .parallel = flags.parallel,
          .kv = flags.load.kv,
          .rows = {}};
}

Result<int> print_table_score(const PlanFlags& flags) {
  constexpr std::uint64_t kMaxTableBytes = 64ULL << 20U;
  CISTERN_TRY(const std::string text, read_file(flags.score_table, kMaxTableBytes));
  CISTERN_TRY(const std::vector<ScoredRow> rows, score_table(text, flags.score_table));
  CISTERN_TRY_VOID(write_stdout(flags.features ? score_features(rows)
                                : flags.json   ? to_json(score_json(rows), JsonForm::kPretty) + "\n"
                                               : score_text(rows)));
  return 0;
}

Result<int> plan(const PlanFlags& flags) {
  if (!flags.score_table.empty()) return print_table_score(flags);
  if (flags.model.empty())
    return fail(ErrorCode::kUsage, "which model? Give a file, a config.json or a name", "plan");
  CISTERN_TRY(const PlanModel model, open_plan_model(flags.model));
  LocalQuestion question{.prompt_tokens = flags.prompt_tokens};
  CISTERN_TRY(question.load, load_options(flags.load));
  question.load.sequences = flags.parallel;
  CISTERN_TRY(LocalPlan local, plan_local(model, question));
  PlanReport report = report_of(model, flags, local.context_tokens);
  const bool refused = local.row.verdict == plan::Verdict::kRefused;
  report.rows.push_back(std::move(local.row));
  CISTERN_TRY_VOID(write_stdout(flags.json
                                    ? to_json(plan_json(report), JsonForm::kPretty) + "\n"
                                    : plan_text(report, Style::choose(flags.color, stdout_is_terminal()))));
  return refused ? 1 : 0;
}

}  // namespace

void add_plan(Cli& cli) {
  auto flags = std::make_shared<PlanFlags>();
  CLI::App& app = cli.add(
      {.name = "plan",
       .summary = "Tell whether a model runs, where its bytes will be and how fast, before it is loaded",
       .description = "Reads nothing of a model but its header.",
       .examples = {{"cistern plan model.gguf --ctx 8192", "on this machine"}}},
      [flags] { return plan(*flags); });
  app.add_option("MODEL", flags->model,
                 "A file, a config.json, or a known model such as llama-3.3-70b:Q4_K_M");
  app.add_option("--parallel", flags->parallel, "Sequences that are decoded together [1]")
      ->type_name("N")
      ->check(CLI::Range(1U, 256U).description(""));
  app.add_option("--prompt", flags->prompt_tokens, "Tokens of the prompt that is forecast [512]")
      ->type_name("N")
      ->check(CLI::Range(1U, kMostTokens).description(""));
  app.add_option("--score-table", flags->score_table,
                 "Compare forecasts with published measurements, a table in the layout of docs/plan.md")
      ->type_name("FILE");
  app.add_flag("--features", flags->features,
               "With --score-table: the terms that the time of each row is made of, one JSON object a line");
  app.add_flag("--json", flags->json, "Print one JSON document");
  add_load_flags(app, flags->load);
  add_choice(app, "--color", flags->color, {"auto", "always", "never"}, "Colours [auto]");
}

}  // namespace cistern::tools
