// Filters that make text from text.
#include <algorithm>

#include "text/jinja/access.h"
#include "text/jinja/failure.h"
#include "text/jinja/filters.h"
#include "text/jinja/operators.h"
#include "text/jinja/percent_format.h"
#include "text/jinja/repr.h"
#include "text/jinja/string_search.h"
#include "text/jinja/unicode.h"
#include "text/jinja/wrap.h"

namespace cistern::text::jinja {
namespace {

// Runs the str method `name` on soft_str(value) with the remaining arguments.
Value call_string_method(Runtime& rt, std::string_view name, const Arguments& args, std::size_t count) {
  CallArgs call;
  call.positional.push_back(to_string_value(rt, args[0]));
  for (std::size_t i = 1; i < count && args.has(i); ++i) call.positional.push_back(args[i]);
  return call_builtin(rt, *find_string_shape_method(name), call);
}

Value upper(Runtime& rt, const Arguments& args) {
  return call_string_method(rt, "upper", args, 1);
}
Value lower(Runtime& rt, const Arguments& args) {
  return call_string_method(rt, "lower", args, 1);
}
Value capitalize(Runtime& rt, const Arguments& args) {
  return call_string_method(rt, "capitalize", args, 1);
}
Value trim(Runtime& rt, const Arguments& args) {
  return call_string_method(rt, "strip", args, 2);
}

Value center(Runtime& rt, const Arguments& args) {
  CallArgs call;
  call.positional = {to_string_value(rt, args[0]), args.has(1) ? args[1] : Value(80)};
  return call_builtin(rt, *find_string_shape_method("center"), call);
}

// Words begin after blanks, hyphens and opening brackets (unlike str.title).
Value title(Runtime& rt, const Arguments& args) {
  const Value value = to_string_value(rt, args[0]);
  const std::string& text = value.as_string()->text;
  rt.reserve(text.size() * 3);
  rt.work(text.size() * 16);
  const auto divides = [](char32_t c) {
    return is_space(c) || c == '-' || c == '(' || c == '{' || c == '[' || c == '<';
  };
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t start = i;
    const char32_t first = next_code_point(text, i);
    const std::size_t behind_first = i;
    const bool divider = divides(first);
    while (i < text.size()) {
      std::size_t next = i;
      if (divides(next_code_point(text, next)) != divider) break;
      i = next;
    }
    out += to_upper(std::string_view(text).substr(start, behind_first - start));
    out += to_lower(std::string_view(text).substr(behind_first, i - behind_first));
  }
  return rt.string(std::move(out));
}

Value replace(Runtime& rt, const Arguments& args) {
  const int64_t count = args.has(3) && !args[3].is_none() ? args.integer(3) : -1;
  if (!rt.autoescape) {
    return rt.string(
        replace_all(rt, to_text(rt, args[0]), to_text(rt, args[1]), to_text(rt, args[2]), count));
  }
  const auto is_markup = [](const Value& value) { return value.is_string() && value.as_string()->markup; };
  const bool must_escape = is_markup(args[1]) || (is_markup(args[2]) && !is_markup(args[0]));
  const Value self = must_escape ? escape(rt, args[0]) : to_string_value(rt, args[0]);
  const Value old = to_string_value(rt, args[1]);
  Value by = to_string_value(rt, args[2]);
  if (self.as_string()->markup) by = escape(rt, by);
  return rt.string(
      replace_all(rt, self.as_string()->text, old.as_string()->text, by.as_string()->text, count),
      self.as_string()->markup);
}

Value format(Runtime& rt, const Arguments& args) {
  const CallArgs& call = args.call();
  if (call.positional.empty()) raise("format() misses the argument 'value'");
  if (call.positional.size() > 1 && !call.named.empty()) {
    raise("can't handle positional and keyword arguments at the same time");
  }
  Value values;
  if (call.named.empty()) {
    values = rt.tuple({call.positional.begin() + 1, call.positional.end()});
  } else {
    std::vector<Dict::Entry> entries;
    for (const auto& [name, value] : call.named) entries.emplace_back(rt.string(name), value);
    values = rt.dict(std::move(entries));
  }
  return percent_format(rt, to_string_value(rt, call.positional[0]), values);
}

Value indent(Runtime& rt, const Arguments& args) {
  const String& self = args.string(0);
  std::string indention;
  if (args.has(1) && args[1].is_string()) {
    indention = args[1].as_string()->text;
    if (self.markup) indention = escape(rt, args[1]).as_string()->text;
  } else {
    indention.assign(rt.reserve_many(static_cast<uint64_t>(std::max<int64_t>(args.integer(1, 4), 0)), 1),
                     ' ');
  }
  const bool first = args.truth(rt, 2, false);
  const bool blank = args.truth(rt, 3, false);
  rt.work(self.text.size());
  const std::string text = self.text + "\n";  // so that a line end at the end counts
  std::string out = first ? indention : "";
  bool first_line = true;
  for (std::string_view rest = text; !rest.empty();) {
    const LineEnd end = find_line_end(rest);
    const std::string_view line = rest.substr(0, end.end);
    if (!first_line) out += '\n';
    if (!first_line && (blank || !line.empty())) out += indention;
    out += line;
    rt.work(indention.size());
    rt.reserve(out.size() + indention.size() + text.size());
    rest = rest.substr(end.end + end.mark_bytes);
    first_line = false;
  }
  return rt.string(std::move(out), self.markup);
}

Value truncate(Runtime& rt, const Arguments& args) {
  const int64_t length = args.integer(1, 255);
  const bool kill_words = args.truth(rt, 2, false);
  const Value end = args.has(3) ? args[3] : rt.string("...");
  const int64_t leeway = args.has(4) && !args[4].is_none() ? args.integer(4) : 5;
  const auto end_length = static_cast<int64_t>(length_of(rt, end));
  if (length < end_length) raise("truncate: expected length >= {}, got {}", end_length, length);
  if (leeway < 0) raise("truncate: expected leeway >= 0, got {}", leeway);
  if (static_cast<int64_t>(length_of(rt, args[0])) - leeway <= length) return args[0];
  const String& self = args.string(0);
  const Value kept = get_slice(rt, args[0], Value::none(), Value(length - end_length), Value::none());
  if (kill_words) return apply(rt, BinaryOperator::kAdd, kept, end);
  const std::string& text = kept.as_string()->text;
  const std::size_t blank = text.rfind(' ');
  return apply(rt, BinaryOperator::kAdd, rt.string(text.substr(0, blank), self.markup), end);
}

Value wordcount(Runtime& rt, const Arguments& args) {
  const Value value = to_string_value(rt, args[0]);
  const std::string& text = value.as_string()->text;
  rt.work(text.size() * 16);
  int64_t count = 0;
  bool in_word = false;
  for (std::size_t i = 0; i < text.size();) {
    const char32_t c = next_code_point(text, i);
    const bool is_word = c == '_' || is_alnum(c);
    count += is_word && !in_word;
    in_word = is_word;
  }
  return Value(count);
}

Value wordwrap(Runtime& rt, const Arguments& args) {
  const String& self = args.string(0);
  const WrapStyle style{.width = args.integer(1, 79),
                        .break_long_words = args.truth(rt, 2, true),
                        .break_on_hyphens = args.truth(rt, 4, true)};
  const std::string separator = args.has(3) && !args[3].is_none() ? args.string(3).text : "\n";
  std::string out;
  bool first = true;
  rt.work(self.text.size() * 16);
  for (std::string_view rest = self.text; !rest.empty();) {
    const LineEnd end = find_line_end(rest);
    if (!first) out += separator;
    first = false;
    bool first_piece = true;
    for (const std::string& piece : wrap_line(rt, rest.substr(0, end.end), style)) {
      if (!first_piece) out += separator;
      first_piece = false;
      out += piece;
      rt.work(separator.size());
      rt.reserve(out.size() + separator.size());
    }
    rest = rest.substr(end.end + end.mark_bytes);
  }
  return rt.string(std::move(out));
}

constexpr Builtin kFilters[] = {
    {"upper", "s", upper},
    {"lower", "s", lower},
    {"capitalize", "s", capitalize},
    {"title", "s", title},
    {"trim", "value chars?", trim},
    {"center", "value width?", center},
    {"replace", "s old new count?", replace},
    {"format", "*", format},
    {"indent", "s width? first? blank?", indent},
    {"truncate", "s length? killwords? end? leeway?", truncate},
    {"wordcount", "s", wordcount},
    {"wordwrap", "s width? break_long_words? wrapstring? break_on_hyphens?", wordwrap},
};

}  // namespace

const Builtin* find_text_filter(std::string_view name) {
  return find_builtin(kFilters, name);
}

}  // namespace cistern::text::jinja
