#include "text/jinja/attribute_path.h"

#include <algorithm>

#include "text/jinja/access.h"
#include "text/jinja/integer.h"
#include "text/jinja/unicode.h"

namespace cistern::text::jinja {
namespace {

template <class Visit>
void split(std::string_view text, char separator, Visit visit) {
  while (true) {
    const std::size_t end = text.find(separator);
    visit(text.substr(0, end));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

AttributePath::AttributePath(Runtime& rt, const Value& path) {
  if (path.is_missing() || path.is_none()) return;
  const String* text = path.as_string();
  if (!text) {
    parts_.push_back(path);
    return;
  }
  split(text->text, '.', [&](std::string_view part) {
    const bool number =
        !part.empty() && std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
    parts_.push_back(number ? Value(Integer::from_digits(part, 10)) : rt.string(std::string(part)));
    rt.step();
  });
}

std::vector<AttributePath> AttributePath::list(Runtime& rt, const Value& paths) {
  std::vector<AttributePath> list;
  if (const String* text = paths.as_string()) {
    split(text->text, ',',
          [&](std::string_view part) { list.emplace_back(rt, rt.string(std::string(part))); });
  } else {
    list.emplace_back(rt, paths);
  }
  return list;
}

Value AttributePath::get(Runtime& rt, Value value, const Value& otherwise) const {
  for (const Value& part : parts_) {
    value = get_item(rt, value, part);
    if (value.is_undefined() && !otherwise.is_missing() && !otherwise.is_none()) value = otherwise;
  }
  return value;
}

Value ignore_case(Runtime& rt, const Value& value) {
  const String* text = value.as_string();
  if (!text) return value;
  rt.reserve(text->text.size() * 3);
  rt.work(text->text.size() * 16);
  return rt.string(to_lower(text->text), text->markup);
}

}  // namespace cistern::text::jinja
