#include "serve/operations/exposition.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace cistern::serve {
namespace {

// Models are called what their files are called: anything.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

void Histogram::observe(double value) {
  const auto bucket = std::ranges::lower_bound(bounds_, value) - bounds_.begin();
  counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

void MetricsText::family(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void MetricsText::sample(double value, const Labels& labels) {
  line("", labels, value);
}

void MetricsText::samples(const Histogram& histogram, const Labels& labels) {
  std::uint64_t below = 0;
  for (std::size_t i = 0; i <= histogram.bounds().size(); ++i) {
    below += histogram.count_in(i);
    const bool last = i == histogram.bounds().size();
    const std::string bound = last ? "+Inf" : fmt::format("{}", histogram.bounds()[i]);
    Labels with_bound = labels;
    with_bound.emplace_back("le", bound);
    line("_bucket", with_bound, static_cast<double>(below));
  }
  line("_sum", labels, histogram.sum());
  line("_count", labels, static_cast<double>(below));
}

void MetricsText::line(std::string_view suffix, const Labels& labels, double value) {
  std::string list;
  for (const auto& [name, text] : labels)
    list += fmt::format("{}{}=\"{}\"", list.empty() ? "" : ",", name, escaped(text));
  if (!list.empty()) list = "{" + list + "}";
  const bool whole = std::floor(value) == value && std::abs(value) < 0x1p53;
  text_ += whole ? fmt::format("{}{}{} {:.0f}\n", name_, suffix, list, value)
                 : fmt::format("{}{}{} {}\n", name_, suffix, list, value);
}

}  // namespace cistern::serve
