// Attributes, items and slices under the rules of Jinja's immutable sandbox: obj.name prefers a Python
// attribute over an item, obj['name'] the other way round, names that begin with an underscore and methods
// that change their object give an undefined value that says so. Used by the evaluator and by the filters
// that look attributes up.
#pragma once

#include <string_view>

#include "text/jinja/arguments.h"
#include "text/jinja/runtime.h"
#include "text/jinja/value.h"

namespace cistern::text::jinja {

Value get_attribute(Runtime& rt, const Value& object, std::string_view name);
Value get_item(Runtime& rt, const Value& object, const Value& key);
// object[start:stop:step]; none where a part is left out.
Value get_slice(Runtime& rt, const Value& object, const Value& start, const Value& stop, const Value& step);
// The attribute alone, without looking for an item (filter `attr`).
Value get_attribute_only(Runtime& rt, const Value& object, std::string_view name);

// The method `name` of a built-in type, or null. A fast path for calls: the result of get_attribute would be
// this method bound to the object.
const Builtin* find_method(const Value& object, std::string_view name);

// Method tables (string_methods_*.cc, container_methods.cc).
const Builtin* find_string_search_method(std::string_view name);
const Builtin* find_string_shape_method(std::string_view name);
const Builtin* find_container_method(const Value& object, std::string_view name);

}  // namespace cistern::text::jinja
