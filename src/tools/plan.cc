// cistern plan: what would run, where its bytes would be and how fast, before anything is loaded or bought.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "tools/commands.h"
#include "tools/flags.h"
#include "tools/input.h"
#include "tools/json_out.h"
#include "tools/ledger_score.h"
#include "tools/out_file.h"
#include "tools/output.h"
#include "tools/plan_hardware.h"
#include "tools/plan_list.h"
#include "tools/plan_local.h"
#include "tools/plan_model.h"
#include "tools/plan_page.h"
#include "tools/plan_report.h"
#include "tools/score_table.h"

namespace cistern::tools {
namespace {

constexpr std::uint32_t kMostTokens = 1U << 24U;
constexpr std::uint64_t kMaxTableBytes = 64ULL << 20U;

struct PlanFlags {
  std::string model;
  LoadFlags load;
  std::uint32_t parallel = 1;
  std::uint32_t prompt_tokens = 512;
  std::vector<std::string> on;
  std::string budget;
  std::string power;
  std::string hardware_file;
  std::string fit;
  std::string list;
  double least_tok_s = 10;
  bool score = false;
  std::string score_table;
  bool features = false;
  bool json = false;
  std::string html;
  std::string color = "auto";
};

Result<void> print(const PlanFlags& flags, const boost::json::object& json, const std::string& text) {
  return write_stdout(flags.json ? to_json(json, JsonForm::kPretty) + "\n" : text);
}

Result<int> print_table_score(const PlanFlags& flags) {
  CISTERN_TRY(const std::string text, read_file(flags.score_table, kMaxTableBytes));
  CISTERN_TRY(const std::vector<ScoredRow> rows, score_table(text, flags.score_table));
  if (flags.features) {
    CISTERN_TRY_VOID(write_stdout(score_features(rows)));
  } else {
    CISTERN_TRY_VOID(print(flags, score_json(rows), score_text(rows)));
  }
  return 0;
}

Result<int> print_ledger_score(const PlanFlags& flags) {
  const LedgerScore score = ledger_score();
  CISTERN_TRY_VOID(print(flags, ledger_score_json(score), ledger_score_text(score)));
  return 0;
}

Result<int> print_list(const PlanFlags& flags) {
  const auto print_rows = [&flags](const boost::json::array& json, const std::string& text) {
    return write_stdout(flags.json ? to_json(json, JsonForm::kPretty) + "\n" : text);
  };
  if (flags.list == "models") {
    CISTERN_TRY_VOID(print_rows(models_json(), models_text()));
    return 0;
  }
  CISTERN_TRY(const plan::Catalogue catalogue, load_catalogue(flags.hardware_file));
  CISTERN_TRY_VOID(print_rows(hardware_json(catalogue), hardware_text(catalogue)));
  return 0;
}

Result<plan::HardwareQuestion> hardware_question(const PlanFlags& flags) {
  CISTERN_TRY(const engine::LoadOptions load, load_options(flags.load));
  plan::HardwareQuestion question{
      .kv_type = load.kv_type, .sequences = flags.parallel, .prompt_tokens = flags.prompt_tokens};
  if (load.context_tokens) question.context_tokens = *load.context_tokens;
  return question;
}

// Which models a machine runs.
Result<int> print_fitting(const PlanFlags& flags) {
  CISTERN_TRY(const plan::Catalogue catalogue, load_catalogue(flags.hardware_file));
  CISTERN_TRY(const plan::System system, catalogue.resolve(flags.fit));
  CISTERN_TRY(const plan::HardwareQuestion question, hardware_question(flags));
  CISTERN_TRY(const std::vector<Fitting> models, fitting_models(system, question, flags.least_tok_s));
  CISTERN_TRY_VOID(
      print(flags, fitting_json(system, models), fitting_text(system, models, flags.least_tok_s)));
  return models.empty() ? 1 : 0;
}

// Rows of other hardware.
Result<void> add_hardware(const PlanFlags& flags, const PlanModel& model, PlanReport& report) {
  HardwareChoice choice{.on = flags.on, .budget_usd = {}, .power_w = {}};
  if (!flags.budget.empty()) {
    CISTERN_TRY(choice.budget_usd, parse_amount(flags.budget, "usd", "--budget"));
  }
  if (!flags.power.empty()) {
    CISTERN_TRY(choice.power_w, parse_amount(flags.power, "w", "--power"));
  }
  CISTERN_TRY(const plan::Catalogue catalogue, load_catalogue(flags.hardware_file));
  CISTERN_TRY(const plan::HardwareQuestion question, hardware_question(flags));
  CISTERN_TRY(report.rows, hardware_rows(model, question, catalogue, choice));
  report.context_tokens =
      question.context_tokens > 0 ? question.context_tokens : plan::usual_context(model.spec);
  if (!report.rows.empty()) return {};
  return fail(ErrorCode::kNotFound,
              "no hardware of the catalogue is within these bounds: raise --budget or --power");
}

Result<void> add_local(const PlanFlags& flags, const PlanModel& model, PlanReport& report) {
  LocalQuestion question{.load = {}, .prompt_tokens = flags.prompt_tokens};
  CISTERN_TRY(question.load, load_options(flags.load));
  question.load.sequences = flags.parallel;
  question.load.mtp = true;  // as run does
  CISTERN_TRY(LocalPlan local, plan_local(model, question));
  report.context_tokens = local.context_tokens;
  report.rows.push_back(std::move(local.row));
  return {};
}

Result<int> print_plan(const PlanFlags& flags) {
  if (flags.model.empty())
    return fail(ErrorCode::kUsage, "which model? Give a file, a config.json or a name", "plan");
  CISTERN_TRY(const PlanModel model, open_plan_model(flags.model));
  PlanReport report{.name = model.name,
                    .arch = model.spec.arch,
                    .type = model.type,
                    .source = model.source,
                    .parameters = model.parameters(),
                    .active_parameters = model.active_parameters(),
                    .file_bytes = model.inventory().tensor_bytes(),
                    .layers = model.spec.layers.size(),
                    .model_context = model.spec.context_tokens,
                    .prompt_tokens = flags.prompt_tokens,
                    .parallel = flags.parallel,
                    .kv = flags.load.kv,
                    .rows = {}};
  if (!flags.on.empty() || !flags.budget.empty() || !flags.power.empty()) {
    CISTERN_TRY_VOID(add_hardware(flags, model, report));
  } else {
    CISTERN_TRY_VOID(add_local(flags, model, report));
  }
  const boost::json::object json = plan_json(report);
  if (!flags.html.empty()) {
    CISTERN_TRY(OutFile out, OutFile::create(flags.html));
    const std::string page = plan_page(json);
    CISTERN_TRY_VOID(out.write(std::as_bytes(std::span(page))));
    CISTERN_TRY_VOID(out.commit());
  }
  CISTERN_TRY_VOID(print(flags, json, plan_text(report, Style::choose(flags.color, stdout_is_terminal()))));
  const bool refused = std::ranges::all_of(
      report.rows, [](const plan::PlanRow& row) { return row.verdict == plan::Verdict::kRefused; });
  return refused ? 1 : 0;
}

Result<int> plan(const PlanFlags& flags) {
  if (!flags.list.empty()) return print_list(flags);
  if (flags.score) return print_ledger_score(flags);
  if (!flags.score_table.empty()) return print_table_score(flags);
  if (!flags.fit.empty()) return print_fitting(flags);
  return print_plan(flags);
}

CommandDocs docs() {
  return {
      .name = "plan",
      .summary = "Tell whether a model runs, where its bytes will be and how fast, before loading or buying",
      .description =
          "Plans a run without loading anything: of a file only the header is read, and the plan is the one "
          "that cistern run would allocate. MODEL is a file or the first megabytes of one, a config.json, or "
          "a known model with a quant, such as llama-3.3-70b:Q4_K_M or llama-4-maverick:3.5bpw.\n\n"
          "Speeds on this machine come from what it was measured to do, and from what earlier runs took; on "
          "other hardware from the catalogue and a model of time that is fitted to published measurements. "
          "Ranges are meant to hold nine outcomes of ten. Without --ctx, other hardware is planned for 4096 "
          "tokens. The exit status is 1 where nothing runs.",
      .examples = {{"cistern plan model.gguf --ctx 8192", "on this machine"},
                   {"cistern plan llama-3.3-70b:Q4_K_M --on \"2x RTX 4090\" --on \"M5 Max 128GB\"",
                    "a model that is not here on hardware that is not here"},
                   {"cistern plan gpt-oss-120b --budget 5000usd", "what to buy for it"},
                   {"cistern plan --fit \"RTX 4090\" --least 20", "what runs there at 20 tokens per second"},
                   {"cistern plan qwen3-30b-a3b:Q4_K_M --on all --html plan.html", "a page to look at"},
                   {"cistern plan --list hardware", "what has a name"},
                   {"cistern plan --score", "how good forecasts were so far on this machine"}}};
}

}  // namespace

void add_plan(Cli& cli) {
  auto flags = std::make_shared<PlanFlags>();
  CLI::App& app = cli.add(docs(), [flags] { return plan(*flags); });
  app.add_option("MODEL", flags->model,
                 "A file, a config.json, or a known model such as llama-3.3-70b:Q4_K_M");
  app.add_option("--parallel", flags->parallel, "Sequences that are decoded together [1]")
      ->type_name("N")
      ->check(CLI::Range(1U, 256U).description(""));
  app.add_option("--prompt", flags->prompt_tokens, "Tokens of the prompt that is forecast [512]")
      ->type_name("N")
      ->check(CLI::Range(1U, kMostTokens).description(""));
  app.add_option("--on", flags->on,
                 "Hardware of the catalogue instead of this machine: \"2x RTX 4090\", \"M5 Max 128GB\", "
                 "\"RTX 3090 + 64GB DDR5-6000\", or all; may be repeated")
      ->type_name("HARDWARE")
      ->allow_extra_args(false);
  app.add_option("--budget", flags->budget, "All hardware that costs no more, 5000usd")->type_name("USD");
  app.add_option("--power", flags->power, "All hardware that draws no more, 300w")->type_name("WATT");
  app.add_option("--hardware", flags->hardware_file,
                 "Table of hardware of your own [hardware.csv in the user's configuration folder]")
      ->type_name("FILE");
  app.add_option("--fit", flags->fit, "Which known models fit this hardware, and how fast")
      ->type_name("HARDWARE");
  app.add_option("--least", flags->least_tok_s,
                 "With --fit: decoding at least so many tokens per second [10]")
      ->type_name("TOK/S")
      ->check(CLI::PositiveNumber.description(""));
  add_choice(app, "--list", flags->list, {"models", "hardware"}, "List what has a name here");
  app.add_flag("--score", flags->score, "How good the forecasts of earlier runs on this machine were");
  app.add_option("--score-table", flags->score_table,
                 "Compare forecasts with published measurements, a table as docs/plan.md describes it")
      ->type_name("FILE");
  app.add_flag("--features", flags->features,
               "With --score-table: the terms that the time of each row is made of, one JSON object a line");
  app.add_flag("--json", flags->json, "Print one JSON document");
  app.add_option("--html", flags->html, "Also write a page with plots")->type_name("FILE");
  add_load_flags(app, flags->load);
  add_choice(app, "--color", flags->color, {"auto", "always", "never"}, "Colours [auto]");
}

}  // namespace cistern::tools
