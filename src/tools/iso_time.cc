#include "tools/iso_time.h"

#include <fmt/format.h>

#include <chrono>
#include <optional>

namespace cistern::tools {
namespace {

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  int value = 0;
  if (text.size() < count) return std::nullopt;
  for (const char c : text.substr(0, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = 10 * value + (c - '0');
  }
  text.remove_prefix(count);
  return value;
}

std::chrono::microseconds take_fraction(std::string_view& text) {
  int value = 0;
  int scale = 1'000'000;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    scale /= 10;
    value += (text.front() - '0') * scale;
    text.remove_prefix(1);
  }
  return std::chrono::microseconds(value);
}

bool take_zone(std::string_view& text) {
  if (text.empty() || take(text, "Z")) return true;
  if (!take(text, "+-") || !take_digits(text, 2)) return false;
  take(text, ":");
  return text.empty() || take_digits(text, 2).has_value();
}

std::optional<text::jinja::LocalTime> parse(std::string_view text) {
  using namespace std::chrono;
  const auto y = take_digits(text, 4);
  if (!y || !take(text, "-")) return std::nullopt;
  const auto m = take_digits(text, 2);
  if (!m || !take(text, "-")) return std::nullopt;
  const auto d = take_digits(text, 2);
  if (!d) return std::nullopt;
  const year_month_day date{year(*y), month(static_cast<unsigned>(*m)), day(static_cast<unsigned>(*d))};
  if (!date.ok()) return std::nullopt;
  text::jinja::LocalTime time = local_days(date);
  if (text.empty()) return time;
  if (!take(text, "T ")) return std::nullopt;
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take(text, ":")) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  time += hours(*hour) + minutes(*minute);
  if (take(text, ":")) {
    const auto second = take_digits(text, 2);
    if (!second || *second > 59) return std::nullopt;
    time += seconds(*second);
    if (take(text, ".")) time += take_fraction(text);
  }
  if (!take_zone(text) || !text.empty()) return std::nullopt;
  return time;
}

}  // namespace

Result<text::jinja::LocalTime> parse_iso_time(std::string_view text) {
  if (const auto time = parse(text)) return *time;
  return fail(ErrorCode::kUsage, fmt::format("'{}' is no time; write 2026-03-07T14:05:09", text));
}

}  // namespace cistern::tools
