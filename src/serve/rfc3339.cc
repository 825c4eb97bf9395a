#include "serve/rfc3339.h"

#include <algorithm>

#include <fmt/format.h>

namespace cistern::serve {
namespace {

namespace chrono = std::chrono;

constexpr std::int64_t kFirst = -62167219200;  // 0000-01-01T00:00:00Z
constexpr std::int64_t kLast = 253402300799;   // 9999-12-31T23:59:59Z

std::string without_zone(std::int64_t seconds) {
  const chrono::sys_seconds time(chrono::seconds(std::clamp(seconds, kFirst, kLast)));
  const auto day = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

}  // namespace

std::string rfc3339(std::int64_t seconds_since_1970) {
  return without_zone(seconds_since_1970) + "Z";
}

std::string rfc3339_us(chrono::system_clock::time_point time) {
  const auto second = chrono::floor<chrono::seconds>(time);
  const auto rest = chrono::floor<chrono::microseconds>(time - second);
  return fmt::format("{}.{:06}Z", without_zone(second.time_since_epoch().count()), rest.count());
}

}  // namespace cistern::serve
