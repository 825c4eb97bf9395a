// The sections of the page that plan_page() puts together, and the few things they share. Internal to
// plan_page*. Each section is a whole <section> of HTML, or nothing where the document has nothing for it.
// Plots have sizes along x in percent and texts in pixels, so that they keep readable from a telephone to a
// wide screen. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tools/plan_doc.h"

namespace cistern::tools {

std::string memory_section(const DocRow& row);
std::string roofline_section(const DocRow& row);
std::string forecast_section(const DocRow& row);
std::string changes_section(const DocRow& row);
std::string comparison_section(const PlanDoc& doc);

struct VerdictLook {
  const char* word;  // "Fits"
  const char* css;   // class of its colour
  const char* mark;  // SVG shapes in a square of 12: says the same without colour
  int rank;          // better is more
};
const VerdictLook& look_of(DocVerdict verdict);
// Mark and word.
std::string verdict_badge(DocVerdict verdict);

// Escaped, and kept from changing the direction of what stands beside it.
std::string name_html(std::string_view text);
// What stands for an absent figure.
inline constexpr std::string_view kAbsent = "<span class=\"none\">n/a</span>";

using NumberText = std::string (*)(double);
std::string figure_html(const DocNumber& number, NumberText text);
// "10.1 to 14.9"
std::string span_text(const DocRange& range, NumberText text);

// "memory" -> "reading memory"; other words as they are, escaped.
std::string limit_words(std::string_view limited_by);

// Within an SVG of 18 pixels: a bar from `low` to `high` and a mark at `mid`, in percent of the width.
std::string range_marks(double low, double mid, double high);

// A table in a box of its own that scrolls sideways where it is too wide. `label` names it to screen readers.
std::string scroll_box(std::string_view label, std::string_view table);

}  // namespace cistern::tools
