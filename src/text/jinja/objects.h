// Values with behaviour: iterators, functions, bound methods, views of dicts, ranges, and the mutable helpers
// of Jinja (namespace, cycler, joiner). Made through Runtime::object by built-ins and by the interpreter,
// which adds macros and loops of its own (interpreter.h). What an object does not override it refuses with
// Python's error.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/jinja/arguments.h"
#include "text/jinja/value.h"

namespace cistern::text::jinja {

class Iterator;
class Runtime;

class Object : public std::enable_shared_from_this<Object> {
 public:
  virtual ~Object() = default;
  virtual std::string_view type_name() const = 0;
  // Containers inside each other that destroying or walking the object goes through.
  virtual int depth() const { return 0; }
  // Drops held values, for mutable objects (Runtime::keep).
  virtual void clear() {}

  virtual Value attribute(Runtime& rt, std::string_view name);  // missing when there is none
  virtual bool is_callable() const { return false; }
  virtual Value call(Runtime& rt, CallArgs& args);
  virtual std::shared_ptr<Iterator> iterate(Runtime& rt);  // null when it cannot be iterated
  virtual std::optional<std::size_t> length(Runtime& rt);  // nullopt when it has no len()
  // What Python prints; the default refuses, because Python would print an address.
  virtual std::string repr(Runtime& rt);
  virtual bool equals(Runtime& rt, const Object& other);

  void set_charge(Charge charge) { charge_.emplace(std::move(charge)); }

 private:
  std::optional<Charge> charge_;
};

// Yields values one by one, as Python's iterators and generators do: once.
class Iterator : public Object {
 public:
  std::string_view type_name() const override { return "generator"; }
  std::shared_ptr<Iterator> iterate(Runtime&) override {
    return std::static_pointer_cast<Iterator>(shared_from_this());
  }
  virtual bool next(Runtime& rt, Value& out) = 0;  // false at the end
};

// Calls a function until it returns false. `source_depth`: depth of what the function holds on to.
class Generator : public Iterator {
 public:
  using Step = std::function<bool(Runtime&, Value&)>;
  Generator(int source_depth, Step step) : depth_(source_depth + 1), step_(std::move(step)) {}
  int depth() const override { return depth_; }
  bool next(Runtime& rt, Value& out) override { return step_(rt, out); }

 private:
  int depth_;
  Step step_;
};

// Items of a list or tuple, forwards or backwards.
class SequenceIterator : public Iterator {
 public:
  SequenceIterator(Value sequence, bool reversed) : sequence_(std::move(sequence)), reversed_(reversed) {}
  std::string_view type_name() const override { return reversed_ ? "list_reverseiterator" : "list_iterator"; }
  int depth() const override { return depth_of(sequence_); }
  bool next(Runtime& rt, Value& out) override;

 private:
  Value sequence_;
  std::size_t index_ = 0;
  bool reversed_;
};

// A global function or type (range, dict, namespace, ...).
class Function : public Object {
 public:
  Function(const Builtin& builtin, std::string_view class_path)
      : builtin_(builtin), class_path_(class_path) {}
  std::string_view type_name() const override { return class_path_.empty() ? "function" : "type"; }
  bool is_callable() const override { return true; }
  Value call(Runtime& rt, CallArgs& args) override;
  std::string repr(Runtime& rt) override;

 private:
  const Builtin& builtin_;
  std::string_view class_path_;  // "jinja2.utils.Namespace" for types, empty for functions
};

class BoundMethod : public Object {
 public:
  BoundMethod(Value self, const Builtin& builtin) : self_(std::move(self)), builtin_(builtin) {}
  std::string_view type_name() const override { return "builtin_function_or_method"; }
  int depth() const override { return depth_of(self_) + 1; }
  bool is_callable() const override { return true; }
  Value call(Runtime& rt, CallArgs& args) override;

 private:
  Value self_;
  const Builtin& builtin_;
};

class DictView : public Object {
 public:
  enum class Kind { kKeys, kValues, kItems };
  DictView(Kind kind, std::shared_ptr<const Dict> dict) : kind_(kind), dict_(std::move(dict)) {}
  std::string_view type_name() const override;
  int depth() const override { return dict_->depth() + 1; }
  std::shared_ptr<Iterator> iterate(Runtime& rt) override;
  std::optional<std::size_t> length(Runtime&) override { return dict_->size(); }
  std::string repr(Runtime& rt) override;
  bool equals(Runtime& rt, const Object& other) override;
  bool contains(Runtime& rt, const Value& item) const;

 private:
  Kind kind_;
  std::shared_ptr<const Dict> dict_;
};

class Range : public Object {
 public:
  Range(int64_t start, int64_t stop, int64_t step) : start_(start), stop_(stop), step_(step) {}
  std::string_view type_name() const override { return "range"; }
  Value attribute(Runtime& rt, std::string_view name) override;
  std::shared_ptr<Iterator> iterate(Runtime& rt) override;
  std::optional<std::size_t> length(Runtime&) override { return size(); }
  std::string repr(Runtime& rt) override;
  bool equals(Runtime& rt, const Object& other) override;

  std::size_t size() const;
  Value at(std::size_t index) const { return Value(start_ + static_cast<int64_t>(index) * step_); }
  std::optional<std::size_t> index_of(const Value& item) const;
  // range(...)[start:stop:stride]; start and stop as PySlice_AdjustIndices leaves them.
  Value slice(Runtime& rt, int64_t start, int64_t stop, int64_t stride) const;
  std::shared_ptr<Iterator> iterate_reversed(Runtime& rt);

 private:
  int64_t start_, stop_, step_;
};

class Namespace : public Object {
 public:
  explicit Namespace(std::vector<Dict::Entry> attributes) : attributes_(std::move(attributes)) {}
  std::string_view type_name() const override { return "Namespace"; }
  void clear() override { attributes_.clear(); }
  Value attribute(Runtime& rt, std::string_view name) override;
  std::string repr(Runtime& rt) override;
  void set(Runtime& rt, std::string_view name, Value value);

 private:
  std::vector<Dict::Entry> attributes_;
};

class Cycler : public Object {
 public:
  explicit Cycler(Value items) : items_(std::move(items)) {}
  std::string_view type_name() const override { return "Cycler"; }
  int depth() const override { return depth_of(items_) + 1; }
  Value attribute(Runtime& rt, std::string_view name) override;
  Value next();
  void reset() { position_ = 0; }

 private:
  Value items_;  // a tuple, not empty
  std::size_t position_ = 0;
};

class Joiner : public Object {
 public:
  explicit Joiner(Value separator) : separator_(std::move(separator)) {}
  std::string_view type_name() const override { return "Joiner"; }
  int depth() const override { return depth_of(separator_) + 1; }
  Value attribute(Runtime& rt, std::string_view name) override;
  bool is_callable() const override { return true; }
  Value call(Runtime& rt, CallArgs& args) override;

 private:
  Value separator_;
  bool used_ = false;
};

}  // namespace cistern::text::jinja
