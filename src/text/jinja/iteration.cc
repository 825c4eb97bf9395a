#include "text/jinja/iteration.h"

#include "text/jinja/failure.h"
#include "text/jinja/operators.h"
#include "text/jinja/unicode.h"

namespace cistern::text::jinja {
namespace {

// The characters of a string, as strings.
class CharacterIterator : public Iterator {
 public:
  explicit CharacterIterator(Value string) : string_(std::move(string)) {}
  std::string_view type_name() const override { return "str_iterator"; }
  bool next(Runtime& rt, Value& out) override {
    const std::string& text = string_.as_string()->text;
    if (position_ >= text.size()) return false;
    rt.step();
    const std::size_t start = position_;
    next_code_point(text, position_);
    out = rt.string(text.substr(start, position_ - start));
    return true;
  }

 private:
  Value string_;
  std::size_t position_ = 0;
};

class KeyIterator : public Iterator {
 public:
  KeyIterator(std::shared_ptr<const Dict> dict, bool reversed)
      : dict_(std::move(dict)), reversed_(reversed) {}
  std::string_view type_name() const override { return "dict_keyiterator"; }
  int depth() const override { return dict_->depth(); }
  bool next(Runtime& rt, Value& out) override {
    rt.step();
    if (index_ >= dict_->size()) return false;
    const std::size_t index = reversed_ ? dict_->size() - 1 - index_ : index_;
    ++index_;
    out = dict_->entries()[index].first;
    return true;
  }

 private:
  std::shared_ptr<const Dict> dict_;
  std::size_t index_ = 0;
  bool reversed_;
};

class EmptyIterator : public Iterator {
 public:
  bool next(Runtime&, Value&) override { return false; }
};

std::shared_ptr<Iterator> iterate_or_null(Runtime& rt, const Value& value) {
  switch (value.type()) {
    case Type::kUndefined:
      return rt.object<EmptyIterator>();
    case Type::kString:
      return rt.object<CharacterIterator>(value);
    case Type::kList:
    case Type::kTuple:
      return rt.object<SequenceIterator>(value, false);
    case Type::kDict:
      return rt.object<KeyIterator>(value.dict_ref(), false);
    case Type::kObject:
      return value.as_object()->iterate(rt);
    default:
      return nullptr;
  }
}

}  // namespace

bool SequenceIterator::next(Runtime& rt, Value& out) {
  rt.step();
  const std::vector<Value>& items = *sequence_.items();
  if (index_ >= items.size()) return false;
  out = reversed_ ? items[items.size() - 1 - index_] : items[index_];
  ++index_;
  return true;
}

bool is_iterable(const Value& value) {
  switch (value.type()) {
    case Type::kUndefined:
    case Type::kString:
    case Type::kList:
    case Type::kTuple:
    case Type::kDict:
      return true;
    case Type::kObject:
      return value.as<Iterator>() || value.as<Range>() || value.as<DictView>();
    default:
      return false;
  }
}

std::shared_ptr<Iterator> iterate(Runtime& rt, const Value& value) {
  std::shared_ptr<Iterator> iterator = iterate_or_null(rt, value);
  if (!iterator) raise("'{}' object is not iterable", type_name(value));
  return iterator;
}

std::shared_ptr<Iterator> iterate_reversed(Runtime& rt, const Value& value) {
  if (value.items()) return rt.object<SequenceIterator>(value, true);
  if (value.as_dict()) return rt.object<KeyIterator>(value.dict_ref(), true);
  if (Range* range = value.as<Range>()) return range->iterate_reversed(rt);
  if (DictView* view = value.as<DictView>()) {
    const std::shared_ptr<Iterator> forward = view->iterate(rt);
    std::vector<Value> items;
    for (Value item; forward->next(rt, item);) items.push_back(item);
    return rt.object<SequenceIterator>(rt.list(std::move(items)), true);
  }
  if (value.is_string()) {
    const Value characters = rt.list(collect(rt, value));
    return rt.object<SequenceIterator>(characters, true);
  }
  return nullptr;
}

std::vector<Value> collect(Runtime& rt, const Value& value) {
  if (const std::vector<Value>* items = value.items()) {
    rt.reserve_many(items->size(), sizeof(Value));
    rt.step(items->size() / 8);
    return *items;
  }
  const std::shared_ptr<Iterator> iterator = iterate(rt, value);
  std::vector<Value> items;
  for (Value item; iterator->next(rt, item);) {
    items.push_back(std::move(item));
    rt.reserve(items.size() * sizeof(Value));
  }
  return items;
}

Value make_generator(Runtime& rt, const Value& source, Generator::Step step) {
  return rt.object<Generator>(depth_of(source), std::move(step));
}

}  // namespace cistern::text::jinja
