#include "sample/grammar/string_formats.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace cistern::sample::grammar {
namespace {

// RFC 3339, with the lengths of months and leap years.
constexpr std::string_view kDate =
    R"((\d{4}-(0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|\d{4}-(0[469]|11)-(0[1-9]|[12]\d|30)|\d{4}-02-(0[1-9]|1\d|2[0-8])|(\d\d(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29))";
constexpr std::string_view kTime =
    R"(([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d))";
constexpr std::string_view kByte = R"((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d))";
constexpr std::string_view kLabel = R"([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)";
constexpr std::string_view kGroup = "[0-9A-Fa-f]{1,4}";
// RFC 3986, without the rarer forms of a host.
constexpr std::string_view kUriChar = R"(([A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2}))";

std::string ipv4() {
  return fmt::format(R"({0}(\.{0}){{3}})", kByte);
}

// Eight groups, of which one run may be left out.
std::string ipv6() {
  std::vector<std::string> forms{fmt::format("({0}:){{7}}{0}", kGroup),
                                 fmt::format("({0}:){{1,7}}:", kGroup)};
  for (int before = 1; before <= 6; ++before)
    forms.push_back(fmt::format("({0}:){{1,{1}}}(:{0}){{1,{2}}}", kGroup, before, 7 - before));
  forms.push_back(fmt::format(":((:{0}){{1,7}}|:)", kGroup));
  return fmt::format("({})", fmt::join(forms, "|"));
}

struct FormatRow {
  std::string_view name;
  std::string (*pattern)();
};
constexpr FormatRow kFormats[] = {
    {"date", [] { return std::string(kDate); }},
    {"time", [] { return std::string(kTime); }},
    {"date-time", [] { return fmt::format("{}T{}", kDate, kTime); }},
    {"duration",
     [] {
       return std::string(
           R"(P(\d{1,9}W|(\d{1,9}Y(\d{1,9}M(\d{1,9}D)?)?|\d{1,9}M(\d{1,9}D)?|\d{1,9}D)(T(\d{1,9}H(\d{1,9}M(\d{1,9}S)?)?|\d{1,9}M(\d{1,9}S)?|\d{1,9}S))?|T(\d{1,9}H(\d{1,9}M(\d{1,9}S)?)?|\d{1,9}M(\d{1,9}S)?|\d{1,9}S)))");
     }},
    {"uuid", [] { return std::string("[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"); }},
    {"email",
     [] {
       return fmt::format(
           R"([A-Za-z0-9_+-]{{1,32}}(\.[A-Za-z0-9_+-]{{1,16}}){{0,2}}@({0}\.){{1,3}}[A-Za-z]{{2,24}})",
           "[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?");
     }},
    {"hostname", [] { return fmt::format(R"({0}(\.{0}){{0,3}})", kLabel); }},
    {"ipv4", ipv4},
    {"ipv6", ipv6},
    {"uri",
     [] { return fmt::format(R"([A-Za-z][A-Za-z0-9+.-]*:{0}+(\?({0}|\?)*)?(#({0}|\?)*)?)", kUriChar); }},
    {"uri-reference",
     [] {
       return fmt::format(R"(/?{0}*(\?({0}|\?)*)?(#({0}|\?)*)?)",
                          "([A-Za-z0-9._~!$&'()*+,;=@/-]|%[0-9A-Fa-f]{2})");
     }},
};

constexpr std::string_view kOthers[] = {"int32",  "int64",  "uint32",   "uint64", "float",
                                        "double", "binary", "password", "byte",   "decimal"};

}  // namespace

std::string pattern_of_format(std::string_view name) {
  const auto* row = std::ranges::find(kFormats, name, &FormatRow::name);
  return row == std::end(kFormats) ? std::string() : fmt::format("^({})$", row->pattern());
}

bool is_format_without_pattern(std::string_view name) {
  return std::ranges::find(kOthers, name) != std::end(kOthers);
}

std::string known_formats() {
  std::vector<std::string_view> names;
  for (const FormatRow& row : kFormats) names.push_back(row.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace cistern::sample::grammar
