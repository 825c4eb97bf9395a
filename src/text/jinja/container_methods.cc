// Methods of dict, list and tuple that do not change their object.
#include "text/jinja/access.h"
#include "text/jinja/failure.h"
#include "text/jinja/objects.h"
#include "text/jinja/operators.h"
#include "text/jinja/repr.h"

namespace cistern::text::jinja {
namespace {

Value dict_get(Runtime& rt, const Arguments& args) {
  if (!is_hashable(args[1])) raise("unhashable type: '{}'", type_name(args[1]));
  if (const String* key = args[1].as_string()) rt.work(key->text.size() * 8);
  if (const Value* found = args[0].as_dict()->find(args[1])) return *found;
  return args.has(2) ? args[2] : Value::none();
}

template <DictView::Kind kKind>
Value dict_view(Runtime& rt, const Arguments& args) {
  return rt.object<DictView>(kKind, args[0].dict_ref());
}

Value itself(Runtime&, const Arguments& args) {
  return args[0];
}  // values are immutable: a copy is the same

Value sequence_count(Runtime& rt, const Arguments& args) {
  int64_t count = 0;
  for (const Value& item : *args[0].items()) count += item.same_object(args[1]) || equals(rt, item, args[1]);
  return Value(count);
}

Value sequence_index(Runtime& rt, const Arguments& args) {
  const std::vector<Value>& items = *args[0].items();
  const auto bound = [&](std::size_t index, int64_t otherwise) {
    int64_t value = args.integer(index, otherwise);
    const auto size = static_cast<int64_t>(items.size());
    if (value < 0) value = std::max(value + size, int64_t{0});
    return static_cast<std::size_t>(std::min(value, size));
  };
  const std::size_t end = bound(3, static_cast<int64_t>(items.size()));
  for (std::size_t i = bound(2, 0); i < end; ++i) {
    if (items[i].same_object(args[1]) || equals(rt, items[i], args[1])) return Value(i);
  }
  raise("{} is not in {}", repr(rt, args[1]), type_name(args[0]));
}

constexpr Builtin kDictMethods[] = {
    {"get", "self key default? /", dict_get},
    {"items", "self", dict_view<DictView::Kind::kItems>},
    {"keys", "self", dict_view<DictView::Kind::kKeys>},
    {"values", "self", dict_view<DictView::Kind::kValues>},
    {"copy", "self", itself},
};

constexpr Builtin kListMethods[] = {
    {"index", "self value start? stop? /", sequence_index},
    {"count", "self value /", sequence_count},
    {"copy", "self", itself},
};

constexpr Builtin kTupleMethods[] = {
    {"index", "self value start? stop? /", sequence_index},
    {"count", "self value /", sequence_count},
};

}  // namespace

const Builtin* find_container_method(const Value& object, std::string_view name) {
  switch (object.type()) {
    case Type::kDict:
      return find_builtin(kDictMethods, name);
    case Type::kList:
      return find_builtin(kListMethods, name);
    case Type::kTuple:
      return find_builtin(kTupleMethods, name);
    default:
      return nullptr;
  }
}

}  // namespace cistern::text::jinja
