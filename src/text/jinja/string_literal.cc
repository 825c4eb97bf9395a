#include "text/jinja/string_literal.h"

#include "text/jinja/failure.h"
#include "text/jinja/unicode.h"

namespace cistern::text::jinja {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char simple_escape(char c) {
  switch (c) {
    case 'a':
      return '\a';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    case '\\':
    case '\'':
    case '"':
      return c;
    default:
      return '\0';
  }
}

char32_t take_hex(std::string_view body, std::size_t& i, std::size_t digits, int line) {
  char32_t value = 0;
  for (std::size_t k = 0; k < digits; ++k, ++i) {
    const int digit = i < body.size() ? hex_value(body[i]) : -1;
    if (digit < 0) raise_at(line, "truncated escape in a string: {} hexadecimal digits are needed", digits);
    value = value * 16 + static_cast<char32_t>(digit);
  }
  if (value > 0x10FFFF) raise_at(line, "illegal Unicode character in a string");
  if (value >= 0xD800 && value < 0xE000) raise_at(line, "surrogates in strings are not supported");
  return value;
}

// Jinja turns the literal into ASCII first; a backslash in front of another character thus meets the
// backslash of that character's own escape: '\é' is the text \xe9.
std::string ascii_escape(char32_t c) {
  if (c < 0x100) return fmt::format("\\x{:02x}", static_cast<uint32_t>(c));
  if (c < 0x10000) return fmt::format("\\u{:04x}", static_cast<uint32_t>(c));
  return fmt::format("\\U{:08x}", static_cast<uint32_t>(c));
}

void append_escape(std::string& out, std::string_view body, std::size_t& i, int line) {
  const char c = body[i];
  if (c == '\n') {
    ++i;
  } else if (const char simple = simple_escape(c); simple != '\0') {
    out += simple;
    ++i;
  } else if (c >= '0' && c <= '7') {
    char32_t value = 0;
    for (int k = 0; k < 3 && i < body.size() && body[i] >= '0' && body[i] <= '7'; ++k) {
      value = value * 8 + static_cast<char32_t>(body[i++] - '0');
    }
    append_code_point(out, value);
  } else if (c == 'x' || c == 'u' || c == 'U') {
    ++i;
    append_code_point(out, take_hex(body, i, c == 'x' ? 2 : c == 'u' ? 4 : 8, line));
  } else if (c == 'N') {
    raise_at(line, "the escape \\N{{...}} in a string is not supported");
  } else {
    const char32_t other = next_code_point(body, i);
    if (other >= 0x80) {
      out += ascii_escape(other);
    } else {
      out += '\\';
      append_code_point(out, other);
    }
  }
}

}  // namespace

std::string unescape_literal(std::string_view body, int line) {
  std::string out;
  out.reserve(body.size());
  for (std::size_t i = 0; i < body.size();) {
    if (body[i] == '\\' && i + 1 < body.size()) {
      ++i;
      append_escape(out, body, i, line);
    } else {
      out += body[i++];
    }
  }
  return out;
}

}  // namespace cistern::text::jinja
