#include "text/jinja/str_format.h"

#include <algorithm>
#include <charconv>

#include "text/jinja/access.h"
#include "text/jinja/failure.h"
#include "text/jinja/number_format.h"
#include "text/jinja/operators.h"
#include "text/jinja/repr.h"
#include "text/jinja/unicode.h"

namespace cistern::text::jinja {
namespace {

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

int64_t to_number(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) raise("Too many decimal digits in format string");
  return number;
}

// One {field!conversion:spec}.
struct Field {
  std::string_view name, spec;
  char conversion = 0;
};

class Formatter {
 public:
  // `positional` starts behind the format string itself. `mapping` (format_map) replaces the named arguments.
  Formatter(Runtime& rt, const CallArgs& call, const Dict* mapping, bool markup)
      : rt_(rt), call_(call), mapping_(mapping), markup_(markup) {}

  std::string run(std::string_view format, int nesting) {
    if (nesting < 0) raise("Max string recursion exceeded");
    rt_.work(format.size());
    std::string out;
    for (std::size_t i = 0; i < format.size();) {
      const char c = format[i];
      if (c != '{' && c != '}') {
        const std::size_t end = std::min(format.find_first_of("{}", i), format.size());
        out += format.substr(i, end - i);
        i = end;
      } else if (i + 1 < format.size() && format[i + 1] == c) {
        out += c;
        i += 2;
      } else if (c == '}') {
        raise("Single '}}' encountered in format string");
      } else {
        out += format_field(take_field(format, i), nesting);
      }
      rt_.reserve(out.size());
    }
    return out;
  }

 private:
  static Field take_field(std::string_view format, std::size_t& i) {
    const std::size_t start = ++i;
    int open = 1;
    for (; i < format.size(); ++i) {
      open += format[i] == '{' ? 1 : format[i] == '}' ? -1 : 0;
      if (open == 0) break;
    }
    if (open != 0) raise("a '{{' without its '}}' in a format string");
    std::string_view text = format.substr(start, i++ - start);
    Field field;
    std::size_t end = 0;
    for (bool in_brackets = false; end < text.size(); ++end) {
      const char c = text[end];
      if (c == '{') raise("unexpected '{{' in field name");
      if (c == '[') in_brackets = true;
      if (c == ']') in_brackets = false;
      if (!in_brackets && (c == '!' || c == ':')) break;
    }
    field.name = text.substr(0, end);
    text.remove_prefix(end);
    if (text.starts_with('!')) {
      if (text.size() < 2) raise("end of string while looking for conversion specifier");
      field.conversion = text[1];
      text.remove_prefix(2);
      if (!text.empty() && text[0] != ':') raise("expected ':' after conversion specifier");
    }
    if (!text.empty()) field.spec = text.substr(1);
    return field;
  }

  std::string format_field(const Field& field, int nesting) {
    Value value = look_up(field.name);
    switch (field.conversion) {
      case 0:
        break;
      case 's':
        value = rt_.string(to_text(rt_, value));
        break;
      case 'r':
        value = rt_.string(repr(rt_, value));
        break;
      default:
        raise("the conversion '!{}' of a format is not supported", field.conversion);
    }
    const std::string spec = run(field.spec, nesting - 1);
    if (!markup_) return format_value(rt_, value, spec);
    if (value.is_string() && value.as_string()->markup && spec.empty()) return value.as_string()->text;
    return escape(rt_, rt_.string(format_value(rt_, value, spec))).as_string()->text;
  }

  Value look_up(std::string_view name) {
    std::string_view first = name.substr(0, name.find_first_of(".["));
    std::string_view rest = name.substr(first.size());
    std::string counted;
    if (name.empty()) {
      if (manual_) raise("cannot switch from manual field specification to automatic field numbering");
      counted = std::to_string(automatic_++);
      first = counted;
    } else if (is_number(name)) {
      if (automatic_ != 0)
        raise("cannot switch from manual field specification to automatic field numbering");
      manual_ = true;
    }
    Value value = argument(first);
    while (!rest.empty()) value = step_into(value, rest);
    return value;
  }

  Value argument(std::string_view name) {
    if (is_number(name)) {
      const auto index = static_cast<std::size_t>(to_number(name)) + 1;
      if (mapping_ || index >= call_.positional.size())
        raise("Replacement index {} out of range for positional args tuple", index - 1);
      return call_.positional[index];
    }
    if (mapping_) {
      if (const Value* found = mapping_->find(name)) return *found;
    }
    for (const auto& [key, value] : call_.named) {
      if (key == name) return value;
    }
    raise("the format asks for '{}', which is not given", name);
  }

  // Takes ".attribute" or "[item]" off `rest`.
  Value step_into(const Value& value, std::string_view& rest) {
    if (rest[0] == '.') {
      rest.remove_prefix(1);
      const std::string_view name = rest.substr(0, rest.find_first_of(".["));
      if (name.empty()) raise("Empty attribute in format string");
      rest.remove_prefix(name.size());
      return get_attribute(rt_, value, name);
    }
    if (rest[0] != '[') raise("Only '.' or '[' may follow ']' in format field specifier");
    const std::size_t end = rest.find(']');
    if (end == std::string_view::npos) raise("Missing ']' in format string");
    const std::string_view key = rest.substr(1, end - 1);
    if (key.empty()) raise("Empty attribute in format string");
    rest.remove_prefix(end + 1);
    return get_item(rt_, value, is_number(key) ? Value(to_number(key)) : rt_.string(std::string(key)));
  }

  Runtime& rt_;
  const CallArgs& call_;
  const Dict* mapping_;
  bool markup_;
  int64_t automatic_ = 0;
  bool manual_ = false;
};

}  // namespace

Value str_format(Runtime& rt, const Arguments& args) {
  const String& self = to_string_argument(args.call().positional[0]);
  return rt.string(Formatter(rt, args.call(), nullptr, self.markup).run(self.text, 2), self.markup);
}

Value str_format_map(Runtime& rt, const Arguments& args) {
  const CallArgs& call = args.call();
  const String& self = to_string_argument(call.positional[0]);
  if (!call.named.empty()) raise("format_map() takes no keyword arguments");
  if (call.positional.size() != 2)
    raise("format_map() takes exactly one argument ({} given)", call.positional.size() - 1);
  const Dict* mapping = call.positional[1].as_dict();
  if (!mapping) raise("format_map() needs a dict, not '{}'", type_name(call.positional[1]));
  return rt.string(Formatter(rt, call, mapping, self.markup).run(self.text, 2), self.markup);
}

}  // namespace cistern::text::jinja
