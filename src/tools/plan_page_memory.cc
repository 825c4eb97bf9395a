// What takes the memory: a stacked bar per memory of the machine, and the same in numbers.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tools/html.h"
#include "tools/number_text.h"
#include "tools/plan_page_parts.h"

namespace cistern::tools {
namespace {

// Widths in pixels that bars have on a telephone and from kWide on (plan_page_style.h shows class "w" there):
// a label is drawn where it fits.
constexpr double kNarrowBar = 280;
constexpr double kWideBar = 640;
constexpr double kLetter = 7;  // of the labels' font, generously
// Bars share a scale while the smallest memory is still legible on it.
constexpr double kMostRatio = 8;

struct PartLook {
  const char* name;
  const char* css;
  double DocParts::* bytes;
};
constexpr std::array<PartLook, 5> kParts = {{{"weights", "p-weights", &DocParts::weights},
                                             {"experts", "p-experts", &DocParts::experts},
                                             {"KV cache", "p-kv", &DocParts::kv},
                                             {"buffers", "p-buffers", &DocParts::buffers},
                                             {"overhead", "p-overhead", &DocParts::overhead}}};

// A disk's capacity says nothing about the plan, so its bar is as long as what is read from it.
bool bounded(const DocTier& tier) {
  return tier.capacity && tier.kind != "disk";
}
double length_of(const DocTier& tier) {
  return std::max(tier.parts.sum(), bounded(tier) ? *tier.capacity : 0);
}

// Of all memories but disks.
DocNumber capacity_of(const DocRow& row) {
  double sum = 0;
  for (const DocTier& tier : row.tiers) sum += bounded(tier) ? *tier.capacity : 0;
  return sum > 0 ? DocNumber(sum) : std::nullopt;
}

// The document's tiers, or one for all where it has none.
std::vector<DocTier> tiers_of(const DocRow& row) {
  std::vector<DocTier> tiers = row.tiers;
  if (tiers.empty() && row.parts.sum() > 0)
    tiers.push_back({.name = "needed in all", .kind = "", .capacity = std::nullopt, .parts = row.parts});
  return tiers;
}

bool has_experts(const std::vector<DocTier>& tiers) {
  return std::ranges::any_of(tiers, [](const DocTier& tier) { return tier.parts.experts > 0; });
}

std::string segment_label(const PartLook& part, double bytes, double x, double share) {
  const std::string text = fmt::format("{} {}", part.name, bytes_text(bytes));
  const double wanted = kLetter * static_cast<double>(text.size()) + 8;
  if (wanted > kWideBar * share) return "";
  return fmt::format("<text class=\"{}{}\" x=\"{:.3f}%\" y=\"25\">{}</text>", part.css,
                     wanted > kNarrowBar * share ? " w" : "", 100 * (x + share / 2), text);
}

// `x` and `share` are parts of the bar's width.
std::string segment_rect(std::string_view css, double x, double share) {
  if (share <= 0) return "";
  return fmt::format("<rect class=\"{}\" x=\"{:.3f}%\" y=\"6\" width=\"{:.3f}%\" height=\"28\"></rect>", css,
                     100 * x, 100 * share);
}

// `scale` is the number of bytes that the full width stands for.
std::string bar_svg(const DocTier& tier, double scale, std::size_t index) {
  const auto share = [&](double bytes) { return scale > 0 ? std::min(bytes / scale, 1.0) : 0; };
  const double used = tier.parts.sum();
  std::string svg = fmt::format(
      "<svg class=\"bar\" role=\"img\" width=\"100%\" height=\"40\" aria-labelledby=\"mt{0} md{0}\">\n"
      "<title id=\"mt{0}\">Memory: {1}</title>\n<desc id=\"md{0}\">",
      index, escape_html(tier.name));
  for (const PartLook& part : kParts) {
    if (tier.parts.*part.bytes > 0)
      svg += fmt::format("{} {}; ", part.name, bytes_text(tier.parts.*part.bytes));
  }
  svg += fmt::format("{} in all{}</desc>\n", bytes_text(used),
                     bounded(tier) ? ", capacity " + bytes_text(*tier.capacity) : "");
  const double capacity = bounded(tier) ? share(*tier.capacity) : 0;
  svg += segment_rect("free", 0, capacity) + "\n";
  std::string labels;  // over everything else
  double x = 0;
  for (const PartLook& part : kParts) {
    const double bytes = tier.parts.*part.bytes;
    if (bytes <= 0) continue;
    const double width = std::min(share(bytes), 1 - x);
    svg += fmt::format("<g><title>{} {}</title>{}", part.name, bytes_text(bytes),
                       segment_rect(part.css, x, width));
    if (part.bytes == &DocParts::experts) svg += segment_rect("hatched", x, width);
    svg += "</g>\n";
    labels += segment_label(part, bytes, x, width);
    x += width;
  }
  if (bounded(tier)) {
    svg += segment_rect("over", capacity, std::max(0.0, share(used) - capacity));
    svg +=
        fmt::format("<line class=\"capacity\" x1=\"{0:.3f}%\" x2=\"{0:.3f}%\" y1=\"0\" y2=\"40\"></line>\n",
                    100 * capacity);
  }
  return svg + labels + "</svg>\n";
}

std::string tier_words(const DocTier& tier) {
  const double used = tier.parts.sum();
  if (!bounded(tier)) return bytes_text(used) + (tier.kind == "disk" ? " stay on disk" : "");
  std::string words = fmt::format("{} of {}", bytes_text(used), bytes_text(*tier.capacity));
  if (used > *tier.capacity) {
    words += fmt::format(", <b class=\"refused\">{} too much</b>", bytes_text(used - *tier.capacity));
  } else if (*tier.capacity > 0) {
    words += fmt::format(", {}", percent_text(used / *tier.capacity));
  }
  return words;
}

std::string legend_html(bool experts) {
  std::string html = "<ul class=\"legend\">\n";
  for (const PartLook& part : kParts) {
    const bool hatched = part.bytes == &DocParts::experts;
    if (hatched && !experts) continue;
    html += fmt::format(
        "<li><svg width=\"14\" height=\"14\" aria-hidden=\"true\"><rect class=\"{}\" width=\"14\" "
        "height=\"14\"></rect>{}</svg>{}</li>\n",
        part.css, hatched ? "<rect class=\"hatched\" width=\"14\" height=\"14\"></rect>" : "",
        hatched                                       ? "weights of routed experts"
        : experts && part.bytes == &DocParts::weights ? "other weights"
                                                      : part.name);
  }
  return html +
         "<li><svg width=\"14\" height=\"14\" aria-hidden=\"true\"><line class=\"capacity\" x1=\"7\" "
         "x2=\"7\" "
         "y1=\"0\" y2=\"14\"></line></svg>capacity</li>\n</ul>\n";
}

std::string table_row(std::string_view name, const DocParts& parts, double sum, const DocNumber& capacity,
                      bool experts) {
  std::string html = fmt::format("<tr><th scope=\"row\">{}</th>", name);
  for (const PartLook& part : kParts) {
    if (part.bytes == &DocParts::experts && !experts) continue;
    html += fmt::format("<td>{}</td>", bytes_text(parts.*part.bytes));
  }
  return html +
         fmt::format("<td>{}</td><td>{}</td></tr>\n", bytes_text(sum), figure_html(capacity, bytes_text));
}

std::string numbers_html(const DocRow& row, const std::vector<DocTier>& tiers, bool experts) {
  std::string html = "<table>\n<thead><tr><th scope=\"col\">Where</th>";
  for (const PartLook& part : kParts) {
    if (part.bytes == &DocParts::experts && !experts) continue;
    html += fmt::format("<th scope=\"col\">{}{}</th>",
                        experts && part.bytes == &DocParts::weights ? "other " : "", part.name);
  }
  html += "<th scope=\"col\">sum</th><th scope=\"col\">capacity</th></tr></thead>\n<tbody>\n";
  for (const DocTier& tier : tiers)
    html += table_row(name_html(tier.name), tier.parts, tier.parts.sum(), tier.capacity, experts);
  if (row.total_bytes && !row.tiers.empty())
    html += table_row("All of the plan", row.parts, *row.total_bytes, capacity_of(row), experts);
  return html + "</tbody>\n</table>\n";
}

// Diagonal lines: experts and what is too much are told apart without colours.
constexpr std::string_view kPatterns =
    "<svg class=\"patterns\" width=\"0\" height=\"0\" aria-hidden=\"true\"><defs>\n"
    "<pattern id=\"hatch\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\" "
    "patternTransform=\"rotate(45)\"><line x1=\"0\" x2=\"0\" y1=\"0\" y2=\"7\" stroke=\"#0b4f7a\" "
    "stroke-width=\"2\" stroke-opacity=\".55\"></line></pattern>\n"
    "<pattern id=\"cross\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" "
    "patternTransform=\"rotate(-45)\"><line class=\"over-line\" x1=\"0\" x2=\"0\" y1=\"0\" y2=\"6\" "
    "stroke-width=\"4\"></line></pattern>\n</defs></svg>\n";

}  // namespace

std::string memory_section(const DocRow& row) {
  const std::vector<DocTier> tiers = tiers_of(row);
  if (tiers.empty()) return "";
  const bool experts = has_experts(tiers) || row.parts.experts > 0;
  double longest = 0;
  double shortest = 1e300;
  for (const DocTier& tier : tiers) {
    if (length_of(tier) <= 0) continue;
    longest = std::max(longest, length_of(tier));
    shortest = std::min(shortest, length_of(tier));
  }
  const bool shared = longest <= kMostRatio * shortest;
  std::string html = "<section aria-labelledby=\"h-memory\">\n<h2 id=\"h-memory\">Memory</h2>\n";
  html += kPatterns;
  html += legend_html(experts);
  for (std::size_t i = 0; i < tiers.size(); ++i) {
    html += fmt::format("<div class=\"tier\"><p><b>{}</b><span>{}</span></p>\n",
                        tiers[i].name.empty() ? name_html(tiers[i].kind) : name_html(tiers[i].name),
                        tier_words(tiers[i]));
    html += bar_svg(tiers[i], shared ? longest : length_of(tiers[i]), i) + "</div>\n";
  }
  if (!shared) html += "<p class=\"note\">Each bar has a scale of its own.</p>\n";
  html += scroll_box("Memory in numbers", numbers_html(row, tiers, experts));
  return html + "</section>\n";
}

}  // namespace cistern::tools
