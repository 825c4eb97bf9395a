#include "tools/bench_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "tools/html.h"

namespace cistern::tools {
namespace {

const char* name_of(BenchCase::What what) {
  return what == BenchCase::What::kPrefill ? "prefill" : "decode";
}

struct BoundRow {
  const char* name;
  const char* colour;
};
constexpr std::array kBounds = {BoundRow{"reading", "#2b6cb0"}, BoundRow{"arithmetic", "#c05621"},
                                BoundRow{"disk", "#2f855a"}};

const char* name_of(Bound bound) {
  return kBounds[static_cast<std::size_t>(bound)].name;
}
const char* colour_of(Bound bound) {
  return kBounds[static_cast<std::size_t>(bound)].colour;
}

constexpr const char* kStyle = R"(
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; background: #fff }
table { border-collapse: collapse } td, th { padding: .3rem .8rem; text-align: right; border-bottom: 1px solid #d0d7de }
td:first-child, th:first-child { text-align: left }
.bar { fill: #2b6cb0 } .limit { stroke: #c05621; stroke-width: 2 } text { font-size: 13px; fill: currentColor }
@media (prefers-color-scheme: dark) { body { color: #e6edf3; background: #0d1117 } td, th { border-color: #30363d } .bar { fill: #58a6ff } }
)";

constexpr const char* kBody = R"(<h1>{title}</h1>
<p>{model}</p><p>{machine}</p>
<h2>Tokens per second</h2>
<p>Bars: measured (median). Lines: what reading, arithmetic or the disk allows, measured beside it.</p>
{bars}
<h2>Roofline</h2>
<p>Attained share of the limit by what bounds it.</p>
{roofline}
<h2>Table</h2>
<table><tr><th>what<th>depth<th>batch<th>tokens<th>tok/s<th>min<th>max<th>limit<th>share<th>bound</tr>
{rows}</table>
)";

std::string label_of(const BenchCase& c) {
  return fmt::format("{} {}{}{}", name_of(c.what), c.what == BenchCase::What::kPrefill ? c.tokens : c.batch,
                     c.what == BenchCase::What::kPrefill ? " tokens"
                     : c.batch == 1                      ? " sequence"
                                                         : " sequences",
                     c.depth > 0 ? fmt::format(" at {}", c.depth) : "");
}

// A horizontal bar per result on a logarithmic scale, prefill and decode being two orders apart.
std::string bars_svg(const std::vector<BenchResult>& results) {
  constexpr double kLeft = 220, kWidth = 560, kRow = 28;
  double most = 1;
  for (const BenchResult& r : results) most = std::max({most, r.tok_s.median, r.limit_tok_s});
  const auto x = [&](double v) { return kLeft + kWidth * std::log10(1 + v) / std::log10(1 + most); };
  std::string svg = fmt::format("<svg role=\"img\" viewBox=\"0 0 880 {:.0f}\" width=\"100%\">\n",
                                kRow * static_cast<double>(results.size()) + 10);
  double y = 4;
  for (const BenchResult& r : results) {
    svg += fmt::format(
        "<text x=\"0\" y=\"{0:.0f}\">{1}</text><rect class=\"bar\" x=\"{2}\" y=\"{3:.0f}\" width=\"{4:.1f}\" "
        "height=\"18\"/><line class=\"limit\" x1=\"{5:.1f}\" x2=\"{5:.1f}\" y1=\"{6:.0f}\" y2=\"{7:.0f}\"/>"
        "<text x=\"{8:.0f}\" y=\"{0:.0f}\">{9:.1f}</text>\n",
        y + 15, label_of(r.measured), kLeft, y, x(r.tok_s.median) - kLeft, x(r.limit_tok_s), y - 2, y + 20,
        kLeft + kWidth + 12, r.tok_s.median);
    y += kRow;
  }
  return svg + "</svg>";
}

// Share of the limit against tokens per pass: on the left reading bounds, on the right arithmetic.
std::string roofline_svg(const std::vector<BenchResult>& results) {
  constexpr double kLeft = 60, kWidth = 760, kTop = 10, kHeight = 240;
  double most = 2;
  const auto tokens_of = [](const BenchResult& r) {
    return r.measured.what == BenchCase::What::kPrefill ? r.measured.tokens : r.measured.batch;
  };
  for (const BenchResult& r : results) most = std::max(most, static_cast<double>(tokens_of(r)));
  std::string svg = "<svg role=\"img\" viewBox=\"0 0 880 300\" width=\"100%\">\n";
  for (const double share : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    const double y = kTop + kHeight * (1 - share);
    svg += fmt::format(
        "<line x1=\"{0}\" x2=\"{1}\" y1=\"{2:.0f}\" y2=\"{2:.0f}\" stroke=\"currentColor\" "
        "stroke-opacity=\".2\"/>"
        "<text x=\"8\" y=\"{3:.0f}\">{4:.2f}</text>\n",
        kLeft, kLeft + kWidth, y, y + 4, share);
  }
  for (const BenchResult& r : results) {
    const double x = kLeft + 20 + (kWidth - 40) * std::log2(tokens_of(r)) / std::log2(most);
    svg += fmt::format(
        "<circle cx=\"{:.0f}\" cy=\"{:.0f}\" r=\"5\" fill=\"{}\"><title>{}: {:.2f} of {}</title></circle>\n",
        x, kTop + kHeight * (1 - std::min(r.share, 1.0)), colour_of(r.bound), label_of(r.measured), r.share,
        name_of(r.bound));
  }
  return svg + fmt::format(
                   "<text x=\"{}\" y=\"290\">tokens per pass (1 to {:.0f}, logarithmic); blue: bound by "
                   "reading, orange: by arithmetic, green: by the disk</text>\n</svg>",
                   kLeft, most);
}

std::string machine_line(const BenchMachine& m) {
  return fmt::format(
      "{}, {} threads; reads {:.1f} GB/s; int8 {:.0f}, bf16 {:.0f}, f32 {:.0f} G multiply-accumulates per "
      "second",
      m.isa, m.threads, m.read_gbps, m.int8_gmacs, m.bf16_gmacs, m.f32_gmacs);
}

std::string model_line(const BenchModel& m) {
  return fmt::format("{}: {} {}, {:.2f} GB read per token, loaded in {:.2f} s", m.path, m.arch, m.type,
                     static_cast<double>(m.bytes_per_token) / 1e9, m.load_s);
}

}  // namespace

boost::json::object bench_json(const BenchReport& report) {
  boost::json::array results;
  for (const BenchResult& r : report.results) {
    results.push_back(boost::json::object{
        {"what", name_of(r.measured.what)},
        {"depth", r.measured.depth},
        {"batch", r.measured.batch},
        {"tokens", r.measured.tokens},
        {"tok_s", {{"median", r.tok_s.median}, {"min", r.tok_s.min}, {"max", r.tok_s.max}}},
        {"limit_tok_s", r.limit_tok_s},
        {"share", r.share},
        {"bound", name_of(r.bound)},
        {"disk_bytes_per_token", r.disk_bytes_per_token}});
  }
  const BenchMachine& m = report.machine;
  return {{"machine",
           {{"read_gbps", m.read_gbps},
            {"int8_gmacs", m.int8_gmacs},
            {"bf16_gmacs", m.bf16_gmacs},
            {"f32_gmacs", m.f32_gmacs},
            {"disk_gbps", m.disk_gbps},
            {"isa", m.isa},
            {"threads", m.threads}}},
          {"model",
           {{"path", report.model.path},
            {"arch", report.model.arch},
            {"type", report.model.type},
            {"bytes_per_token", report.model.bytes_per_token},
            {"load_s", report.model.load_s}}},
          {"results", results}};
}

std::string bench_csv(const BenchReport& report) {
  std::string csv = "what,depth,batch,tokens,tok_s,tok_s_min,tok_s_max,limit_tok_s,share,bound\n";
  for (const BenchResult& r : report.results) {
    csv += fmt::format("{},{},{},{},{:.3f},{:.3f},{:.3f},{:.3f},{:.4f},{}\n", name_of(r.measured.what),
                       r.measured.depth, r.measured.batch, r.measured.tokens, r.tok_s.median, r.tok_s.min,
                       r.tok_s.max, r.limit_tok_s, r.share, name_of(r.bound));
  }
  return csv;
}

std::string bench_markdown(const BenchReport& report) {
  std::string text = fmt::format("{}\n{}\n\n", model_line(report.model), machine_line(report.machine));
  text += "| what | depth | batch | tokens | tok/s | min .. max | limit | share | bound |\n";
  text += "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n";
  for (const BenchResult& r : report.results) {
    text += fmt::format("| {} | {} | {} | {} | {:.1f} | {:.1f} .. {:.1f} | {:.1f} | {:.2f} | {} |\n",
                        name_of(r.measured.what), r.measured.depth, r.measured.batch, r.measured.tokens,
                        r.tok_s.median, r.tok_s.min, r.tok_s.max, r.limit_tok_s, r.share, name_of(r.bound));
  }
  return text;
}

std::string bench_html(const BenchReport& report) {
  std::string rows;
  for (const BenchResult& r : report.results) {
    rows += fmt::format(
        "<tr><td>{}<td>{}<td>{}<td>{}<td>{:.1f}<td>{:.1f}<td>{:.1f}<td>{:.1f}<td>{:.2f}<td>{}</tr>\n",
        name_of(r.measured.what), r.measured.depth, r.measured.batch, r.measured.tokens, r.tok_s.median,
        r.tok_s.min, r.tok_s.max, r.limit_tok_s, r.share, name_of(r.bound));
  }
  const std::string title = report.model.arch + " " + report.model.type;
  const std::string body =
      fmt::format(fmt::runtime(kBody), fmt::arg("title", escape_html(title)),
                  fmt::arg("model", escape_html(model_line(report.model))),
                  fmt::arg("machine", escape_html(machine_line(report.machine))),
                  fmt::arg("bars", bars_svg(report.results)),
                  fmt::arg("roofline", roofline_svg(report.results)), fmt::arg("rows", rows));
  return html_page({.title = "cistern bench: " + title, .style = kStyle, .body = body});
}

}  // namespace cistern::tools
