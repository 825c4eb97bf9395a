// Methods of str that look for something, split or join.
#include <algorithm>
#include <cstring>
#include <limits>

#include "text/jinja/access.h"
#include "text/jinja/failure.h"
#include "text/jinja/iteration.h"
#include "text/jinja/operators.h"
#include "text/jinja/string_search.h"
#include "text/jinja/unicode.h"

namespace cistern::text::jinja {
namespace {

// The part [start, end) of a string, as Python's find and startswith take it; both ends in code points.
struct Window {
  std::string_view text;
  std::size_t first;  // code point index of the start
  bool valid;         // false when start > end
};

Window window_of(Runtime& rt, const Arguments& args, std::size_t start_index) {
  const String& self = args.string(0);
  const auto length = static_cast<int64_t>(self.length);
  const auto bound = [&](std::size_t index, int64_t otherwise) {
    if (!args.has(index) || args[index].is_none()) return otherwise;
    const int64_t value = args.integer(index);
    return value < 0 ? std::max(value + length, int64_t{0}) : value;
  };
  const int64_t start = bound(start_index, 0);
  const int64_t end = std::min(bound(start_index + 1, length), length);
  if (start > end) return {{}, 0, false};
  if (start == 0 && end == length) return {self.text, 0, true};
  rt.work(self.text.size());
  const std::size_t begin = offset_of(self.text, static_cast<std::size_t>(start));
  const std::string_view rest = std::string_view(self.text).substr(begin);
  return {rest.substr(0, offset_of(rest, static_cast<std::size_t>(end - start))),
          static_cast<std::size_t>(start), true};
}

// Code point index of the hit, or nullopt.
std::optional<std::size_t> locate(Runtime& rt, const Arguments& args, bool from_right) {
  const String& part = args.string(1);
  const Window window = window_of(rt, args, 2);
  if (!window.valid) return std::nullopt;
  rt.work(2 * (window.text.size() + part.text.size()));
  const std::size_t hit =
      from_right ? find_last(rt, window.text, part.text) : find_first(window.text, part.text);
  if (hit == std::string_view::npos) return std::nullopt;
  return window.first + count_code_points(window.text.substr(0, hit));
}

template <bool kFromRight>
Value string_find(Runtime& rt, const Arguments& args) {
  const auto hit = locate(rt, args, kFromRight);
  return hit ? Value(*hit) : Value(-1);
}

template <bool kFromRight>
Value string_index(Runtime& rt, const Arguments& args) {
  const auto hit = locate(rt, args, kFromRight);
  if (!hit) raise("substring not found");
  return Value(*hit);
}

Value string_count(Runtime& rt, const Arguments& args) {
  const String& part = args.string(1);
  const Window window = window_of(rt, args, 2);
  if (!window.valid) return Value(0);
  rt.work(window.text.size() * 4);
  if (part.text.empty()) return Value(count_code_points(window.text) + 1);
  int64_t count = 0;
  for_each_occurrence(window.text, part.text, [&](std::size_t) { return ++count, true; });
  return Value(count);
}

template <bool kAtEnd>
Value string_has_affix(Runtime& rt, const Arguments& args) {
  const Window window = window_of(rt, args, 2);
  const auto matches = [&](const Value& affix) {
    const String& text = to_string_argument(affix);
    rt.work(text.text.size());
    if (!window.valid) return false;
    return kAtEnd ? window.text.ends_with(text.text) : window.text.starts_with(text.text);
  };
  if (const Tuple* choices = args[1].as_tuple()) {
    return std::any_of(choices->items.begin(), choices->items.end(), matches);
  }
  return matches(args[1]);
}

Value make(Runtime& rt, const String& self, std::string_view text) {
  return rt.string(std::string(text), self.markup);
}

// The largest number of splits, as str.split takes it: negative means all.
std::size_t split_limit(const Arguments& args) {
  const int64_t limit = args.integer(2, -1);
  return limit < 0 ? std::numeric_limits<std::size_t>::max() : static_cast<std::size_t>(limit);
}

void add_piece(Runtime& rt, std::vector<Value>& pieces, const String& self, std::string_view text) {
  rt.step();
  pieces.push_back(make(rt, self, text));
  rt.reserve(pieces.size() * sizeof(Value));
}

std::vector<Value> split_at_spaces(Runtime& rt, const String& self, std::size_t limit) {
  std::vector<Value> pieces;
  std::string_view rest = strip(self.text, nullptr, true, false);
  while (!rest.empty()) {
    if (pieces.size() == limit) {
      add_piece(rt, pieces, self, rest);
      break;
    }
    std::size_t end = 0;
    for (std::size_t next = 0; end < rest.size() && !is_space(next_code_point(rest, next));) end = next;
    add_piece(rt, pieces, self, rest.substr(0, end));
    rest = strip(rest.substr(end), nullptr, true, false);
  }
  return pieces;
}

std::vector<Value> rsplit_at_spaces(Runtime& rt, const String& self, std::size_t limit) {
  std::vector<Value> pieces;
  std::string_view rest = strip(self.text, nullptr, false, true);
  while (!rest.empty()) {
    if (pieces.size() == limit) {
      add_piece(rt, pieces, self, rest);
      break;
    }
    std::size_t start = rest.size();
    for (std::size_t previous = start; start > 0 && !is_space(previous_code_point(rest, previous));)
      start = previous;
    add_piece(rt, pieces, self, rest.substr(start));
    rest = strip(rest.substr(0, start), nullptr, false, true);
  }
  std::reverse(pieces.begin(), pieces.end());
  return pieces;
}

Value string_split(Runtime& rt, const Arguments& args) {
  const String& self = args.string(0);
  rt.work(self.text.size() * 4);
  const std::size_t limit = split_limit(args);
  if (!args.has(1) || args[1].is_none()) return rt.list(split_at_spaces(rt, self, limit));
  const std::string& separator = args.string(1).text;
  if (separator.empty()) raise("empty separator");
  std::vector<Value> pieces;
  std::size_t start = 0;
  for_each_occurrence(self.text, separator, [&](std::size_t hit) {
    if (pieces.size() == limit) return false;
    add_piece(rt, pieces, self, std::string_view(self.text).substr(start, hit - start));
    start = hit + separator.size();
    return true;
  });
  add_piece(rt, pieces, self, std::string_view(self.text).substr(start));
  return rt.list(std::move(pieces));
}

Value string_rsplit(Runtime& rt, const Arguments& args) {
  const String& self = args.string(0);
  rt.work(self.text.size() * 4);
  const std::size_t limit = split_limit(args);
  if (!args.has(1) || args[1].is_none()) return rt.list(rsplit_at_spaces(rt, self, limit));
  const std::string& separator = args.string(1).text;
  if (separator.empty()) raise("empty separator");
  std::vector<Value> pieces;
  std::string_view rest = self.text;
  while (pieces.size() < limit) {
    const std::size_t hit = find_last_nearby(rt, rest, separator);
    if (hit == std::string_view::npos) break;
    add_piece(rt, pieces, self, rest.substr(hit + separator.size()));
    rest = rest.substr(0, hit);
  }
  add_piece(rt, pieces, self, rest);
  std::reverse(pieces.begin(), pieces.end());
  return rt.list(std::move(pieces));
}

Value string_splitlines(Runtime& rt, const Arguments& args) {
  const String& self = args.string(0);
  const bool keep_ends = args.truth(rt, 1, false);
  rt.work(self.text.size());
  std::vector<Value> lines;
  for (std::string_view rest = self.text; !rest.empty();) {
    const LineEnd line = find_line_end(rest);
    add_piece(rt, lines, self, rest.substr(0, keep_ends ? line.end + line.mark_bytes : line.end));
    rest = rest.substr(line.end + line.mark_bytes);
  }
  return rt.list(std::move(lines));
}

template <bool kFromRight>
Value string_partition(Runtime& rt, const Arguments& args) {
  const String& self = args.string(0);
  const std::string& separator = args.string(1).text;
  if (separator.empty()) raise("empty separator");
  rt.work(self.text.size());
  const std::string_view text = self.text;
  const std::size_t hit = kFromRight ? find_last(rt, text, separator) : find_first(text, separator);
  if (hit == std::string_view::npos) {
    const Value whole = make(rt, self, text);
    const Value empty = make(rt, self, "");
    return kFromRight ? rt.tuple({empty, empty, whole}) : rt.tuple({whole, empty, empty});
  }
  return rt.tuple({make(rt, self, text.substr(0, hit)), make(rt, self, separator),
                   make(rt, self, text.substr(hit + separator.size()))});
}

Value string_join(Runtime& rt, const Arguments& args) {
  const String& self = args.string(0);
  const std::vector<Value> items = collect(rt, args[1]);
  std::string out;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Value item = self.markup ? escape(rt, items[i]) : items[i];
    if (!item.is_string()) raise("sequence item {}: expected str instance, {} found", i, type_name(item));
    const std::string& text = item.as_string()->text;
    rt.reserve(out.size() + self.text.size() + text.size());
    rt.work(self.text.size() + text.size());
    if (i != 0) out += self.text;
    out += text;
  }
  return rt.string(std::move(out), self.markup);
}

constexpr Builtin kMethods[] = {
    {"startswith", "self prefix start? end? /", string_has_affix<false>},
    {"split", "self sep? maxsplit?", string_split},
    {"endswith", "self suffix start? end? /", string_has_affix<true>},
    {"join", "self iterable /", string_join},
    {"rsplit", "self sep? maxsplit?", string_rsplit},
    {"splitlines", "self keepends?", string_splitlines},
    {"find", "self sub start? end? /", string_find<false>},
    {"rfind", "self sub start? end? /", string_find<true>},
    {"index", "self sub start? end? /", string_index<false>},
    {"rindex", "self sub start? end? /", string_index<true>},
    {"count", "self sub start? end? /", string_count},
    {"partition", "self sep /", string_partition<false>},
    {"rpartition", "self sep /", string_partition<true>},
};

}  // namespace

const Builtin* find_string_search_method(std::string_view name) {
  return find_builtin(kMethods, name);
}

}  // namespace cistern::text::jinja
