#include "tools/plan_page.h"

#include <fmt/format.h>

#include <array>
#include <utility>
#include <vector>

#include "tools/html.h"
#include "tools/number_text.h"
#include "tools/plan_doc.h"
#include "tools/plan_page_parts.h"
#include "tools/plan_page_style.h"

namespace cistern::tools {
namespace {

constexpr std::array<VerdictLook, 4> kLooks = {{
    {"Fits", "fits", "<circle cx=\"6\" cy=\"6\" r=\"5\" fill=\"currentColor\"></circle>", 3},
    {"Streams", "streams",
     "<circle cx=\"6\" cy=\"6\" r=\"5\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"></circle>"
     "<path d=\"M6 1a5 5 0 0 1 0 10z\" fill=\"currentColor\"></path>",
     2},
    {"Refused", "refused",
     "<path d=\"M2 2l8 8M10 2l-8 8\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"2\"></path>", 1},
    {"Unknown", "unknown",
     "<circle cx=\"6\" cy=\"6\" r=\"5\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"></circle>",
     0},
}};

// What the first row comes to, after the name of its hardware.
constexpr std::array<const char*, 4> kVerdictSentences = {
    "Everything stays in memory: nothing is read from disk while it answers.",
    "It is larger than the memory that may be used: some weights are read from disk while it answers.",
    "It does not run as asked.", "The document does not say whether it runs."};

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kLimits = {
    {{"memory", "reading memory"},
     {"disk", "reading the disk"},
     {"arithmetic", "arithmetic"},
     {"link", "the link between memories"}}};

std::string_view model_name(const PlanDoc& doc) {
  return doc.model.name.empty() ? "A model without a name" : std::string_view(doc.model.name);
}

void add_fact(std::string& facts, std::string_view name, const std::string& html) {
  if (!html.empty()) facts += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", name, html);
}

std::string tokens_html(const DocNumber& tokens) {
  return tokens ? count_text(*tokens) + " tokens" : "";
}

std::string facts_html(const PlanDoc& doc) {
  const auto& model = doc.model;
  std::string facts;
  add_fact(facts, "Architecture", model.arch.empty() ? "" : name_html(model.arch));
  std::string parameters = model.parameters ? billions_text(*model.parameters) : "";
  if (model.active_parameters && model.active_parameters != model.parameters)
    parameters +=
        fmt::format("{}{} active", parameters.empty() ? "" : ", ", billions_text(*model.active_parameters));
  add_fact(facts, "Parameters", parameters);
  add_fact(facts, "File", model.file_bytes ? bytes_text(*model.file_bytes) : "");
  add_fact(facts, "Layers", model.layers ? count_text(*model.layers) : "");
  std::string context = tokens_html(doc.work.context_tokens);
  if (!context.empty() && model.context_tokens)
    context += fmt::format(" <span class=\"soft\">of {}</span>", count_text(*model.context_tokens));
  add_fact(facts, "Context", context);
  add_fact(facts, "Prompt", tokens_html(doc.work.prompt_tokens));
  add_fact(facts, "Sequences", doc.work.parallel ? count_text(*doc.work.parallel) : "");
  add_fact(facts, "KV cache", doc.work.kv.empty() ? "" : name_html(doc.work.kv));
  return facts.empty() ? "" : "<dl class=\"facts\">\n" + facts + "</dl>\n";
}

std::string tile(std::string_view name, const std::string& figure, const std::string& below) {
  return fmt::format("<div><dt>{}</dt><dd><b>{}</b><small>{}</small></dd></div>\n", name, figure, below);
}

std::string tiles_html(const PlanDoc& doc, const DocRow& row) {
  std::string tiles;
  if (const auto& decode = row.forecast.decode_tok_s) {
    std::string below = span_text(*decode, number_text);
    if (row.limit_tok_s) {
      below += fmt::format("; at most {}", number_text(*row.limit_tok_s));
      if (!row.limited_by.empty()) below += ", set by " + limit_words(row.limited_by);
    }
    tiles += tile("Decoding", number_text(decode->mid) + " tok/s", below);
  }
  if (const auto& first = row.forecast.first_token_s) {
    const std::string prompt = tokens_html(doc.work.prompt_tokens);
    tiles += tile("First token", seconds_text(first->mid),
                  span_text(*first, seconds_text) + (prompt.empty() ? "" : ", prompt of " + prompt));
  }
  if (row.total_bytes) {
    double capacity = 0;
    for (const DocTier& tier : row.tiers) capacity += tier.kind == "disk" ? 0 : tier.capacity.value_or(0);
    tiles += tile("Memory", bytes_text(*row.total_bytes),
                  capacity > 0 ? fmt::format("there are {}", bytes_text(capacity)) : "");
  }
  if (row.price_usd) {
    tiles += tile("Price", "$" + number_text(*row.price_usd),
                  (row.usd_per_tok_s ? fmt::format("${} per tok/s", number_text(*row.usd_per_tok_s)) : "") +
                      (row.unconfirmed ? " (unconfirmed)" : ""));
  }
  return tiles.empty() ? "" : "<dl class=\"tiles\">\n" + tiles + "</dl>\n";
}

std::string headline_html(const PlanDoc& doc) {
  std::string html = fmt::format(
      "<header>\n<p class=\"over\">cistern plan</p>\n<h1>{}</h1>\n{}</header>\n",
      name_html(model_name(doc)) + (doc.model.type.empty() ? "" : ", " + name_html(doc.model.type)),
      facts_html(doc));
  if (doc.rows.empty()) return html + "<p class=\"verdict\">The plan names no hardware.</p>\n";
  const DocRow& row = doc.rows.front();
  const VerdictLook& look = look_of(row.verdict);
  html += fmt::format(
      "<section class=\"verdict {}\" aria-labelledby=\"h-verdict\">\n<h2 id=\"h-verdict\">{} <span>on "
      "{}</span></h2>\n<p>{}</p>\n",
      look.css, verdict_badge(row.verdict),
      row.hardware.empty() ? "hardware without a name" : name_html(row.hardware),
      kVerdictSentences[static_cast<std::size_t>(row.verdict)]);
  if (!row.why.empty()) html += fmt::format("<p class=\"why\">{}</p>\n", name_html(row.why));
  return html + tiles_html(doc, row) + "</section>\n";
}

}  // namespace

const VerdictLook& look_of(DocVerdict verdict) {
  return kLooks[static_cast<std::size_t>(verdict)];
}

std::string verdict_badge(DocVerdict verdict) {
  const VerdictLook& look = look_of(verdict);
  return fmt::format(
      "<span class=\"badge {}\"><svg class=\"mark\" viewBox=\"0 0 12 12\" "
      "aria-hidden=\"true\">{}</svg>{}</span>",
      look.css, look.mark, look.word);
}

std::string name_html(std::string_view text) {
  return fmt::format("<bdi>{}</bdi>", escape_html(text));
}

std::string figure_html(const DocNumber& number, NumberText text) {
  return number ? text(*number) : std::string(kAbsent);
}

std::string span_text(const DocRange& range, NumberText text) {
  const std::string low = text(range.low);
  const std::string high = text(range.high);
  return low == high ? low : fmt::format("{} to {}", low, high);
}

std::string limit_words(std::string_view limited_by) {
  for (const auto& [word, words] : kLimits) {
    if (word == limited_by) return std::string(words);
  }
  return name_html(limited_by);
}

std::string range_marks(double low, double mid, double high) {
  return fmt::format(
      "<line class=\"span\" x1=\"{0:.2f}%\" x2=\"{1:.2f}%\" y1=\"9\" y2=\"9\"></line>"
      "<line class=\"middle\" x1=\"{2:.2f}%\" x2=\"{2:.2f}%\" y1=\"3\" y2=\"15\"></line>",
      low, high, mid);
}

std::string scroll_box(std::string_view label, std::string_view table) {
  return fmt::format("<div class=\"scroll\" role=\"region\" aria-label=\"{}\" tabindex=\"0\">\n{}</div>\n",
                     label, table);
}

std::string plan_page(const boost::json::object& plan) {
  const PlanDoc doc = read_plan_doc(plan);
  std::string body = "<main>\n" + headline_html(doc);
  if (!doc.rows.empty()) {
    const DocRow& row = doc.rows.front();
    body += memory_section(row);
    body += "<div class=\"columns\">\n<div>\n" + roofline_section(row) + "</div>\n<div>\n";
    body += forecast_section(row) + changes_section(row) + "</div>\n</div>\n";
    body += comparison_section(doc);
  }
  body +=
      "<footer>\n<p>Forecasts are computed from the model&#39;s sizes and the hardware&#39;s figures; ranges "
      "say "
      "how far they may be off.";
  if (!doc.model.source.empty()) body += fmt::format(" Model: {}.", name_html(doc.model.source));
  body += "</p>\n</footer>\n</main>\n";
  return html_page({.title = fmt::format("Plan: {} {}", model_name(doc), doc.model.type),
                    .style = kPlanStyle,
                    .body = body,
                    .script = kPlanScript});
}

}  // namespace cistern::tools
