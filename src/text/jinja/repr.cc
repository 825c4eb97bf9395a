#include "text/jinja/repr.h"

#include <charconv>
#include <cmath>

#include "text/jinja/failure.h"
#include "text/jinja/objects.h"
#include "text/jinja/unicode.h"

namespace cistern::text::jinja {
namespace {

void append_items(Runtime& rt, std::string& out, const std::vector<Value>& items) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i != 0) out += ", ";
    append_repr(rt, out, items[i]);
  }
}

void append_dict(Runtime& rt, std::string& out, const std::vector<Dict::Entry>& entries) {
  out += '{';
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (i != 0) out += ", ";
    append_repr(rt, out, entries[i].first);
    out += ": ";
    append_repr(rt, out, entries[i].second);
  }
  out += '}';
}

void append_escaped(std::string& out, char32_t c) {
  if (c < 0x100) {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<uint32_t>(c));
  } else if (c < 0x10000) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<uint32_t>(c));
  } else {
    fmt::format_to(std::back_inserter(out), "\\U{:08x}", static_cast<uint32_t>(c));
  }
}

}  // namespace

std::string float_repr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  std::string out;
  if (text.front() == '-') {
    out += '-';
    text.remove_prefix(1);
  }
  const std::size_t mark = text.find('e');
  std::string digits(text.substr(0, 1));
  if (mark > 2) digits += text.substr(2, mark - 2);
  int exponent = 0;
  const std::string_view power = text.substr(mark + (text[mark + 1] == '+' ? 2 : 1));
  std::from_chars(power.data(), power.data() + power.size(), exponent);
  if (exponent < -4 || exponent >= 16) {
    out += digits.substr(0, 1);
    if (digits.size() > 1) out.append(".").append(digits, 1);
    return out + fmt::format("e{}{:02}", exponent < 0 ? '-' : '+', std::abs(exponent));
  }
  if (exponent < 0) return out + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) return out + digits + std::string(whole - digits.size(), '0') + ".0";
  return out + digits.substr(0, whole) + "." + digits.substr(whole);
}

void append_string_repr(std::string& out, std::string_view text) {
  const bool has_single = text.find('\'') != std::string_view::npos;
  const char quote = has_single && text.find('"') == std::string_view::npos ? '"' : '\'';
  out += quote;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t start = i;
    const char32_t c = next_code_point(text, i);
    if (c == static_cast<char32_t>(quote) || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (is_printable(c)) {
      out += text.substr(start, i - start);
    } else {
      append_escaped(out, c);
    }
  }
  out += quote;
}

void append_repr(Runtime& rt, std::string& out, const Value& value) {
  const Runtime::Depth depth(rt);
  rt.step();
  switch (value.type()) {
    case Type::kMissing:
    case Type::kUndefined:
      out += "Undefined";
      break;
    case Type::kNone:
      out += "None";
      break;
    case Type::kBool:
      out += *value.as_bool() ? "True" : "False";
      break;
    case Type::kInt:
      if (!value.as_int()->to_int64()) rt.step(32);
      out += value.as_int()->to_string();
      break;
    case Type::kFloat:
      out += float_repr(*value.as_float());
      break;
    case Type::kString: {
      const String& string = *value.as_string();
      rt.work(string.text.size() * 8);
      rt.reserve(out.size() + string.text.size() * 4);
      if (string.markup) out += "Markup(";
      append_string_repr(out, string.text);
      if (string.markup) out += ')';
      break;
    }
    case Type::kList:
      out += '[';
      append_items(rt, out, *value.items());
      out += ']';
      break;
    case Type::kTuple:
      out += '(';
      append_items(rt, out, *value.items());
      out += value.items()->size() == 1 ? ",)" : ")";
      break;
    case Type::kDict:
      append_dict(rt, out, value.as_dict()->entries());
      break;
    case Type::kObject:
      out += value.as_object()->repr(rt);
      break;
  }
  rt.reserve(out.size());
}

std::string repr(Runtime& rt, const Value& value) {
  std::string out;
  append_repr(rt, out, value);
  return out;
}

std::string to_text(Runtime& rt, const Value& value) {
  if (const String* string = value.as_string()) return string->text;
  if (value.is_undefined() || value.is_missing()) return {};
  return repr(rt, value);
}

}  // namespace cistern::text::jinja
