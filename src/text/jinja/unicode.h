// Characters as Python's str sees them, over UTF-8: code points, classes (isalpha, isspace, ...) and full
// case mappings. Used by the lexer and by the string built-ins of the interpreter; knows nothing of values.
// All texts handed in must be valid UTF-8 (is_valid_utf8 is the gate). Pure functions; safe from any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cistern::text::jinja {

// Offset of the first byte that is no part of well-formed UTF-8 (RFC 3629), or npos.
std::size_t find_invalid_utf8(std::string_view text);

// The code point that starts at `position`, which moves behind it. REQUIRES: position < text.size().
char32_t next_code_point(std::string_view text, std::size_t& position);
// The code point that ends before `position`, which moves to its start. REQUIRES: position > 0.
char32_t previous_code_point(std::string_view text, std::size_t& position);
void append_code_point(std::string& text, char32_t code_point);
std::size_t count_code_points(std::string_view text);
// Byte offset of the code point with this index; text.size() when there are fewer.
std::size_t offset_of(std::string_view text, std::size_t index);

bool is_space(char32_t c);      // str.isspace
bool is_printable(char32_t c);  // str.isprintable
bool is_alpha(char32_t c);      // str.isalpha
bool is_decimal(char32_t c);    // str.isdecimal
bool is_digit(char32_t c);      // str.isdigit
bool is_numeric(char32_t c);    // str.isnumeric
bool is_alnum(char32_t c);      // str.isalnum
bool is_lower(char32_t c);
bool is_upper(char32_t c);
bool is_title(char32_t c);  // general category Lt
bool is_identifier_start(char32_t c);
bool is_identifier_part(char32_t c);
int decimal_value(char32_t c);  // 0..9, or -1 when is_decimal(c) is false

std::string to_upper(std::string_view text);
std::string to_lower(std::string_view text);
std::string to_title(std::string_view text);        // str.title
std::string to_capitalized(std::string_view text);  // str.capitalize
std::string swap_case(std::string_view text);

// Python's line ends (\n, \r, \r\n, \v, \f, \x1c-\x1e, \x85, U+2028, U+2029): end of the first line of `text`
// without its end mark, and the length of that mark (0 at the end of the text).
struct LineEnd {
  std::size_t end;
  std::size_t mark_bytes;
};
LineEnd find_line_end(std::string_view text);

// Without white space (or, where given, the code points in `chars`) at the chosen ends.
std::string_view strip(std::string_view text, const std::string_view* chars, bool left, bool right);

}  // namespace cistern::text::jinja
