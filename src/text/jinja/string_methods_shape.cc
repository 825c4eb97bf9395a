// Methods of str that change case or shape, and the is... questions.
#include <algorithm>

#include "text/jinja/access.h"
#include "text/jinja/failure.h"
#include "text/jinja/operators.h"
#include "text/jinja/str_format.h"
#include "text/jinja/string_search.h"
#include "text/jinja/unicode.h"

namespace cistern::text::jinja {
namespace {

template <std::string (*kMap)(std::string_view)>
Value string_mapped(Runtime& rt, const Arguments& args) {
  const String& self = args.string(0);
  rt.reserve(self.text.size() * 3);  // the longest case mapping
  rt.work(self.text.size() * 16);
  return rt.string(kMap(self.text), self.markup);
}

Value string_casefold(Runtime& rt, const Arguments& args) {
  const String& self = args.string(0);
  if (!self.is_ascii()) raise("casefold of text that is not ASCII is not supported");
  rt.work(self.text.size());
  return rt.string(to_lower(self.text), self.markup);
}

template <bool kLeft, bool kRight>
Value string_strip(Runtime& rt, const Arguments& args) {
  const String& self = args.string(0);
  rt.work(self.text.size());
  const bool given = args.has(1) && !args[1].is_none();
  const std::string_view chars = given ? std::string_view(args.string(1).text) : std::string_view();
  rt.step(chars.size());  // they are sorted first
  return rt.string(std::string(strip(self.text, given ? &chars : nullptr, kLeft, kRight)), self.markup);
}

// Python pads by code points; `left` of the padding goes in front.
Value pad(Runtime& rt, const String& self, const std::string& fill, uint64_t left, uint64_t right) {
  rt.reserve(self.text.size() + rt.reserve_many(left + right, fill.size()));
  std::string out;
  for (uint64_t i = 0; i < left; ++i) out += fill;
  out += self.text;
  for (uint64_t i = 0; i < right; ++i) out += fill;
  return rt.string(std::move(out), self.markup);
}

// How many code points `width` asks for beyond the text.
uint64_t missing_width(const String& self, int64_t width) {
  const auto length = static_cast<int64_t>(self.length);
  return width > length ? static_cast<uint64_t>(width) - self.length : 0;
}

std::string fill_character(const Arguments& args) {
  if (!args.has(2)) return " ";
  if (args.string(2).length != 1) raise("The fill character must be exactly one character long");
  return args.string(2).text;
}

Value string_ljust(Runtime& rt, const Arguments& args) {
  const String& self = args.string(0);
  return pad(rt, self, fill_character(args), 0, missing_width(self, args.integer(1)));
}

Value string_rjust(Runtime& rt, const Arguments& args) {
  const String& self = args.string(0);
  return pad(rt, self, fill_character(args), missing_width(self, args.integer(1)), 0);
}

Value string_center(Runtime& rt, const Arguments& args) {
  const String& self = args.string(0);
  const int64_t width = args.integer(1);
  const uint64_t extra = missing_width(self, width);
  const uint64_t left = extra / 2 + (extra & static_cast<uint64_t>(width) & 1);
  return pad(rt, self, fill_character(args), left, extra - left);
}

Value string_zfill(Runtime& rt, const Arguments& args) {
  const String& self = args.string(0);
  const uint64_t extra = missing_width(self, args.integer(1));
  const std::size_t sign = extra != 0 && (self.text.starts_with('+') || self.text.starts_with('-')) ? 1 : 0;
  rt.reserve(self.text.size() + rt.reserve_many(extra, 1));
  std::string out = self.text.substr(0, sign);
  out.append(extra, '0').append(self.text, sign);
  return rt.string(std::move(out), self.markup);
}

Value string_expandtabs(Runtime& rt, const Arguments& args) {
  const String& self = args.string(0);
  const int64_t size = args.integer(1, 8);
  std::string out;
  uint64_t column = 0;
  rt.work(self.text.size());
  for (std::size_t i = 0; i < self.text.size();) {
    const std::size_t start = i;
    const char32_t c = next_code_point(self.text, i);
    if (c == '\t') {
      const uint64_t blanks =
          size > 0 ? static_cast<uint64_t>(size) - column % static_cast<uint64_t>(size) : 0;
      rt.reserve(out.size() + rt.reserve_many(blanks, 1));
      out.append(blanks, ' ');
      column += blanks;
    } else {
      out.append(self.text, start, i - start);
      column = c == '\n' || c == '\r' ? 0 : column + 1;
    }
  }
  return rt.string(std::move(out), self.markup);
}

Value string_replace(Runtime& rt, const Arguments& args) {
  const String& self = args.string(0);
  args.string(2);  // must be a str
  const Value by = self.markup ? escape(rt, args[2]) : args[2];
  return rt.string(replace_all(rt, self.text, args.string(1).text, by.as_string()->text, args.integer(3, -1)),
                   self.markup);
}

Value string_removeprefix(Runtime& rt, const Arguments& args) {
  std::string_view text = args.string(0).text;
  if (const std::string& prefix = args.string(1).text; text.starts_with(prefix))
    text.remove_prefix(prefix.size());
  return rt.string(std::string(text), args.string(0).markup);
}

Value string_removesuffix(Runtime& rt, const Arguments& args) {
  std::string_view text = args.string(0).text;
  if (const std::string& suffix = args.string(1).text; text.ends_with(suffix))
    text.remove_suffix(suffix.size());
  return rt.string(std::string(text), args.string(0).markup);
}

// True when there is a character and all of them pass.
template <bool (*kTest)(char32_t), bool kEmpty>
Value string_is_all(Runtime& rt, const Arguments& args) {
  const std::string& text = args.string(0).text;
  rt.work(text.size() * 16);
  for (std::size_t i = 0; i < text.size();) {
    if (!kTest(next_code_point(text, i))) return false;
  }
  return kEmpty || !text.empty();
}

bool is_ascii_character(char32_t c) {
  return c < 0x80;
}

// islower and isupper: no cased character of the other kinds, and one of this kind.
template <bool (*kWanted)(char32_t), bool (*kOther)(char32_t)>
Value string_is_case(Runtime& rt, const Arguments& args) {
  const std::string& text = args.string(0).text;
  rt.work(text.size() * 16);
  bool found = false;
  for (std::size_t i = 0; i < text.size();) {
    const char32_t c = next_code_point(text, i);
    if (kOther(c) || is_title(c)) return false;
    found |= kWanted(c);
  }
  return found;
}

Value string_istitle(Runtime& rt, const Arguments& args) {
  const std::string& text = args.string(0).text;
  rt.work(text.size() * 16);
  bool found = false;
  bool after_cased = false;
  for (std::size_t i = 0; i < text.size();) {
    const char32_t c = next_code_point(text, i);
    const bool starts = is_upper(c) || is_title(c);
    const bool lower = !starts && is_lower(c);
    if ((starts && after_cased) || (lower && !after_cased)) return false;
    after_cased = starts || lower;
    found |= after_cased;
  }
  return found;
}

Value string_isidentifier(Runtime& rt, const Arguments& args) {
  const std::string& text = args.string(0).text;
  rt.work(text.size() * 16);
  for (std::size_t i = 0; i < text.size();) {
    const bool first = i == 0;
    const char32_t c = next_code_point(text, i);
    if (!(first ? is_identifier_start(c) : is_identifier_part(c))) return false;
  }
  return !text.empty();
}

constexpr Builtin kMethods[] = {
    {"strip", "self chars? /", string_strip<true, true>},
    {"lstrip", "self chars? /", string_strip<true, false>},
    {"rstrip", "self chars? /", string_strip<false, true>},
    {"replace", "self old new count? /", string_replace},
    {"lower", "self", string_mapped<to_lower>},
    {"upper", "self", string_mapped<to_upper>},
    {"title", "self", string_mapped<to_title>},
    {"capitalize", "self", string_mapped<to_capitalized>},
    {"swapcase", "self", string_mapped<swap_case>},
    {"casefold", "self", string_casefold},
    {"format", "*", str_format},
    {"format_map", "*", str_format_map},
    {"ljust", "self width fillchar? /", string_ljust},
    {"rjust", "self width fillchar? /", string_rjust},
    {"center", "self width fillchar? /", string_center},
    {"zfill", "self width /", string_zfill},
    {"expandtabs", "self tabsize?", string_expandtabs},
    {"removeprefix", "self prefix /", string_removeprefix},
    {"removesuffix", "self suffix /", string_removesuffix},
    {"isalnum", "self", string_is_all<is_alnum, false>},
    {"isalpha", "self", string_is_all<is_alpha, false>},
    {"isascii", "self", string_is_all<is_ascii_character, true>},
    {"isdecimal", "self", string_is_all<is_decimal, false>},
    {"isdigit", "self", string_is_all<is_digit, false>},
    {"isidentifier", "self", string_isidentifier},
    {"islower", "self", string_is_case<is_lower, is_upper>},
    {"isnumeric", "self", string_is_all<is_numeric, false>},
    {"isprintable", "self", string_is_all<is_printable, true>},
    {"isspace", "self", string_is_all<is_space, false>},
    {"istitle", "self", string_istitle},
    {"isupper", "self", string_is_case<is_upper, is_lower>},
};

}  // namespace

const Builtin* find_string_shape_method(std::string_view name) {
  return find_builtin(kMethods, name);
}

}  // namespace cistern::text::jinja
