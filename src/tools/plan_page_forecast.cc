// What the plan forecasts of one machine, each figure with the range it may lie in, and what would change it.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tools/number_text.h"
#include "tools/plan_page_parts.h"

namespace cistern::tools {
namespace {

std::string rate_text(double tok_s) {
  return number_text(tok_s) + " tok/s";
}

struct FigureLook {
  const char* name;
  std::optional<DocRange> DocForecast::* range;
  NumberText text;
  NumberText short_text;  // in ranges
  bool decode;            // the rates of decoding share a scale
};
constexpr std::array<FigureLook, 7> kFigures = {
    {{"Decoding, empty", &DocForecast::decode_tok_s, rate_text, number_text, true},
     {"Decoding, half full", &DocForecast::decode_half_tok_s, rate_text, number_text, true},
     {"Decoding, full", &DocForecast::decode_full_tok_s, rate_text, number_text, true},
     {"Reading the prompt", &DocForecast::prefill_tok_s, rate_text, number_text, false},
     {"First token after", &DocForecast::first_token_s, seconds_text, seconds_text, false},
     {"Loading", &DocForecast::load_s, seconds_text, seconds_text, false},
     {"Memory at its peak", &DocForecast::peak_bytes, bytes_text, bytes_text, false}}};

// From zero to `most`. The figures stand beside it as text.
std::string range_svg(const DocRange& range, double most) {
  const auto x = [&](double value) { return most > 0 ? 100 * std::min(value / most, 1.0) : 0; };
  return "<svg class=\"range\" width=\"100%\" height=\"18\" aria-hidden=\"true\"><line class=\"base\" "
         "x1=\"0\" "
         "x2=\"100%\" y1=\"9\" y2=\"9\"></line><line class=\"base\" x1=\"0\" x2=\"0\" y1=\"4\" "
         "y2=\"14\"></line>" +
         range_marks(x(range.low), x(range.mid), x(range.high)) + "</svg>";
}

double most_of(const DocForecast& forecast, const FigureLook& figure) {
  double most = 0;
  for (const FigureLook& other : kFigures) {
    const bool same = other.range == figure.range || (other.decode && figure.decode);
    if (const auto& range = forecast.*other.range; same && range) most = std::max(most, range->high);
  }
  return most * 1.1;
}

}  // namespace

std::string forecast_section(const DocRow& row) {
  std::string rows;
  for (const FigureLook& figure : kFigures) {
    const auto& range = row.forecast.*figure.range;
    if (!range) continue;
    rows += fmt::format("<tr><th scope=\"row\">{}</th><td><b>{}</b><small>{}</small></td><td>{}</td></tr>\n",
                        figure.name, figure.text(range->mid), span_text(*range, figure.short_text),
                        range_svg(*range, most_of(row.forecast, figure)));
  }
  std::string html = "<section aria-labelledby=\"h-forecast\">\n<h2 id=\"h-forecast\">Forecast</h2>\n";
  if (rows.empty()) return html + "<p>None: there is nothing to run.</p>\n</section>\n";
  html +=
      "<table class=\"forecast\">\n<thead><tr><th scope=\"col\">Figure</th><th scope=\"col\">middle and "
      "range</th><th scope=\"col\">range, from zero</th></tr></thead>\n<tbody>\n";
  html += rows + "</tbody>\n</table>\n";
  if (row.bytes_per_token)
    html += fmt::format(
        "<p class=\"note\">Decoding with an empty, half full and full context; these rates share a scale. A "
        "token reads {}.</p>\n",
        bytes_text(*row.bytes_per_token));
  return html + "</section>\n";
}

std::string changes_section(const DocRow& row) {
  if (row.changes.empty()) return "";
  std::string html =
      "<section aria-labelledby=\"h-changes\">\n<h2 id=\"h-changes\">What would change it</h2>\n";
  std::string table =
      "<table class=\"changes\">\n<thead><tr><th scope=\"col\">Change</th><th scope=\"col\" "
      "class=\"word\">then</th><th "
      "scope=\"col\">tok/s</th><th scope=\"col\">memory</th></tr></thead>\n<tbody>\n";
  for (const DocChange& change : row.changes) {
    std::string rate(kAbsent);
    if (const auto& decode = change.decode_tok_s) {
      rate = number_text(decode->mid);
      if (decode->low < decode->high)
        rate += fmt::format("<small>{}</small>", span_text(*decode, number_text));
    }
    table +=
        fmt::format("<tr><th scope=\"row\">{}</th><td class=\"word\">{}</td><td>{}</td><td>{}</td></tr>\n",
                    name_html(change.change), verdict_badge(change.verdict), rate,
                    figure_html(change.total_bytes, bytes_text));
  }
  table += "</tbody>\n</table>\n";
  return html + scroll_box("What would change the verdict", table) + "</section>\n";
}

}  // namespace cistern::tools
