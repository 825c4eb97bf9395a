#include "text/jinja/runtime.h"

#include <algorithm>
#include <cmath>

#include "text/jinja/failure.h"
#include "text/jinja/operators.h"
#include "text/jinja/repr.h"
#include "text/jinja/unicode.h"

namespace cistern::text::jinja {
namespace {

constexpr std::size_t kContainerOverhead = 96;  // control block, vector, allocator

int depth_of_items(const std::vector<Value>& items) {
  int depth = 0;
  for (const Value& item : items) depth = std::max(depth, depth_of(item));
  return depth + 1;
}

void check_key(const Value& key) {
  if (!is_hashable(key)) raise("unhashable type: '{}'", type_name(key));
  if (const Tuple* tuple = key.as_tuple()) {
    for (const Value& item : tuple->items) check_key(item);
  }
  const bool is_nan = key.as_float() && std::isnan(*key.as_float());
  if (is_nan || key.is_undefined() || key.as_object())
    raise("a key of type '{}' is not supported in a dict", type_name(key));
}

}  // namespace

Runtime::~Runtime() {
  for (const auto& object : kept_) object->clear();
}

void Runtime::raise_out_of_steps() const {
  raise("template runs too long (more than {} steps)", limits_.max_steps);
}

void Runtime::raise_out_of_memory() const {
  raise("template needs too much memory (its values may take {} bytes)", limits_.max_memory_bytes);
}

void Runtime::raise_out_of_output() const {
  raise("template writes too much text (more than {} bytes)", limits_.max_output_bytes);
}

void Runtime::raise_too_deep() {
  raise("template recurses too deeply");
}

void Runtime::check_depth(int depth) const {
  if (depth > limits_.max_nesting)
    raise("values nested too deeply (more than {} levels)", limits_.max_nesting);
}

std::size_t Runtime::reserve_many(uint64_t count, std::size_t bytes_each) const {
  if (bytes_each != 0 && count > limits_.max_memory_bytes / bytes_each) raise_out_of_memory();
  const std::size_t bytes = static_cast<std::size_t>(count) * bytes_each;
  reserve(bytes);
  return bytes;
}

Value Runtime::string(std::string text, bool markup) {
  const std::size_t bytes = text.size() + kContainerOverhead;
  reserve(bytes);
  work(text.size());
  const std::size_t length = count_code_points(text);
  return std::make_shared<const String>(String{std::move(text), length, markup, Charge(&meter_, bytes)});
}

Value Runtime::list(std::vector<Value> items) {
  const std::size_t bytes = items.size() * sizeof(Value) + kContainerOverhead;
  reserve(bytes);
  step(items.size() / 16);
  const int depth = depth_of_items(items);
  check_depth(depth);
  return std::make_shared<const List>(List{std::move(items), depth, Charge(&meter_, bytes)});
}

Value Runtime::tuple(std::vector<Value> items, bool is_group) {
  const std::size_t bytes = items.size() * sizeof(Value) + kContainerOverhead;
  reserve(bytes);
  step(items.size() / 16);
  const int depth = depth_of_items(items);
  check_depth(depth);
  return std::make_shared<const Tuple>(Tuple{std::move(items), depth, is_group, Charge(&meter_, bytes)});
}

Value Runtime::dict(std::vector<Dict::Entry> entries) {
  const std::size_t bytes = entries.size() * (sizeof(Dict::Entry) + sizeof(uint32_t)) + kContainerOverhead;
  reserve(bytes);
  step(entries.size());
  int depth = 0;
  for (const auto& [key, value] : entries) {
    check_key(key);
    if (const String* text = key.as_string())
      work(text->text.size() * 8);  // compared several times while sorting
    depth = std::max({depth, depth_of(key), depth_of(value)});
  }
  check_depth(depth + 1);
  return std::make_shared<const Dict>(std::move(entries), depth + 1, Charge(&meter_, bytes));
}

}  // namespace cistern::text::jinja
