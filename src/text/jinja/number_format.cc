#include "text/jinja/number_format.h"

#include <cmath>
#include <cstdio>

#include "text/jinja/failure.h"
#include "text/jinja/operators.h"
#include "text/jinja/repr.h"
#include "text/jinja/unicode.h"

namespace cistern::text::jinja {
namespace {

struct FormatSpec {
  std::string fill = " ";
  char align = 0;  // < > = ^, or 0
  char sign = '-';
  bool no_negative_zero = false;
  bool alternate = false;
  bool zero_padded = false;
  int64_t width = 0;
  char grouping = 0;  // , or _
  int64_t precision = -1;
  char type = 0;
};

int64_t parse_number(std::string_view text, std::size_t& i) {
  int64_t number = 0;
  while (i < text.size() && text[i] >= '0' && text[i] <= '9') {
    number = number * 10 + (text[i++] - '0');
    if (number > INT32_MAX) raise("Too many decimal digits in format string");
  }
  return number;
}

bool is_align(char c) {
  return c == '<' || c == '>' || c == '=' || c == '^';
}

FormatSpec parse_spec(std::string_view text) {
  FormatSpec spec;
  std::size_t i = 0;
  const auto peek = [&] { return i < text.size() ? text[i] : '\0'; };
  std::size_t behind_first = 0;
  if (!text.empty()) next_code_point(text, behind_first);
  bool fill_given = false;
  if (behind_first < text.size() && is_align(text[behind_first])) {
    spec.fill = text.substr(0, behind_first);
    spec.align = text[behind_first];
    fill_given = true;
    i = behind_first + 1;
  } else if (is_align(peek())) {
    spec.align = text[i++];
  }
  if (peek() == '+' || peek() == '-' || peek() == ' ') spec.sign = text[i++];
  if (peek() == 'z') spec.no_negative_zero = true, ++i;
  if (peek() == '#') spec.alternate = true, ++i;
  if (peek() == '0') {
    if (!fill_given) spec.fill = "0";
    spec.zero_padded = spec.align == 0;
    ++i;
  }
  spec.width = parse_number(text, i);
  if (peek() == ',' || peek() == '_') {
    spec.grouping = text[i++];
    if (peek() == ',' || peek() == '_') raise("Cannot specify both ',' and '_'.");
  }
  if (peek() == '.') {
    ++i;
    if (!(peek() >= '0' && peek() <= '9')) raise("Format specifier missing precision");
    spec.precision = parse_number(text, i);
  }
  if (i < text.size()) spec.type = text[i++];
  if (i < text.size()) raise("Invalid format specifier '{}'", text);
  return spec;
}

std::string group_digits(std::string_view digits, char separator, std::size_t every) {
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i != 0 && (digits.size() - i) % every == 0) out += separator;
    out += digits[i];
  }
  return out;
}

std::string padded(Runtime& rt, const FormatSpec& spec, char align, const std::string& prefix,
                   const std::string& body) {
  const std::size_t length = count_code_points(prefix) + count_code_points(body);
  const auto width = static_cast<std::size_t>(spec.width);
  const std::size_t extra = width > length ? width - length : 0;
  rt.reserve(prefix.size() + body.size() + rt.reserve_many(extra, spec.fill.size()));
  const std::size_t left = align == '^' ? extra / 2 : align == '<' ? 0 : extra;
  std::string fill_left;
  for (std::size_t i = 0; i < left; ++i) fill_left += spec.fill;
  std::string out = align == '=' ? prefix + fill_left + body : fill_left + prefix + body;
  for (std::size_t i = left; i < extra; ++i) out += spec.fill;
  return out;
}

// `whole`: digits in front of the point; `rest`: what follows them; `prefix`: 0x and the like.
std::string layout_number(Runtime& rt, const FormatSpec& spec, bool negative, std::string_view prefix,
                          std::string whole, std::string_view rest) {
  std::string sign = negative ? "-" : spec.sign == '-' ? "" : std::string(1, spec.sign);
  sign += prefix;
  const char align = spec.align ? spec.align : spec.zero_padded ? '=' : '>';
  if (spec.grouping != 0) {
    const std::size_t every =
        std::string_view("bBoOxX").find(spec.type) != std::string_view::npos && spec.type ? 4 : 3;
    const auto width = static_cast<std::size_t>(spec.width);
    std::string grouped = group_digits(whole, spec.grouping, every);
    if (spec.fill == "0" && align == '=' && sign.size() + grouped.size() + rest.size() < width) {
      rt.reserve(width * 2);
      // Zeros join the groups: the fewest digits whose grouped form is wide enough.
      std::size_t digits = whole.size();
      while (digits + (digits - 1) / every + sign.size() + rest.size() < width) ++digits;
      grouped = group_digits(std::string(digits - whole.size(), '0') + whole, spec.grouping, every);
    }
    whole = std::move(grouped);
  }
  return padded(rt, spec, align, sign, whole.append(rest));
}

std::string format_text(Runtime& rt, const FormatSpec& spec, std::string_view text) {
  if (spec.type != 0 && spec.type != 's')
    raise("Unknown format code '{}' for object of type 'str'", spec.type);
  if (spec.sign != '-' || spec.no_negative_zero) raise("Sign not allowed in string format specifier");
  if (spec.alternate) raise("Alternate form (#) not allowed in string format specifier");
  if (spec.align == '=') raise("'=' alignment not allowed in string format specifier");
  if (spec.grouping) raise("Cannot specify '{}' with 's'.", spec.grouping);
  if (spec.precision >= 0) text = text.substr(0, offset_of(text, static_cast<std::size_t>(spec.precision)));
  return padded(rt, spec, spec.align ? spec.align : '<', "", std::string(text));
}

std::string format_double(Runtime& rt, const FormatSpec& spec, double value) {
  FloatStyle style{spec.type ? spec.type : 'g', spec.precision < 0 ? 6 : spec.precision, spec.alternate,
                   spec.type == 0};
  std::string_view suffix;
  if (spec.type == '%') {
    style.type = 'f';
    suffix = "%";
    value *= 100;
  } else if (spec.type == 'n') {
    if (spec.grouping) raise("Cannot specify '{}' with 'n'.", spec.grouping);
    style.type = 'g';
  } else if (spec.type != 0 && std::string_view("eEfFgG").find(spec.type) == std::string_view::npos) {
    raise("Unknown format code '{}' for object of type 'float'", spec.type);
  }
  if (spec.type == 0 && spec.precision < 0 && spec.alternate)
    raise("'#' without a type is not supported for floats");
  std::string text =
      spec.type == 0 && spec.precision < 0 ? float_repr(value) : format_float(rt, value, style);
  const bool negative = text.front() == '-';
  if (negative) text.erase(0, 1);
  const bool is_zero = text.find_first_of("123456789in") == std::string::npos;
  const std::size_t whole = std::min(text.find_first_not_of("0123456789"), text.size());
  return layout_number(rt, spec, negative && !(spec.no_negative_zero && is_zero), "", text.substr(0, whole),
                       text.substr(whole) + std::string(suffix));
}

std::string format_integer(Runtime& rt, const FormatSpec& spec, const Integer& value) {
  if (spec.type != 0 && std::string_view("eEfFgG%").find(spec.type) != std::string_view::npos) {
    return format_double(rt, spec, value.to_double());
  }
  if (spec.precision >= 0) raise("Precision not allowed in integer format specifier");
  if (spec.no_negative_zero) raise("Negative zero coercion (z) not allowed in format specifier with integer");
  if (spec.type == 'c') {
    const std::optional<int64_t> c = value.to_int64();
    if (!c || *c < 0 || *c > 0x10FFFF || (*c >= 0xD800 && *c < 0xE000))
      raise("%c arg not in range(0x110000)");
    std::string text;
    append_code_point(text, static_cast<char32_t>(*c));
    return padded(rt, spec, spec.align ? spec.align : '<', "", text);
  }
  int base = 10;
  switch (spec.type) {
    case 0:
    case 'd':
      break;
    case 'n':
      if (spec.grouping) raise("Cannot specify '{}' with 'n'.", spec.grouping);
      break;
    case 'b':
      base = 2;
      break;
    case 'o':
      base = 8;
      break;
    case 'x':
    case 'X':
      base = 16;
      break;
    default:
      raise("Unknown format code '{}' for object of type 'int'", spec.type);
  }
  if (spec.grouping == ',' && base != 10) raise("Cannot specify ',' with '{}'.", spec.type);
  std::string digits = value.to_string(base);
  if (value.is_negative()) digits.erase(0, 1);
  if (spec.type == 'X') digits = to_upper(digits);
  const std::string prefix = spec.alternate && base != 10 ? std::string("0") + spec.type : "";
  return layout_number(rt, spec, value.is_negative(), prefix, std::move(digits), "");
}

}  // namespace

double to_double(const Value& value) {
  if (const double* number = value.as_float()) return *number;
  if (const auto integer = value.as_integral()) return integer->to_double();
  if (value.is_undefined()) raise("{}", value.undefined_message());
  raise("must be real number, not {}", type_name(value));
}

std::string format_float(Runtime& rt, double value, const FloatStyle& style) {
  const bool upper = style.type == 'E' || style.type == 'F' || style.type == 'G';
  if (!std::isfinite(value)) {
    const std::string text = float_repr(value);
    return upper ? to_upper(text) : text;
  }
  if (style.precision > 1'000'000) raise("precision too large");
  rt.reserve(static_cast<std::size_t>(style.precision) + 400);
  rt.work(static_cast<std::size_t>(style.precision));
  const int precision = static_cast<int>(style.precision);
  if (style.one_decimal && (style.type == 'g' || style.type == 'G')) {
    // The exponent form starts one digit earlier, so that "12.0" never stands for a rounded 123.
    const std::string probe =
        format_float(rt, value, {'e', std::max<int64_t>(precision - 1, 0), false, false});
    const int exponent = std::atoi(probe.c_str() + probe.find('e') + 1);
    std::string text =
        exponent < -4 || exponent >= std::max(precision, 1) - 1
            ? probe
            : format_float(rt, value, {'f', std::max(0, precision - 1 - exponent), false, false});
    const std::size_t end = std::min(text.find('e'), text.size());
    std::string mantissa = text.substr(0, end);
    if (mantissa.find('.') != std::string::npos) {
      mantissa.erase(mantissa.find_last_not_of('0') + 1);
      if (mantissa.back() == '.') mantissa.pop_back();
    }
    if (end == text.size() && mantissa.find('.') == std::string::npos) mantissa += ".0";
    return mantissa + text.substr(end);
  }
  const std::string format = fmt::format("%{}.*{}", style.keep_point ? "#" : "", style.type);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  const int size = std::snprintf(nullptr, 0, format.c_str(), precision, value);
  std::string text(static_cast<std::size_t>(size) + 1, '\0');
  std::snprintf(text.data(), text.size(), format.c_str(), precision, value);
#pragma GCC diagnostic pop
  text.pop_back();
  return text;
}

std::string format_value(Runtime& rt, const Value& value, std::string_view spec) {
  if (spec.empty()) return to_text(rt, value);
  if (value.is_string() && value.as_string()->markup)
    raise("a format specification for markup is not supported");
  const bool is_number = value.as_float() || value.as_integral();
  if (!value.is_string() && !is_number) {
    raise("unsupported format string passed to {}.__format__", type_name(value));
  }
  const FormatSpec parsed = parse_spec(spec);
  if (const String* text = value.as_string()) return format_text(rt, parsed, text->text);
  if (const double* number = value.as_float()) return format_double(rt, parsed, *number);
  return format_integer(rt, parsed, *value.as_integral());
}

}  // namespace cistern::text::jinja
