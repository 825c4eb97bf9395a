#include "serve/http/response_head.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>

namespace cistern::serve::http {
namespace {

struct ReasonRow {
  unsigned status;
  std::string_view phrase;
};

constexpr std::array kReasons = {
    ReasonRow{200, "OK"},
    ReasonRow{201, "Created"},
    ReasonRow{202, "Accepted"},
    ReasonRow{204, "No Content"},
    ReasonRow{301, "Moved Permanently"},
    ReasonRow{302, "Found"},
    ReasonRow{304, "Not Modified"},
    ReasonRow{307, "Temporary Redirect"},
    ReasonRow{308, "Permanent Redirect"},
    ReasonRow{400, "Bad Request"},
    ReasonRow{401, "Unauthorized"},
    ReasonRow{403, "Forbidden"},
    ReasonRow{404, "Not Found"},
    ReasonRow{405, "Method Not Allowed"},
    ReasonRow{406, "Not Acceptable"},
    ReasonRow{408, "Request Timeout"},
    ReasonRow{409, "Conflict"},
    ReasonRow{413, "Content Too Large"},
    ReasonRow{415, "Unsupported Media Type"},
    ReasonRow{417, "Expectation Failed"},
    ReasonRow{422, "Unprocessable Content"},
    ReasonRow{429, "Too Many Requests"},
    ReasonRow{431, "Request Header Fields Too Large"},
    ReasonRow{500, "Internal Server Error"},
    ReasonRow{501, "Not Implemented"},
    ReasonRow{503, "Service Unavailable"},
    ReasonRow{504, "Gateway Timeout"},
    ReasonRow{505, "HTTP Version Not Supported"},
};

constexpr std::array<std::string_view, 4> kFramingHeaders = {"connection", "content-length",
                                                             "transfer-encoding", "date"};

bool is_framing(std::string_view name) {
  const auto same_letter = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; };
  return std::ranges::any_of(
      kFramingHeaders, [&](std::string_view other) { return std::ranges::equal(name, other, same_letter); });
}

void append_header(std::string& head, std::string_view name, std::string_view value) {
  const auto append_clean = [&head](std::string_view text) {
    std::ranges::copy_if(text, std::back_inserter(head), [](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return byte >= 0x20 && byte != 0x7f;
    });
  };
  append_clean(name);
  head += ": ";
  append_clean(value);
  head += "\r\n";
}

// "Tue, 24 Nov 2026 02:00:45 GMT", whatever the locale.
void append_date(std::string& head) {
  using namespace std::chrono;
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto now = floor<seconds>(system_clock::now());
  const auto day = floor<days>(now);
  const year_month_day date(day);
  const hh_mm_ss time(now - day);
  fmt::format_to(std::back_inserter(head), "Date: {}, {:02} {} {} {:02}:{:02}:{:02} GMT\r\n",
                 kDays[weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
                 kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                 time.hours().count(), time.minutes().count(), time.seconds().count());
}

}  // namespace

std::string_view reason_phrase(unsigned status) {
  const auto row = std::ranges::find(kReasons, status, &ReasonRow::status);
  return row == kReasons.end() ? std::string_view("Unknown") : row->phrase;
}

std::string response_head(const Response& response, const Framing& framing) {
  std::string head;
  head.reserve(256);
  fmt::format_to(std::back_inserter(head), "HTTP/1.1 {} {}\r\n", response.status,
                 reason_phrase(response.status));
  append_date(head);
  if (!response.content_type.empty()) append_header(head, "Content-Type", response.content_type);
  for (const auto& [name, value] : response.headers)
    if (!is_framing(name)) append_header(head, name, value);
  if (framing.content_length)
    fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n", *framing.content_length);
  if (framing.chunked) head += "Transfer-Encoding: chunked\r\n";
  if (!framing.keep_alive) {
    head += "Connection: close\r\n";
  } else if (!framing.http11) {
    head += "Connection: keep-alive\r\n";
  }
  head += "\r\n";
  return head;
}

}  // namespace cistern::serve::http
