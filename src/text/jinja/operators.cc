#include "text/jinja/operators.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "text/jinja/failure.h"
#include "text/jinja/iteration.h"
#include "text/jinja/objects.h"
#include "text/jinja/repr.h"

namespace cistern::text::jinja {
namespace {

std::string_view symbol_of(Comparison comparison) {
  static constexpr std::string_view kSymbols[] = {"==", "!=", "<", "<=", ">", ">=", "in", "not in"};
  return kSymbols[static_cast<int>(comparison)];
}

bool holds(Comparison comparison, std::partial_ordering order) {
  switch (comparison) {
    case Comparison::kLess:
      return order < 0;
    case Comparison::kLessEqual:
      return order <= 0;
    case Comparison::kGreater:
      return order > 0;
    default:
      return order >= 0;
  }
}

bool is_number(const Value& value) {
  return value.as_int() || value.as_bool() || value.as_float();
}

bool equal_items(Runtime& rt, const std::vector<Value>& a, const std::vector<Value>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!a[i].same_object(b[i]) && !equals(rt, a[i], b[i])) return false;
  }
  return true;
}

bool equal_dicts(Runtime& rt, const Dict& a, const Dict& b) {
  if (a.size() != b.size()) return false;
  for (const auto& [key, value] : a.entries()) {
    rt.step();
    if (const String* text = key.as_string()) rt.work(text->text.size() * 4);
    const Value* other = b.find(key);
    if (!other || (!value.same_object(*other) && !equals(rt, value, *other))) return false;
  }
  return true;
}

// Lists and tuples: the first pair that differs decides.
bool compare_items(Runtime& rt, Comparison comparison, const std::vector<Value>& a,
                   const std::vector<Value>& b) {
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (!a[i].same_object(b[i]) && !equals(rt, a[i], b[i])) return compare(rt, comparison, a[i], b[i]);
  }
  return holds(comparison, a.size() <=> b.size());
}

}  // namespace

std::string_view type_name(const Value& value) {
  switch (value.type()) {
    case Type::kMissing:
    case Type::kUndefined:
      return "Undefined";
    case Type::kNone:
      return "NoneType";
    case Type::kBool:
      return "bool";
    case Type::kInt:
      return "int";
    case Type::kFloat:
      return "float";
    case Type::kString:
      return value.as_string()->markup ? "Markup" : "str";
    case Type::kList:
      return "list";
    case Type::kTuple:
      return "tuple";
    case Type::kDict:
      return "dict";
    case Type::kObject:
      return value.as_object()->type_name();
  }
  return "";
}

bool is_true(Runtime& rt, const Value& value) {
  switch (value.type()) {
    case Type::kMissing:
    case Type::kUndefined:
    case Type::kNone:
      return false;
    case Type::kBool:
      return *value.as_bool();
    case Type::kInt:
      return !value.as_int()->is_zero();
    case Type::kFloat:
      return *value.as_float() != 0;
    case Type::kString:
      return !value.as_string()->text.empty();
    case Type::kList:
    case Type::kTuple:
      return !value.items()->empty();
    case Type::kDict:
      return value.as_dict()->size() != 0;
    case Type::kObject:
      return value.as_object()->length(rt).value_or(1) != 0;
  }
  return false;
}

bool equals(Runtime& rt, const Value& a, const Value& b) {
  rt.step();
  if (is_number(a) && is_number(b)) return compare_numbers(a, b) == 0;
  if (a.type() != b.type()) return false;
  switch (a.type()) {
    case Type::kString:
      if (a.as_string()->text.size() != b.as_string()->text.size()) return false;
      rt.work(a.as_string()->text.size());
      return a.as_string()->text == b.as_string()->text;
    case Type::kList:
    case Type::kTuple: {
      const Runtime::Depth depth(rt);
      return equal_items(rt, *a.items(), *b.items());
    }
    case Type::kDict: {
      const Runtime::Depth depth(rt);
      return equal_dicts(rt, *a.as_dict(), *b.as_dict());
    }
    case Type::kObject:
      return a.as_object() == b.as_object() || a.as_object()->equals(rt, *b.as_object());
    default:
      return true;  // none and undefined equal themselves
  }
}

bool compare(Runtime& rt, Comparison comparison, const Value& a, const Value& b) {
  switch (comparison) {
    case Comparison::kEqual:
      return equals(rt, a, b);
    case Comparison::kNotEqual:
      return !equals(rt, a, b);
    case Comparison::kIn:
      return contains(rt, b, a);
    case Comparison::kNotIn:
      return !contains(rt, b, a);
    default:
      break;
  }
  rt.step();
  if (is_number(a) && is_number(b)) return holds(comparison, compare_numbers(a, b));
  if (a.is_undefined()) raise("{}", a.undefined_message());
  if (b.is_undefined()) raise("{}", b.undefined_message());
  if (a.type() == b.type()) {
    if (a.is_string()) {
      rt.work(std::min(a.as_string()->text.size(), b.as_string()->text.size()));
      return holds(comparison,
                   a.as_string()->text <=> b.as_string()->text);  // UTF-8 sorts like its code points
    }
    if (a.items()) {
      const Runtime::Depth depth(rt);
      return compare_items(rt, comparison, *a.items(), *b.items());
    }
    if (a.as<DictView>())
      raise("comparing {} with '{}' is not supported", type_name(a), symbol_of(comparison));
  }
  raise("'{}' not supported between instances of '{}' and '{}'", symbol_of(comparison), type_name(a),
        type_name(b));
}

bool contains(Runtime& rt, const Value& container, const Value& item) {
  rt.step();
  if (const String* text = container.as_string()) {
    const String* part = item.as_string();
    if (!part) raise("'in <string>' requires string as left operand, not {}", type_name(item));
    rt.work(text->text.size() * 2);
    return memmem(text->text.data(), text->text.size(), part->text.data(), part->text.size()) != nullptr;
  }
  if (const Dict* dict = container.as_dict()) {
    if (!is_hashable(item)) raise("unhashable type: '{}'", type_name(item));
    if (const String* key = item.as_string()) rt.work(key->text.size() * 8);
    return dict->find(item) != nullptr;
  }
  if (const Range* range = container.as<Range>(); range && is_number(item))
    return range->index_of(item).has_value();
  if (const DictView* view = container.as<DictView>()) return view->contains(rt, item);
  if (!is_iterable(container)) raise("argument of type '{}' is not iterable", type_name(container));
  const std::shared_ptr<Iterator> iterator = iterate(rt, container);
  Value candidate;
  while (iterator->next(rt, candidate)) {
    if (candidate.same_object(item) || equals(rt, candidate, item)) return true;
  }
  return false;
}

std::size_t length_of(Runtime& rt, const Value& value) {
  switch (value.type()) {
    case Type::kUndefined:
      return 0;
    case Type::kString:
      return value.as_string()->length;
    case Type::kList:
    case Type::kTuple:
      return value.items()->size();
    case Type::kDict:
      return value.as_dict()->size();
    case Type::kObject:
      if (const auto length = value.as_object()->length(rt)) return *length;
      break;
    default:
      break;
  }
  raise("object of type '{}' has no len()", type_name(value));
}

Value escape(Runtime& rt, const Value& value) {
  const String* string = value.as_string();
  if (string && string->markup) return value;
  const std::string text = string ? string->text : to_text(rt, value);
  std::string out;
  out.reserve(text.size());
  rt.reserve(text.size() * 5);  // the longest replacement
  rt.work(text.size() * 4);
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '"':
        out += "&#34;";
        break;
      default:
        out += c;
    }
  }
  return rt.string(std::move(out), true);
}

}  // namespace cistern::text::jinja
