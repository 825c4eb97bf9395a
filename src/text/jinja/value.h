// The values a template computes with: Python's None, bool, int, float, str (plain or markup), list, tuple,
// dict, and objects with behaviour (objects.h). A Value is a small handle; the contents behind it are
// immutable and shared, so copies are cheap and constants may be read from any number of threads. Values made
// during a render are counted against that render's memory limit through Charge and must not outlive it;
// values made by a caller (from_json.h) are not counted and may. Operators live in operators.h, texts of
// values in repr.h.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "text/jinja/integer.h"

namespace cistern::text::jinja {

class Dict;
class Object;
class Value;

// Bytes alive in one render.
struct MemoryMeter {
  std::size_t used_bytes = 0;
};

// Holds `bytes` of a meter for as long as it lives.
class Charge {
 public:
  Charge() = default;
  Charge(MemoryMeter* meter, std::size_t bytes) : meter_(meter), bytes_(bytes) {
    if (meter_) meter_->used_bytes += bytes_;
  }
  Charge(Charge&& other) noexcept : meter_(std::exchange(other.meter_, nullptr)), bytes_(other.bytes_) {}
  Charge& operator=(Charge&& other) noexcept {
    std::swap(meter_, other.meter_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Charge() {
    if (meter_) meter_->used_bytes -= bytes_;
  }

 private:
  MemoryMeter* meter_ = nullptr;
  std::size_t bytes_ = 0;
};

struct String {
  std::string text;    // valid UTF-8
  std::size_t length;  // code points
  bool markup;         // markupsafe's Markup: text that is safe in HTML
  Charge charge;

  bool is_ascii() const { return length == text.size(); }
};

struct List {
  std::vector<Value> items;
  int depth;  // 1 + the deepest container inside; see Runtime::max_nesting
  Charge charge;
};

struct Tuple {
  std::vector<Value> items;
  int depth;
  bool is_group;  // made by groupby: has the attributes grouper and list
  Charge charge;
};

enum class Type : uint8_t {
  kMissing,    // no value: an unset variable of a scope; templates never see it
  kUndefined,  // Jinja's Undefined
  kNone,
  kBool,
  kInt,
  kFloat,
  kString,
  kList,
  kTuple,
  kDict,
  kObject,
};

class Value {
 public:
  Value() = default;                                    // missing
  Value(bool value) : storage_(value) {}                // NOLINT: conversions are the point
  Value(Integer value) : storage_(std::move(value)) {}  // NOLINT
  Value(double value) : storage_(value) {}              // NOLINT
  Value(std::shared_ptr<const String> value) : storage_(std::move(value)) {}  // NOLINT
  Value(std::shared_ptr<const List> value) : storage_(std::move(value)) {}    // NOLINT
  Value(std::shared_ptr<const Tuple> value) : storage_(std::move(value)) {}   // NOLINT
  Value(std::shared_ptr<const Dict> value) : storage_(std::move(value)) {}    // NOLINT
  template <class T>
    requires std::is_base_of_v<Object, T>
  Value(std::shared_ptr<T> value) : storage_(std::shared_ptr<Object>(std::move(value))) {}  // NOLINT
  template <class T>
    requires std::is_integral_v<T> && (!std::is_same_v<T, bool>)
  Value(T value) : storage_(Integer(static_cast<int64_t>(value))) {}  // NOLINT
  template <class T>
  Value(T*) = delete;  // a pointer is no bool

  static Value none() { return Value(Storage(NoneTag{})); }
  // `message` is what an operation on it reports: "'x' is undefined".
  static Value undefined(std::string message);

  Type type() const { return static_cast<Type>(storage_.index()); }
  bool is(Type type) const { return this->type() == type; }
  bool is_missing() const { return is(Type::kMissing); }
  bool is_undefined() const { return is(Type::kUndefined); }
  bool is_none() const { return is(Type::kNone); }
  bool is_string() const { return is(Type::kString); }

  // The contents, or null when the type is another one.
  const bool* as_bool() const { return std::get_if<bool>(&storage_); }
  const Integer* as_int() const { return std::get_if<Integer>(&storage_); }
  const double* as_float() const { return std::get_if<double>(&storage_); }
  const String* as_string() const { return shared<String>(); }
  const List* as_list() const { return shared<List>(); }
  const Tuple* as_tuple() const { return shared<Tuple>(); }
  const Dict* as_dict() const { return shared<Dict>(); }
  Object* as_object() const;
  template <class T>
  T* as() const {
    return dynamic_cast<T*>(as_object());
  }
  std::shared_ptr<const Dict> dict_ref() const { return std::get<std::shared_ptr<const Dict>>(storage_); }

  // An int, or a bool taken as one (bool is a subclass of int in Python).
  std::optional<Integer> as_integral() const;
  // The items of a list or tuple, else null.
  const std::vector<Value>* items() const;
  // REQUIRES: is_undefined().
  const std::string& undefined_message() const { return *std::get<UndefinedTag>(storage_).message; }
  // Same object (for heap contents) or same singleton; numbers are never the same object.
  bool same_object(const Value& other) const;

 private:
  struct NoneTag {};
  struct UndefinedTag {
    std::shared_ptr<const std::string> message;
  };
  using Storage =
      std::variant<std::monostate, UndefinedTag, NoneTag, bool, Integer, double,
                   std::shared_ptr<const String>, std::shared_ptr<const List>, std::shared_ptr<const Tuple>,
                   std::shared_ptr<const Dict>, std::shared_ptr<Object>>;
  explicit Value(Storage storage) : storage_(std::move(storage)) {}

  template <class T>
  const T* shared() const {
    const auto* pointer = std::get_if<std::shared_ptr<const T>>(&storage_);
    return pointer ? pointer->get() : nullptr;
  }

  Storage storage_;
};

// Key order is insertion order; equal keys (1, 1.0 and True are equal) keep their first place and their last
// value.
class Dict {
 public:
  using Entry = std::pair<Value, Value>;
  Dict(std::vector<Entry> entries, int depth, Charge charge);

  const std::vector<Entry>& entries() const { return entries_; }
  std::size_t size() const { return entries_.size(); }
  int depth() const { return depth_; }
  const Value* find(const Value& key) const;  // null when absent (or when no such key can exist)
  const Value* find(std::string_view key) const;

 private:
  std::vector<Entry> entries_;
  std::vector<uint32_t> sorted_;  // indexes in key order, for dicts too large to scan
  int depth_;
  Charge charge_;
};

// How many containers lie inside each other in `value` (0 for scalars).
int depth_of(const Value& value);
// Whether Python could use it as a key of a dict: no list or dict, also not inside a tuple.
bool is_hashable(const Value& value);

// Orders hashable keys so that exactly those which Python calls equal are equivalent.
struct KeyLess {
  bool operator()(const Value& a, const Value& b) const;
};

// Values that belong to no render (constants of a template, the caller's context).
Value constant_string(std::string text);
Value constant_list(std::vector<Value> items);
Value constant_dict(std::vector<Dict::Entry> entries);

// The exact order of two numbers (bool, int, float), as Python has it. REQUIRES: both are.
std::partial_ordering compare_numbers(const Value& a, const Value& b);

}  // namespace cistern::text::jinja
