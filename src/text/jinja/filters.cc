#include "text/jinja/filters.h"

#include "text/jinja/repr.h"
#include "text/jinja/tojson.h"

namespace cistern::text::jinja {

const Builtin* find_filter(std::string_view name) {
  static constexpr Builtin kToJson{"tojson", "value ensure_ascii? indent? separators? sort_keys?",
                                   filter_tojson};
  if (name == kToJson.name) return &kToJson;
  for (const auto find : {find_text_filter, find_html_filter, find_number_filter, find_sequence_filter,
                          find_selection_filter}) {
    if (const Builtin* filter = find(name)) return filter;
  }
  return nullptr;
}

Value to_string_value(Runtime& rt, const Value& value) {
  return value.is_string() ? value : rt.string(to_text(rt, value));
}

}  // namespace cistern::text::jinja
