#include "text/jinja/percent_format.h"

#include <cmath>

#include "text/jinja/failure.h"
#include "text/jinja/number_format.h"
#include "text/jinja/objects.h"
#include "text/jinja/operators.h"
#include "text/jinja/repr.h"
#include "text/jinja/unicode.h"

namespace cistern::text::jinja {
namespace {

struct Conversion {
  bool left = false, plus = false, blank = false, alternate = false, zero = false;
  int64_t width = 0;
  int64_t precision = -1;
  char type = 0;
};

class PercentFormatter {
 public:
  PercentFormatter(Runtime& rt, const String& format, const Value& values)
      : rt_(rt), format_(format.text), markup_(format.markup), values_(values) {}

  Value run() {
    rt_.work(format_.size());
    while (position_ < format_.size()) {
      const std::size_t mark = std::min(format_.find('%', position_), format_.size());
      append(format_.substr(position_, mark - position_));
      position_ = mark;
      if (mark < format_.size()) {
        ++position_;
        convert_one();
      }
    }
    if (!is_mapping() && used_ < argument_count())
      raise("not all arguments converted during string formatting");
    return rt_.string(std::move(out_), markup_);
  }

 private:
  // Python takes everything with __getitem__ that is no tuple or string for a mapping here.
  bool is_mapping() const {
    return values_.as_dict() || values_.as_list() || values_.is_undefined() || values_.as<Range>();
  }
  std::size_t argument_count() const { return values_.as_tuple() ? values_.as_tuple()->items.size() : 1; }

  void append(std::string_view text) {
    rt_.reserve(out_.size() + text.size());
    out_ += text;
  }

  char take() {
    if (position_ >= format_.size()) raise("incomplete format");
    return format_[position_++];
  }

  const Value& next_argument() {
    if (key_) return *key_;
    if (used_ >= argument_count()) raise("not enough arguments for format string");
    const std::size_t index = used_++;
    return values_.as_tuple() ? values_.as_tuple()->items[index] : values_;
  }

  void take_key() {
    key_.reset();
    if (position_ >= format_.size() || format_[position_] != '(') return;
    if (values_.is_undefined()) raise("{}", values_.undefined_message());
    if (!values_.as_dict()) raise("format requires a mapping");
    int open = 1;
    const std::size_t start = ++position_;
    while (open > 0) {
      if (position_ >= format_.size()) raise("incomplete format key");
      const char c = format_[position_++];
      open += c == '(' ? 1 : c == ')' ? -1 : 0;
    }
    const std::string_view name = format_.substr(start, position_ - 1 - start);
    const Value* found = values_.as_dict()->find(name);
    if (!found) raise("the key '{}' of the format is not in the mapping", name);
    key_ = *found;
  }

  int64_t take_number(char first) {
    int64_t number = first - '0';
    while (position_ < format_.size() && format_[position_] >= '0' && format_[position_] <= '9') {
      number = number * 10 + (format_[position_++] - '0');
      if (number > INT32_MAX) raise("width or precision of a format too big");
    }
    return number;
  }

  int64_t take_star() {
    const Value& argument = next_argument();
    if (!argument.as_integral()) raise("* wants int");
    const int64_t number = to_index(argument);
    if (number > INT32_MAX || number < -INT32_MAX) raise("width or precision of a format too big");
    return number;
  }

  void convert_one() {
    take_key();
    Conversion conversion;
    char c = take();
    for (;; c = take()) {
      if (c == '-')
        conversion.left = true;
      else if (c == '+')
        conversion.plus = true;
      else if (c == ' ')
        conversion.blank = true;
      else if (c == '#')
        conversion.alternate = true;
      else if (c == '0')
        conversion.zero = true;
      else
        break;
    }
    if (c == '*') {
      conversion.width = take_star();
      if (conversion.width < 0) {
        conversion.left = true;
        conversion.width = -conversion.width;
      }
      c = take();
    } else if (c >= '1' && c <= '9') {
      conversion.width = take_number(c);
      c = take();
    }
    if (c == '.') {
      conversion.precision = 0;
      c = take();
      if (c == '*') {
        conversion.precision = std::max<int64_t>(take_star(), 0);
        c = take();
      } else if (c >= '0' && c <= '9') {
        conversion.precision = take_number(c);
        c = take();
      }
    }
    if (c == 'h' || c == 'l' || c == 'L') c = take();
    conversion.type = c;
    if (c == '%') {
      append("%");
    } else {
      write(conversion, next_argument());
    }
  }

  void write(const Conversion& conversion, const Value& argument) {
    switch (conversion.type) {
      case 's':
      case 'r':
      case 'a':
        return write_text(conversion, argument);
      case 'c':
        return write_character(conversion, argument);
      case 'd':
      case 'i':
      case 'u':
        return write_integer(conversion, decimal_argument(conversion, argument), 10);
      case 'o':
        return write_integer(conversion, integer_argument(conversion, argument), 8);
      case 'x':
      case 'X':
        return write_integer(conversion, integer_argument(conversion, argument), 16);
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G': {
        const int64_t precision = conversion.precision < 0 ? 6 : conversion.precision;
        std::string text =
            format_float(rt_, to_double(argument), {conversion.type, precision, conversion.alternate, false});
        const bool negative = text.front() == '-';
        if (negative) text.erase(0, 1);
        return write_number(conversion, negative, "", text);
      }
      default:
        raise("unsupported format character '{}'", conversion.type);
    }
  }

  void write_text(const Conversion& conversion, const Value& argument) {
    if (conversion.type == 'a') raise("the format %a is not supported");
    std::string text = conversion.type == 's' ? to_text(rt_, argument) : repr(rt_, argument);
    if (markup_) {
      const bool safe = conversion.type == 's' && argument.is_string();
      text = escape(rt_, safe ? argument : rt_.string(std::move(text))).as_string()->text;
    }
    if (conversion.precision >= 0)
      text.resize(offset_of(text, static_cast<std::size_t>(conversion.precision)));
    pad(conversion, "", text, false);
  }

  void write_character(const Conversion& conversion, const Value& argument) {
    std::string text;
    if (const String* string = argument.as_string()) {
      if (string->length != 1) raise("%c requires int or char");
      text = string->text;
    } else {
      if (!argument.as_integral()) raise("%c requires int or char");
      const int64_t c = to_index(argument);
      if (c < 0 || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) raise("%c arg not in range(0x110000)");
      append_code_point(text, static_cast<char32_t>(c));
    }
    pad(conversion, "", text, false);
  }

  Integer decimal_argument(const Conversion& conversion, const Value& argument) {
    if (const double* number = argument.as_float()) {
      if (!std::isfinite(*number)) raise("cannot convert float {} to integer", float_repr(*number));
      return Integer::from_double(*number);
    }
    if (const auto integer = argument.as_integral()) return *integer;
    raise("%{} format: a real number is required, not {}", conversion.type, type_name(argument));
  }

  Integer integer_argument(const Conversion& conversion, const Value& argument) {
    if (const auto integer = argument.as_integral()) return *integer;
    raise("%{} format: an integer is required, not {}", conversion.type, type_name(argument));
  }

  void write_integer(const Conversion& conversion, const Integer& value, int base) {
    std::string digits = value.to_string(base);
    if (value.is_negative()) digits.erase(0, 1);
    if (conversion.precision > static_cast<int64_t>(digits.size())) {
      const std::size_t zeros = static_cast<std::size_t>(conversion.precision) - digits.size();
      rt_.reserve(out_.size() + zeros);
      digits.insert(0, zeros, '0');
    }
    if (conversion.type == 'X') digits = to_upper(digits);
    const std::string prefix = conversion.alternate && base != 10 ? std::string("0") + conversion.type : "";
    write_number(conversion, value.is_negative(), prefix, digits);
  }

  void write_number(const Conversion& conversion, bool negative, const std::string& prefix,
                    const std::string& digits) {
    const std::string sign = negative ? "-" : conversion.plus ? "+" : conversion.blank ? " " : "";
    pad(conversion, sign + prefix, digits, conversion.zero && !conversion.left);
  }

  void pad(const Conversion& conversion, const std::string& prefix, const std::string& text, bool zeros) {
    const std::size_t length = count_code_points(prefix) + count_code_points(text);
    const auto width = static_cast<std::size_t>(conversion.width);
    const std::size_t extra = width > length ? width - length : 0;
    rt_.reserve(out_.size() + prefix.size() + text.size() + extra);
    rt_.work(extra);
    if (!conversion.left && !zeros) out_.append(extra, ' ');
    out_ += prefix;
    if (zeros) out_.append(extra, '0');
    out_ += text;
    if (conversion.left) out_.append(extra, ' ');
  }

  Runtime& rt_;
  const std::string_view format_;
  const bool markup_;
  const Value& values_;
  std::size_t position_ = 0;
  std::size_t used_ = 0;
  std::optional<Value> key_;  // the value of %(name)..., while it is being converted
  std::string out_;
};

}  // namespace

Value percent_format(Runtime& rt, const Value& format, const Value& values) {
  return PercentFormatter(rt, *format.as_string(), values).run();
}

}  // namespace cistern::text::jinja
