#include "text/jinja/strftime.h"

#include <ctime>

#include "text/jinja/failure.h"

namespace cistern::text::jinja {
namespace {

std::tm calendar_of(LocalTime time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const auto clock = floor<seconds>(time) - day;
  std::tm out{};
  out.tm_year = static_cast<int>(date.year()) - 1900;
  out.tm_mon = static_cast<int>(static_cast<unsigned>(date.month())) - 1;
  out.tm_mday = static_cast<int>(static_cast<unsigned>(date.day()));
  out.tm_hour = static_cast<int>(duration_cast<hours>(clock).count());
  out.tm_min = static_cast<int>(duration_cast<minutes>(clock).count() % 60);
  out.tm_sec = static_cast<int>(clock.count() % 60);
  out.tm_wday = static_cast<int>(weekday(day).c_encoding());
  out.tm_yday = static_cast<int>((day - local_days(date.year() / January / 1)).count());
  out.tm_isdst = -1;
  return out;
}

// One directive, "%-d" and the like, through the C library; the program never leaves the C locale.
std::string format_directive(const char* directive, const std::tm& calendar) {
  char buffer[64];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  const std::size_t size = std::strftime(buffer, sizeof buffer, directive, &calendar);
#pragma GCC diagnostic pop
  return {buffer, size};
}

}  // namespace

std::string format_time(Runtime& rt, std::string_view format, LocalTime time) {
  const std::tm calendar = calendar_of(time);
  const auto microseconds = (time - std::chrono::floor<std::chrono::seconds>(time)).count();
  std::string out;
  for (std::size_t i = 0; i < format.size();) {
    rt.step();
    rt.reserve(out.size() + 64);
    if (format[i] != '%' || i + 1 == format.size()) {
      out += format[i++];
      continue;
    }
    std::string directive = "%";
    ++i;
    if (std::string_view("-_0^#").find(format[i]) != std::string_view::npos && i + 1 < format.size()) {
      directive += format[i++];
    }
    const char letter = format[i++];
    directive += letter;
    if (letter == 'f' && directive.size() == 2) {
      out += fmt::format("{:06}", microseconds);
    } else if ((letter == 'z' || letter == 'Z') && directive.size() == 2) {
      // a time without a zone: nothing
    } else if (std::string_view("aAbBcCdDeFgGhHIjklmMnprRStTuUVwWxXyY%").find(letter) !=
               std::string_view::npos) {
      out += format_directive(directive.c_str(), calendar);
    } else {
      raise("the date format '{}' is not supported", directive);
    }
  }
  return out;
}

LocalTime local_time_now() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm calendar{};
  localtime_r(&seconds, &calendar);
  using namespace std::chrono;
  const auto day = local_days(year(calendar.tm_year + 1900) / (calendar.tm_mon + 1) / calendar.tm_mday);
  const auto fraction = duration_cast<std::chrono::microseconds>(now.time_since_epoch()) % 1s;
  return day + hours(calendar.tm_hour) + minutes(calendar.tm_min) + std::chrono::seconds(calendar.tm_sec) +
         fraction;
}

}  // namespace cistern::text::jinja
