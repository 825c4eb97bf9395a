#include "text/nfc.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdint>
#include <span>

#include "text/utf8.h"

namespace cistern::text {
namespace {

using CodePoints = std::vector<utf8proc_int32_t>;

std::uint16_t combining_class(utf8proc_int32_t c) {
  return static_cast<std::uint16_t>(utf8proc_get_property(c)->combining_class);
}

// Sorts a run of marks by combining class; marks of one class keep their order.
void order_marks(std::span<utf8proc_int32_t> run) {
  if (run.size() < 2) return;
  std::vector<std::uint64_t> keys(run.size());  // class, position, code point
  for (std::size_t i = 0; i < run.size(); ++i) {
    keys[i] = (std::uint64_t{combining_class(run[i])} << 53) | (std::uint64_t{i} << 21) |
              static_cast<std::uint64_t>(run[i]);
  }
  std::sort(keys.begin(), keys.end());
  for (std::size_t i = 0; i < run.size(); ++i) run[i] = static_cast<utf8proc_int32_t>(keys[i] & 0x1FFFFF);
}

CodePoints decompose(std::string_view text) {
  CodePoints out;
  out.reserve(text.size());
  utf8proc_int32_t buffer[32];  // the longest canonical decomposition has 4 code points
  while (!text.empty()) {
    const CodePoint c = decode_utf8(text);
    text.remove_prefix(c.length);
    int boundary = 0;
    const auto count = utf8proc_decompose_char(
        static_cast<utf8proc_int32_t>(c.value), buffer, std::size(buffer),
        static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_STABLE), &boundary);
    if (count > 0 && count <= static_cast<utf8proc_ssize_t>(std::size(buffer)))
      out.insert(out.end(), buffer, buffer + count);
  }
  for (auto run = out.begin(); run != out.end();) {
    run = std::find_if(run, out.end(), [](auto c) { return combining_class(c) != 0; });
    const auto end = std::find_if(run, out.end(), [](auto c) { return combining_class(c) == 0; });
    order_marks({run, end});
    run = end;
  }
  return out;
}

}  // namespace

bool may_need_nfc(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0xCC; });
}

std::string to_nfc(std::string_view text) {
  CodePoints code_points = decompose(text);
  const auto length =
      utf8proc_normalize_utf32(code_points.data(), static_cast<utf8proc_ssize_t>(code_points.size()),
                               static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE));
  std::string out;
  out.reserve(text.size());
  for (utf8proc_ssize_t i = 0; i < length; ++i) append_utf8(out, static_cast<char32_t>(code_points[i]));
  return out;
}

std::vector<char32_t> to_nfd(std::string_view text) {
  const CodePoints code_points = decompose(text);
  return {code_points.begin(), code_points.end()};
}

}  // namespace cistern::text
