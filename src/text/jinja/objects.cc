#include "text/jinja/objects.h"

#include <algorithm>

#include "text/jinja/failure.h"
#include "text/jinja/iteration.h"
#include "text/jinja/operators.h"
#include "text/jinja/repr.h"
#include "text/jinja/runtime.h"

namespace cistern::text::jinja {
namespace {

class RangeIterator : public Iterator {
 public:
  RangeIterator(int64_t first, int64_t step, std::size_t count) : value_(first), step_(step), left_(count) {}
  std::string_view type_name() const override { return "range_iterator"; }
  bool next(Runtime& rt, Value& out) override {
    rt.step();
    if (left_ == 0) return false;
    out = Value(value_);
    if (--left_ != 0) value_ += step_;
    return true;
  }

 private:
  int64_t value_;
  int64_t step_;
  std::size_t left_;
};

class ViewIterator : public Iterator {
 public:
  ViewIterator(DictView::Kind kind, std::shared_ptr<const Dict> dict) : kind_(kind), dict_(std::move(dict)) {}
  std::string_view type_name() const override { return "dict_itemiterator"; }
  int depth() const override { return dict_->depth(); }
  bool next(Runtime& rt, Value& out) override {
    rt.step();
    if (index_ >= dict_->size()) return false;
    const auto& [key, value] = dict_->entries()[index_++];
    switch (kind_) {
      case DictView::Kind::kKeys:
        out = key;
        break;
      case DictView::Kind::kValues:
        out = value;
        break;
      case DictView::Kind::kItems:
        out = rt.tuple({key, value});
        break;
    }
    return true;
  }

 private:
  DictView::Kind kind_;
  std::shared_ptr<const Dict> dict_;
  std::size_t index_ = 0;
};

Value cycler_next(Runtime&, const Arguments& args) {
  return args[0].as<Cycler>()->next();
}

Value cycler_reset(Runtime&, const Arguments& args) {
  args[0].as<Cycler>()->reset();
  return Value::none();
}

constexpr Builtin kCyclerNext{"next", "self", cycler_next};
constexpr Builtin kCyclerReset{"reset", "self", cycler_reset};

}  // namespace

Value Object::attribute(Runtime&, std::string_view) {
  return Value();
}
Value Object::call(Runtime&, CallArgs&) {
  raise("'{}' object is not callable", type_name());
}
std::shared_ptr<Iterator> Object::iterate(Runtime&) {
  return nullptr;
}
std::optional<std::size_t> Object::length(Runtime&) {
  return std::nullopt;
}
std::string Object::repr(Runtime&) {
  raise("a value of type '{}' cannot be printed", type_name());
}
bool Object::equals(Runtime&, const Object& other) {
  return this == &other;
}

Value Function::call(Runtime& rt, CallArgs& args) {
  return call_builtin(rt, builtin_, args);
}

std::string Function::repr(Runtime& rt) {
  return class_path_.empty() ? Object::repr(rt) : fmt::format("<class '{}'>", class_path_);
}

Value BoundMethod::call(Runtime& rt, CallArgs& args) {
  args.positional.insert(args.positional.begin(), self_);
  return call_builtin(rt, builtin_, args);
}

std::string_view DictView::type_name() const {
  static constexpr std::string_view kNames[] = {"dict_keys", "dict_values", "dict_items"};
  return kNames[static_cast<int>(kind_)];
}

std::shared_ptr<Iterator> DictView::iterate(Runtime& rt) {
  return rt.object<ViewIterator>(kind_, dict_);
}

std::string DictView::repr(Runtime& rt) {
  const std::shared_ptr<Iterator> iterator = iterate(rt);
  std::string out = fmt::format("{}([", type_name());
  bool first = true;
  for (Value item; iterator->next(rt, item); first = false) {
    if (!first) out += ", ";
    append_repr(rt, out, item);
  }
  return out + "])";
}

bool DictView::contains(Runtime& rt, const Value& item) const {
  rt.step();
  if (kind_ == Kind::kKeys) {
    if (!is_hashable(item)) raise("unhashable type: '{}'", jinja::type_name(item));
    return dict_->find(item) != nullptr;
  }
  if (kind_ == Kind::kItems) {
    const Tuple* pair = item.as_tuple();
    if (!pair || pair->items.size() != 2) return false;
    if (!is_hashable(pair->items[0])) raise("unhashable type: '{}'", jinja::type_name(pair->items[0]));
    const Value* value = dict_->find(pair->items[0]);
    return value && jinja::equals(rt, *value, pair->items[1]);
  }
  return std::any_of(dict_->entries().begin(), dict_->entries().end(), [&](const Dict::Entry& entry) {
    return entry.second.same_object(item) || jinja::equals(rt, entry.second, item);
  });
}

bool DictView::equals(Runtime& rt, const Object& other) {
  const auto* view = dynamic_cast<const DictView*>(&other);
  if (!view || kind_ == Kind::kValues || view->kind_ == Kind::kValues) return this == &other;
  if (kind_ != view->kind_) raise("comparing dict_keys with dict_items is not supported");
  if (dict_->size() != view->dict_->size()) return false;
  const std::shared_ptr<Iterator> iterator = iterate(rt);
  for (Value item; iterator->next(rt, item);) {
    if (!view->contains(rt, item)) return false;
  }
  return true;
}

std::size_t Range::size() const {
  const auto span = [](int64_t low, int64_t high, uint64_t stride) -> uint64_t {
    if (low >= high) return 0;
    return (static_cast<uint64_t>(high) - static_cast<uint64_t>(low) - 1) / stride + 1;
  };
  const uint64_t stride = step_ > 0 ? static_cast<uint64_t>(step_) : 0 - static_cast<uint64_t>(step_);
  return step_ > 0 ? span(start_, stop_, stride) : span(stop_, start_, stride);
}

Value Range::attribute(Runtime&, std::string_view name) {
  if (name == "start") return Value(start_);
  if (name == "stop") return Value(stop_);
  if (name == "step") return Value(step_);
  return Value();
}

std::shared_ptr<Iterator> Range::iterate(Runtime& rt) {
  return rt.object<RangeIterator>(start_, step_, size());
}

std::shared_ptr<Iterator> Range::iterate_reversed(Runtime& rt) {
  const std::size_t count = size();
  const int64_t last = count == 0 ? start_ : *at(count - 1).as_int()->to_int64();
  return rt.object<RangeIterator>(last, step_ == INT64_MIN ? INT64_MAX : -step_, count);
}

std::string Range::repr(Runtime&) {
  return step_ == 1 ? fmt::format("range({}, {})", start_, stop_)
                    : fmt::format("range({}, {}, {})", start_, stop_, step_);
}

bool Range::equals(Runtime&, const Object& other) {
  const auto* range = dynamic_cast<const Range*>(&other);
  if (!range || size() != range->size()) return false;
  return size() == 0 || (start_ == range->start_ && (size() == 1 || step_ == range->step_));
}

std::optional<std::size_t> Range::index_of(const Value& item) const {
  std::optional<Integer> wanted = item.as_integral();
  if (const double* number = item.as_float()) {
    if (!(*number > -9e18 && *number < 9e18)) return std::nullopt;
    wanted = Integer::from_double(*number);
    if (Integer::compare(*wanted, *number) != 0) return std::nullopt;
  }
  if (!wanted || size() == 0) return std::nullopt;
  const Integer offset = *wanted - Integer(start_);
  if (!Integer::modulo(offset, Integer(step_)).is_zero()) return std::nullopt;
  const std::optional<int64_t> index = Integer::floor_divide(offset, Integer(step_)).to_int64();
  if (!index || *index < 0 || static_cast<uint64_t>(*index) >= size()) return std::nullopt;
  return static_cast<std::size_t>(*index);
}

Value Range::slice(Runtime& rt, int64_t start, int64_t stop, int64_t stride) const {
  const Integer first = Integer(start_) + Integer(start) * Integer(step_);
  const Integer last = Integer(start_) + Integer(stop) * Integer(step_);
  const Integer step = Integer(step_) * Integer(stride);
  if (!first.to_int64() || !last.to_int64() || !step.to_int64()) raise("range bounds too large");
  return rt.object<Range>(*first.to_int64(), *last.to_int64(), *step.to_int64());
}

Value Namespace::attribute(Runtime& rt, std::string_view name) {
  for (const auto& [key, value] : attributes_) {
    rt.step();
    if (key.as_string() && key.as_string()->text == name) return value;
  }
  return Value();
}

std::string Namespace::repr(Runtime& rt) {
  std::string out = "<Namespace {";
  for (std::size_t i = 0; i < attributes_.size(); ++i) {
    if (i != 0) out += ", ";
    append_repr(rt, out, attributes_[i].first);
    out += ": ";
    append_repr(rt, out, attributes_[i].second);
  }
  return out + "}>";
}

void Namespace::set(Runtime& rt, std::string_view name, Value value) {
  for (auto& [key, held] : attributes_) {
    rt.step();
    if (key.as_string() && key.as_string()->text == name) {
      held = std::move(value);
      return;
    }
  }
  attributes_.emplace_back(rt.string(std::string(name)), std::move(value));
}

Value Cycler::next() {
  const std::vector<Value>& items = *items_.items();
  const Value current = items[position_];
  position_ = (position_ + 1) % items.size();
  return current;
}

Value Cycler::attribute(Runtime& rt, std::string_view name) {
  if (name == "current") return (*items_.items())[position_];
  if (name == "pos") return Value(position_);
  if (name == "items") return items_;
  const Value self(shared_from_this());
  if (name == "next") return rt.object<BoundMethod>(self, kCyclerNext);
  if (name == "reset") return rt.object<BoundMethod>(self, kCyclerReset);
  return Value();
}

Value Joiner::attribute(Runtime&, std::string_view name) {
  if (name == "sep") return separator_;
  if (name == "used") return Value(used_);
  return Value();
}

Value Joiner::call(Runtime& rt, CallArgs& args) {
  if (!args.positional.empty() || !args.named.empty()) raise("a joiner takes no arguments");
  if (used_) return separator_;
  used_ = true;
  return rt.string("");
}

}  // namespace cistern::text::jinja
