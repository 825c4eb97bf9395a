#include "text/jinja/value.h"

#include <algorithm>
#include <cmath>

#include "text/jinja/failure.h"
#include "text/jinja/objects.h"
#include "text/jinja/unicode.h"

namespace cistern::text::jinja {
namespace {

constexpr std::size_t kScanLimit = 8;  // dicts up to this size are searched from the front

int key_rank(const Value& key) {
  switch (key.type()) {
    case Type::kNone:
      return 0;
    case Type::kBool:
    case Type::kInt:
    case Type::kFloat:
      return 1;
    case Type::kString:
      return 2;
    case Type::kTuple:
      return 3;
    default:
      return 4;
  }
}

// A total order over keys in which exactly the keys that Python calls equal are equivalent.
std::partial_ordering compare_keys(const Value& a, const Value& b) {
  const int rank = key_rank(a);
  if (rank != key_rank(b)) return rank <=> key_rank(b);
  switch (rank) {
    case 1:
      return compare_numbers(a, b);
    case 2:
      return a.as_string()->text <=> b.as_string()->text;
    case 3: {
      const auto& x = a.as_tuple()->items;
      const auto& y = b.as_tuple()->items;
      for (std::size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
        if (const auto order = compare_keys(x[i], y[i]); order != 0) return order;
      }
      return x.size() <=> y.size();
    }
    default:
      return std::partial_ordering::equivalent;
  }
}

}  // namespace

std::partial_ordering compare_numbers(const Value& a, const Value& b) {
  const std::optional<Integer> x = a.as_integral();
  const std::optional<Integer> y = b.as_integral();
  if (x && y) return *x <=> *y;
  if (x) return Integer::compare(*x, *b.as_float());
  if (y) return 0 <=> Integer::compare(*y, *a.as_float());
  return *a.as_float() <=> *b.as_float();
}

bool KeyLess::operator()(const Value& a, const Value& b) const {
  return compare_keys(a, b) < 0;
}

Dict::Dict(std::vector<Entry> entries, int depth, Charge charge)
    : entries_(std::move(entries)), depth_(depth), charge_(std::move(charge)) {
  const auto indexes = [this] {
    std::vector<uint32_t> order(entries_.size());
    for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
    return order;
  };
  std::vector<uint32_t> order = indexes();
  const auto before = [this](uint32_t a, uint32_t b) {
    const auto by_key = compare_keys(entries_[a].first, entries_[b].first);
    return by_key != 0 ? by_key < 0 : a < b;
  };
  std::sort(order.begin(), order.end(), before);
  std::vector<bool> dropped(entries_.size());
  bool any_dropped = false;
  for (std::size_t i = 0; i < order.size();) {
    std::size_t next = i + 1;
    while (next < order.size() && compare_keys(entries_[order[i]].first, entries_[order[next]].first) == 0) {
      dropped[order[next++]] = any_dropped = true;
    }
    if (next > i + 1) entries_[order[i]].second = entries_[order[next - 1]].second;
    i = next;
  }
  if (any_dropped) {
    std::size_t index = 0;
    std::erase_if(entries_, [&](const Entry&) { return dropped[index++]; });
    order = indexes();
    std::sort(order.begin(), order.end(), before);
  }
  if (entries_.size() > kScanLimit) sorted_ = std::move(order);
}

const Value* Dict::find(const Value& key) const {
  if (const String* text = key.as_string()) return find(std::string_view(text->text));
  if (!is_hashable(key) || (key.as_float() && std::isnan(*key.as_float()))) return nullptr;
  if (sorted_.empty()) {
    for (const Entry& entry : entries_) {
      if (compare_keys(entry.first, key) == 0) return &entry.second;
    }
    return nullptr;
  }
  const auto found =
      std::lower_bound(sorted_.begin(), sorted_.end(), key, [this](uint32_t index, const Value& wanted) {
        return compare_keys(entries_[index].first, wanted) < 0;
      });
  if (found == sorted_.end() || compare_keys(entries_[*found].first, key) != 0) return nullptr;
  return &entries_[*found].second;
}

const Value* Dict::find(std::string_view key) const {
  const auto order = [&](const Value& have) -> std::strong_ordering {
    const int rank = key_rank(have);
    return rank != 2 ? rank <=> 2 : std::string_view(have.as_string()->text) <=> key;
  };
  if (sorted_.empty()) {
    for (const Entry& entry : entries_) {
      const String* text = entry.first.as_string();
      if (text && text->text == key) return &entry.second;
    }
    return nullptr;
  }
  const auto found = std::partition_point(sorted_.begin(), sorted_.end(),
                                          [&](uint32_t index) { return order(entries_[index].first) < 0; });
  if (found == sorted_.end() || order(entries_[*found].first) != 0) return nullptr;
  return &entries_[*found].second;
}

Value Value::undefined(std::string message) {
  return Value(Storage(UndefinedTag{std::make_shared<const std::string>(std::move(message))}));
}

Object* Value::as_object() const {
  const auto* pointer = std::get_if<std::shared_ptr<Object>>(&storage_);
  return pointer ? pointer->get() : nullptr;
}

std::optional<Integer> Value::as_integral() const {
  if (const Integer* value = as_int()) return *value;
  if (const bool* value = as_bool()) return Integer(*value ? 1 : 0);
  return std::nullopt;
}

const std::vector<Value>* Value::items() const {
  if (const List* list = as_list()) return &list->items;
  if (const Tuple* tuple = as_tuple()) return &tuple->items;
  return nullptr;
}

bool Value::same_object(const Value& other) const {
  if (type() != other.type()) return false;
  switch (type()) {
    case Type::kNone:
      return true;
    case Type::kBool:
      return *as_bool() == *other.as_bool();
    case Type::kUndefined:
      return &undefined_message() == &other.undefined_message();
    case Type::kString:
      return as_string() == other.as_string();
    case Type::kList:
      return as_list() == other.as_list();
    case Type::kTuple:
      return as_tuple() == other.as_tuple();
    case Type::kDict:
      return as_dict() == other.as_dict();
    case Type::kObject:
      return as_object() == other.as_object();
    default:
      return false;
  }
}

int depth_of(const Value& value) {
  if (const List* list = value.as_list()) return list->depth;
  if (const Tuple* tuple = value.as_tuple()) return tuple->depth;
  if (const Dict* dict = value.as_dict()) return dict->depth();
  if (const Object* object = value.as_object()) return object->depth();
  return 0;
}

bool is_hashable(const Value& value) {
  if (value.as_list() || value.as_dict()) return false;
  if (const Tuple* tuple = value.as_tuple())
    return std::all_of(tuple->items.begin(), tuple->items.end(), is_hashable);
  return true;
}

Value constant_string(std::string text) {
  const std::size_t length = count_code_points(text);
  return std::make_shared<const String>(String{std::move(text), length, false, {}});
}

Value constant_list(std::vector<Value> items) {
  int depth = 0;
  for (const Value& item : items) depth = std::max(depth, depth_of(item));
  return std::make_shared<const List>(List{std::move(items), depth + 1, {}});
}

Value constant_dict(std::vector<Dict::Entry> entries) {
  int depth = 0;
  for (const auto& [key, value] : entries) depth = std::max({depth, depth_of(key), depth_of(value)});
  return std::make_shared<const Dict>(std::move(entries), depth + 1, Charge());
}

}  // namespace cistern::text::jinja
