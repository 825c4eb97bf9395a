// All hardware of the plan in one table. Cells carry their values beside their texts ("data-v"), by which the
// page's script sorts; what is absent has none and goes last.
#include <fmt/format.h>

#include <array>
#include <vector>

#include "tools/html.h"
#include "tools/log_axis.h"
#include "tools/number_text.h"
#include "tools/plan_page_parts.h"

namespace cistern::tools {
namespace {

std::string dollars_text(double usd) {
  return "$" + number_text(usd);
}

DocNumber middle(const std::optional<DocRange>& range) {
  return range ? DocNumber(range->mid) : std::nullopt;
}

// The order that a first click sorts in: what one looks for comes first.
struct ColumnLook {
  const char* name;
  const char* first;  // up, down
  const char* css = "figure";
};
constexpr std::array<ColumnLook, 12> kColumns = {{{"Hardware", "up", "word"},
                                                  {"verdict", "down", "word"},
                                                  {"tok/s", "down"},
                                                  {"", ""},  // the range of it, drawn
                                                  {"first token", "up"},
                                                  {"memory", "up"},
                                                  {"limited by", "up", "word"},
                                                  {"price", "up"},
                                                  {"$ per tok/s", "up"},
                                                  {"$ per GB", "up"},
                                                  {"power", "up"},
                                                  {"tok/J", "down"}}};

std::string cell(const DocNumber& value, NumberText text) {
  return value ? fmt::format("<td data-v=\"{:.9g}\">{}</td>", *value, text(*value))
               : fmt::format("<td>{}</td>", kAbsent);
}

std::string watts_text(double watts) {
  return number_text(watts) + " W";
}

std::string rate_cell(const std::optional<DocRange>& range) {
  if (!range) return fmt::format("<td>{}</td>", kAbsent);
  return fmt::format("<td data-v=\"{:.9g}\"><b>{}</b><small>{}</small></td>", range->mid,
                     number_text(range->mid), span_text(*range, number_text));
}

// The scale that the ranges of all rows are drawn on; nothing where there are no two to compare.
std::optional<LogAxis> axis_of(const PlanDoc& doc) {
  std::vector<double> values;
  for (const DocRow& row : doc.rows) {
    if (const auto& decode = row.forecast.decode_tok_s)
      values.insert(values.end(), {decode->low, decode->high});
  }
  if (values.size() < 4) return std::nullopt;
  return LogAxis(values, AxisEnds::kValues);
}

std::string range_head(const LogAxis& axis) {
  return fmt::format(
      "<th scope=\"col\" class=\"drawn\" aria-label=\"range of tok/s, drawn\"><span "
      "class=\"ends\"><span>{}</span><span>log scale</span><span>{}</span></span></th>",
      number_text(axis.least()), number_text(axis.greatest()));
}

std::string range_cell(const std::optional<DocRange>& range, const LogAxis& axis) {
  std::string svg = "<svg class=\"range\" width=\"100%\" height=\"18\" aria-hidden=\"true\">";
  for (const double tick : axis.ticks(5)) {
    svg += fmt::format("<line class=\"base\" x1=\"{0:.2f}%\" x2=\"{0:.2f}%\" y1=\"2\" y2=\"16\"></line>",
                       100 * axis.at(tick));
  }
  if (range)
    svg += range_marks(100 * axis.at(range->low), 100 * axis.at(range->mid), 100 * axis.at(range->high));
  return "<td class=\"drawn\">" + svg + "</svg></td>";
}

std::string hardware_cell(const DocRow& row) {
  std::string html = fmt::format("<th scope=\"row\" data-v=\"{}\">{}", escape_html(row.hardware),
                                 row.hardware.empty() ? std::string(kAbsent) : name_html(row.hardware));
  if (row.unconfirmed) html += " <span class=\"unconfirmed\">unconfirmed</span>";
  return html + "</th>";
}

std::string table_row(const DocRow& row, const std::optional<LogAxis>& axis) {
  std::string html = "<tr>" + hardware_cell(row);
  html += fmt::format("<td class=\"word\" data-v=\"{}\">{}</td>", look_of(row.verdict).rank,
                      verdict_badge(row.verdict));
  html += rate_cell(row.forecast.decode_tok_s);
  if (axis) html += range_cell(row.forecast.decode_tok_s, *axis);
  html += cell(middle(row.forecast.first_token_s), seconds_text) + cell(row.total_bytes, bytes_text);
  html += row.limited_by.empty() ? fmt::format("<td class=\"word\">{}</td>", kAbsent)
                                 : fmt::format("<td class=\"word\" data-v=\"{}\">{}</td>",
                                               escape_html(row.limited_by), name_html(row.limited_by));
  html += cell(row.price_usd, dollars_text) + cell(row.usd_per_tok_s, dollars_text);
  html +=
      cell(row.usd_per_gb, dollars_text) + cell(row.power_w, watts_text) + cell(row.tok_per_j, number_text);
  return html + "</tr>\n";
}

}  // namespace

std::string comparison_section(const PlanDoc& doc) {
  const std::optional<LogAxis> axis = axis_of(doc);
  std::string table = "<table class=\"sortable\">\n<thead><tr>";
  for (const ColumnLook& column : kColumns) {
    if (*column.name == '\0') {
      table += axis ? range_head(*axis) : "";
      continue;
    }
    table += fmt::format("<th scope=\"col\" class=\"{}\" data-first=\"{}\">{}</th>", column.css, column.first,
                         column.name);
  }
  table += "</tr></thead>\n<tbody>\n";
  bool unconfirmed = false;
  std::string reasons;
  for (const DocRow& row : doc.rows) {
    table += table_row(row, axis);
    unconfirmed = unconfirmed || row.unconfirmed;
    if (&row != &doc.rows.front() && row.verdict != DocVerdict::kFits && !row.why.empty())
      reasons += fmt::format("<dt>{}</dt><dd>{}</dd>\n", name_html(row.hardware), name_html(row.why));
  }
  table += "</tbody>\n</table>\n";
  std::string html =
      "<section class=\"comparison\" aria-labelledby=\"h-hardware\">\n<h2 id=\"h-hardware\">Hardware</h2>\n";
  html += scroll_box("Hardware compared", table);
  if (unconfirmed)
    html +=
        "<p class=\"note\"><span class=\"unconfirmed\">unconfirmed</span> means that figures of this "
        "hardware come from no source that was checked.</p>\n";
  if (!reasons.empty())
    html += "<h3>Why not all of it fits</h3>\n<dl class=\"reasons\">\n" + reasons + "</dl>\n";
  return html + "</section>\n";
}

}  // namespace cistern::tools
