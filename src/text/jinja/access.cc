#include "text/jinja/access.h"

#include <algorithm>
#include <limits>

#include "text/jinja/failure.h"
#include "text/jinja/objects.h"
#include "text/jinja/operators.h"
#include "text/jinja/repr.h"
#include "text/jinja/unicode.h"

namespace cistern::text::jinja {
namespace {

// What the sandbox keeps from templates because it changes the object.
constexpr std::string_view kListMutators[] = {"append", "clear", "pop",    "reverse",
                                              "insert", "sort",  "extend", "remove"};
constexpr std::string_view kDictMutators[] = {"clear", "pop", "popitem", "setdefault", "update"};

// Special attributes of a dict; other names of this form may be keys.
constexpr std::string_view kDictSpecials[] = {
    "__class__",
    "__class_getitem__",
    "__contains__",
    "__delattr__",
    "__delitem__",
    "__dir__",
    "__doc__",
    "__eq__",
    "__format__",
    "__ge__",
    "__getattribute__",
    "__getitem__",
    "__getstate__",
    "__gt__",
    "__hash__",
    "__init__",
    "__init_subclass__",
    "__ior__",
    "__iter__",
    "__le__",
    "__len__",
    "__lt__",
    "__ne__",
    "__new__",
    "__or__",
    "__reduce__",
    "__reduce_ex__",
    "__repr__",
    "__reversed__",
    "__ror__",
    "__setattr__",
    "__setitem__",
    "__sizeof__",
    "__str__",
    "__subclasshook__",
};

// Attributes that exist in Python but not here: an error is better than taking them for undefined.
struct UnsupportedAttributes {
  std::string_view type;
  std::string_view names;
};
constexpr UnsupportedAttributes kUnsupported[] = {
    {"str", " encode maketrans translate "},
    {"Markup", " encode maketrans translate escape unescape striptags "},
    {"dict", " fromkeys "},
    {"int",
     " as_integer_ratio bit_count bit_length conjugate denominator from_bytes imag numerator real to_bytes "},
    {"bool",
     " as_integer_ratio bit_count bit_length conjugate denominator from_bytes imag numerator real to_bytes "},
    {"float", " as_integer_ratio conjugate fromhex hex imag is_integer real "},
    {"range", " count index "},
    {"dict_keys", " isdisjoint mapping "},
    {"dict_values", " mapping "},
    {"dict_items", " isdisjoint mapping "},
    {"generator", " close gi_code gi_frame gi_running gi_suspended gi_yieldfrom send throw "},
    {"type", " mro fromkeys "},
};

template <std::size_t N>
bool is_one_of(const std::string_view (&names)[N], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

Value unsafe(const Value& object, std::string_view name) {
  return Value::undefined(
      fmt::format("access to attribute '{}' of '{}' object is unsafe", name, type_name(object)));
}

std::string object_name(const Value& object) {
  return object.is_none() ? "None" : fmt::format("{} object", type_name(object));
}

Value undefined_item(Runtime& rt, const Value& object, const Value& key) {
  const String* name = key.as_string();
  if (name)
    return Value::undefined(fmt::format("'{}' has no attribute '{}'", object_name(object), name->text));
  const std::string text =
      key.as_int() ? key.as_int()->to_string() : fmt::format("of type '{}'", type_name(key));
  rt.step();
  return Value::undefined(fmt::format("{} has no element {}", object_name(object), text));
}

bool is_unsafe(const Value& object, std::string_view name) {
  if (name.starts_with("__") && name.ends_with("__") && name.size() > 4) {
    return !object.as_dict() || is_one_of(kDictSpecials, name);
  }
  if (object.as_list()) return is_one_of(kListMutators, name);
  return object.as_dict() && is_one_of(kDictMutators, name);
}

// What Python's getattr finds, through the sandbox; missing when there is no such attribute.
Value python_attribute(Runtime& rt, const Value& object, std::string_view name) {
  rt.step();
  if (object.is_undefined()) raise("{}", object.undefined_message());
  if (is_unsafe(object, name)) return unsafe(object, name);
  if (const Builtin* method = find_method(object, name)) return rt.object<BoundMethod>(object, *method);
  if (Object* behaviour = object.as_object()) {
    if (Value value = behaviour->attribute(rt, name); !value.is_missing()) {
      return name.starts_with('_') ? unsafe(object, name) : value;
    }
  }
  if (const Tuple* tuple = object.as_tuple(); tuple && tuple->is_group) {
    if (name == "grouper") return tuple->items[0];
    if (name == "list") return tuple->items[1];
  }
  for (const auto& [type, names] : kUnsupported) {
    if (type == type_name(object) && names.find(fmt::format(" {} ", name)) != std::string_view::npos) {
      raise("attribute '{}' of a {} is not supported", name, type);
    }
  }
  return Value();
}

Value character_at(Runtime& rt, const String& string, std::size_t index) {
  const std::size_t start = string.is_ascii() ? index : offset_of(string.text, index);
  if (!string.is_ascii()) rt.work(start);
  std::size_t end = start;
  next_code_point(string.text, end);
  return rt.string(string.text.substr(start, end - start), string.markup);
}

// Python's obj[index] for sequences; missing when out of range or no sequence.
Value element_at(Runtime& rt, const Value& object, const Integer& key) {
  const Range* range = object.as<Range>();
  if (!object.is_string() && !object.items() && !range) return Value();
  const auto length = static_cast<int64_t>(length_of(rt, object));
  const std::optional<int64_t> given = key.to_int64();
  if (!given) return Value();
  const int64_t index = *given < 0 ? *given + length : *given;
  if (index < 0 || index >= length) return Value();
  const auto position = static_cast<std::size_t>(index);
  if (const String* string = object.as_string()) return character_at(rt, *string, position);
  return range ? range->at(position) : (*object.items())[position];
}

// A part of a slice as a 64-bit number; Python clamps larger ones to the ends in the same way.
int64_t slice_part(const Value& part, int64_t otherwise) {
  if (part.is_none()) return otherwise;
  const std::optional<Integer> number = part.as_integral();
  if (!number) raise("slice indices must be integers or None");
  constexpr int64_t kFar = std::numeric_limits<int64_t>::max() / 4;
  if (const auto fitting = number->to_int64()) return std::clamp(*fitting, -kFar, kFar);
  return number->is_negative() ? -kFar : kFar;
}

struct SliceBounds {
  int64_t start, stop, step;
  std::size_t count;
};

// PySlice_AdjustIndices.
SliceBounds slice_bounds(int64_t length, const Value& start, const Value& stop, const Value& step) {
  SliceBounds bounds{};
  bounds.step = slice_part(step, 1);
  if (bounds.step == 0) raise("slice step cannot be zero");
  const bool forward = bounds.step > 0;
  const auto adjust = [&](int64_t index) {
    if (index < 0) return std::max(index + length, forward ? int64_t{0} : int64_t{-1});
    return std::min(index, forward ? length : length - 1);
  };
  bounds.start = start.is_none() ? (forward ? 0 : length - 1) : adjust(slice_part(start, 0));
  bounds.stop = stop.is_none() ? (forward ? length : -1) : adjust(slice_part(stop, 0));
  const int64_t span = forward ? bounds.stop - bounds.start : bounds.start - bounds.stop;
  const int64_t stride = forward ? bounds.step : -bounds.step;
  bounds.count = span <= 0 ? 0 : static_cast<std::size_t>((span - 1) / stride + 1);
  return bounds;
}

Value slice_string(Runtime& rt, const String& string, const SliceBounds& bounds) {
  rt.work(string.text.size());
  std::string out;
  if (bounds.count == 0) return rt.string(std::move(out), string.markup);
  if (bounds.step == 1) {
    const auto first = static_cast<std::size_t>(bounds.start);
    const std::string_view text = string.text;
    if (string.is_ascii()) return rt.string(std::string(text.substr(first, bounds.count)), string.markup);
    const std::size_t begin = offset_of(text, first);
    const std::size_t size = offset_of(text.substr(begin), bounds.count);
    return rt.string(std::string(text.substr(begin, size)), string.markup);
  }
  rt.reserve(string.length * sizeof(char32_t));
  std::u32string characters;
  characters.reserve(string.length);
  for (std::size_t i = 0; i < string.text.size();) characters += next_code_point(string.text, i);
  rt.step(bounds.count / 8);
  for (std::size_t i = 0; i < bounds.count; ++i) {
    append_code_point(
        out, characters[static_cast<std::size_t>(bounds.start + static_cast<int64_t>(i) * bounds.step)]);
  }
  return rt.string(std::move(out), string.markup);
}

}  // namespace

const Builtin* find_method(const Value& object, std::string_view name) {
  if (object.is_string()) {
    const Builtin* method = find_string_search_method(name);
    return method ? method : find_string_shape_method(name);
  }
  return find_container_method(object, name);
}

Value get_attribute_only(Runtime& rt, const Value& object, std::string_view name) {
  return python_attribute(rt, object, name);
}

Value get_attribute(Runtime& rt, const Value& object, std::string_view name) {
  if (Value value = python_attribute(rt, object, name); !value.is_missing()) return value;
  if (const Dict* dict = object.as_dict()) {
    if (const Value* value = dict->find(name)) return *value;
  }
  return Value::undefined(fmt::format("'{}' has no attribute '{}'", object_name(object), name));
}

Value get_item(Runtime& rt, const Value& object, const Value& key) {
  rt.step();
  if (object.is_undefined()) raise("{}", object.undefined_message());
  if (const Dict* dict = object.as_dict()) {
    if (const String* name = key.as_string()) rt.work(name->text.size() * 8);
    if (const Value* value = dict->find(key)) return *value;
  } else if (const std::optional<Integer> index = key.as_integral()) {
    if (Value value = element_at(rt, object, *index); !value.is_missing()) return value;
  }
  if (const String* name = key.as_string()) {
    if (Value value = python_attribute(rt, object, name->text); !value.is_missing()) return value;
  }
  return undefined_item(rt, object, key);
}

Value get_slice(Runtime& rt, const Value& object, const Value& start, const Value& stop, const Value& step) {
  if (object.is_undefined()) raise("{}", object.undefined_message());
  const Range* range = object.as<Range>();
  if (!object.is_string() && !object.items() && !range)
    raise("'{}' object cannot be sliced", type_name(object));
  const SliceBounds bounds = slice_bounds(static_cast<int64_t>(length_of(rt, object)), start, stop, step);
  if (const String* string = object.as_string()) return slice_string(rt, *string, bounds);
  if (range) return range->slice(rt, bounds.start, bounds.stop, bounds.step);
  rt.reserve_many(bounds.count, sizeof(Value));
  rt.step(bounds.count / 8);
  std::vector<Value> items;
  items.reserve(bounds.count);
  for (std::size_t i = 0; i < bounds.count; ++i) {
    items.push_back(
        (*object.items())[static_cast<std::size_t>(bounds.start + static_cast<int64_t>(i) * bounds.step)]);
  }
  return object.as_list() ? rt.list(std::move(items)) : rt.tuple(std::move(items));
}

}  // namespace cistern::text::jinja
