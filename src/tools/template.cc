#include <memory>

#include "engine/prompt.h"
#include "text/template_request.h"
#include "tools/commands.h"
#include "tools/flags.h"
#include "tools/input.h"
#include "tools/iso_time.h"
#include "tools/json_lines.h"
#include "tools/output.h"

namespace cistern::tools {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kMaxTemplateBytes = 1U << 20U;

struct TemplateOptions {
  ModelFlags model;
  bool json_lines = false;
  std::string now;
};

// What the requests fall back to. Without MODEL they must bring their own template.
struct ModelTemplate {
  std::optional<engine::OpenModel> model;
  std::optional<text::jinja::Template> parsed;
  text::TemplateRequestDefaults defaults;
};

Result<void> open(const TemplateOptions& options, ModelTemplate& out) {
  if (!options.now.empty()) {
    auto now = parse_iso_time(options.now);
    if (!now) return fail(ErrorCode::kUsage, now.error().message, "--now");
    out.defaults.now = *now;
  }
  if (options.model.model.empty()) return {};
  CISTERN_TRY(out.model, engine::open_model(open_options(options.model)));
  const text::Tokenizer& tokenizer = *out.model->tokenizer;
  out.defaults.bos_token = engine::token_text(tokenizer, tokenizer.vocab().bos);
  out.defaults.eos_token = engine::token_text(tokenizer, tokenizer.vocab().eos);
  if (!out.model->template_source) return {};
  CISTERN_TRY(out.parsed, out.model->chat_template());
  out.defaults.model_template = &*out.parsed;
  return {};
}

Result<json::object> answer_line(text::TemplateRequestDefaults defaults, const json::object& request) {
  std::string source;
  if (const json::value* file = request.if_contains("template_file"); file != nullptr && !file->is_null()) {
    if (!file->is_string()) return fail(ErrorCode::kFormat, "expected a string", "template_file");
    CISTERN_TRY(source, read_file(std::string(file->get_string()), kMaxTemplateBytes));
    defaults.template_file_source = source;
  }
  CISTERN_TRY(std::string text, text::render_request(request, defaults));
  return json::object{{"text", std::move(text)}};
}

Result<int> render(const TemplateOptions& options) {
  ModelTemplate model;
  CISTERN_TRY_VOID(open(options, model));
  return answer_json_lines([&](const json::object& request) { return answer_line(model.defaults, request); });
}

}  // namespace

void add_template(Cli& cli) {
  auto options = std::make_shared<TemplateOptions>();
  CLI::App& app = cli.add(
      {.name = "template",
       .summary = "Render chat templates",
       .description = "Reads one JSON object per line and answers each with {\"text\"} or {\"error\"}. A "
                      "line names its template "
                      "with \"template\" (source) or \"template_file\", else MODEL's is used; and gives "
                      "either \"context\" (the "
                      "variables: null is none, an absent name is undefined) or \"messages\" with \"tools\", "
                      "\"documents\", "
                      "\"add_generation_prompt\", \"bos_token\", \"eos_token\" and \"extra\".",
       .examples =
           {{"echo '{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}]}' | cistern template guide "
             "--jsonl",
             "a conversation in the model's template"},
            {"echo '{\"template\": \"{{ x + 1 }}\", \"context\": {\"x\": 1}}' | cistern template --jsonl",
             "any template, without a model"},
            {"cistern template --jsonl --now 2026-03-07T14:05:09 < cases.jsonl",
             "with the clock standing still"}}},
      [options] { return render(*options); });
  add_model_flags(app, options->model);
  app.add_flag("--jsonl", options->json_lines, "Requests and answers as JSON lines (the only form)")
      ->required();
  app.add_option("--now", options->now, "What strftime_now sees [the clock]")->type_name("ISO-TIME");
}

}  // namespace cistern::tools
