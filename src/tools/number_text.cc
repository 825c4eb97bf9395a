#include "tools/number_text.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdint>

#include "plan/memory_plan.h"

namespace cistern::tools {
namespace {

constexpr double kMostPlain = 1e15;  // beyond, digits mean nothing to anybody

struct Unit {
  double from;
  double size;
  const char* name;
};
constexpr std::array kSiUnits = {Unit{1e18, 1e18, "E"}, Unit{1e15, 1e15, "P"}, Unit{1e12, 1e12, "T"},
                                 Unit{1e9, 1e9, "G"},   Unit{1e6, 1e6, "M"},   Unit{1e3, 1e3, "k"}};
constexpr std::array kTimeUnits = {Unit{172800, 86400, "days"}, Unit{7200, 3600, "h"}, Unit{120, 60, "min"},
                                   Unit{1, 1, "s"}};

}  // namespace

std::string count_text(double count) {
  if (!(std::abs(count) < kMostPlain)) return fmt::format("{:.1e}", count);
  std::string digits = fmt::format("{:.0f}", count);
  const int first = count < 0 ? 1 : 0;
  for (int at = static_cast<int>(digits.size()) - 3; at > first; at -= 3)
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  return digits;
}

std::string number_text(double value) {
  if (value == 0) return "0";
  const double size = std::abs(value);
  if (size >= 99.95) return count_text(value);
  if (size >= 9.995) return fmt::format("{:.1f}", value);
  if (size >= 0.995) return fmt::format("{:.2f}", value);
  if (size >= 0.001) return fmt::format("{:#.2g}", value);
  return fmt::format("{:.1e}", value);
}

std::string si_text(double value, std::string_view unit) {
  for (const Unit& si : kSiUnits) {
    if (value >= si.from) return fmt::format("{} {}{}", number_text(value / si.size), si.name, unit);
  }
  return fmt::format("{}{}{}", number_text(value), unit.empty() ? "" : " ", unit);
}

std::string power_text(double power_of_ten) {
  if (power_of_ten < 1 || power_of_ten >= 1e21) return fmt::format("{:.3g}", power_of_ten);
  for (const Unit& si : kSiUnits) {
    if (power_of_ten >= si.from) return fmt::format("{:.0f} {}", power_of_ten / si.size, si.name);
  }
  return fmt::format("{:.0f}", power_of_ten);
}

std::string billions_text(double count) {
  const bool billions = count >= 1e9;
  return fmt::format("{} {}", number_text(count / (billions ? 1e9 : 1e6)), billions ? "billion" : "million");
}

std::string seconds_text(double seconds) {
  for (const Unit& unit : kTimeUnits) {
    if (seconds >= unit.from) return fmt::format("{} {}", number_text(seconds / unit.size), unit.name);
  }
  return fmt::format("{} ms", number_text(seconds * 1000));
}

std::string bytes_text(double bytes) {
  const bool countable = bytes >= 0 && bytes < 1e19;
  if (!countable) return fmt::format("{:.1e} B", bytes);
  return plan::describe_bytes(static_cast<std::uint64_t>(bytes));
}

std::string percent_text(double share) {
  if (share > 0 && share < 0.01) return "under 1%";
  return fmt::format("{}%", count_text(share * 100));
}

}  // namespace cistern::tools
