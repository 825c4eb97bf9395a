// The key-value metadata of a model file, format-neutral: typed getters that either give the value or an
// Error naming file, key and what was found. Scalars and arrays stay in the file's bytes (views); strings of
// an array are indexed once. Filled by gguf.cc; read by spec/ and the tools. Immutable after loading;
// thread-safe. Lifetime: views point into the mapped file and die with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace cistern::file {

// Numbered as in GGUF.
enum class ValueType : std::uint32_t {
  kU8 = 0,
  kI8,
  kU16,
  kI16,
  kU32,
  kI32,
  kF32,
  kBool,
  kString,
  kArray,
  kU64,
  kI64,
  kF64,
};

std::string_view name_of(ValueType type) noexcept;  // "u32", "string", …
std::size_t scalar_bytes(ValueType type) noexcept;  // of one value; 0 for strings and arrays

struct Value {
  ValueType type = ValueType::kU8;        // kArray for arrays
  ValueType element = ValueType::kU8;     // element type of an array, else equal to `type`
  std::uint64_t count = 1;                // elements of an array, else 1
  std::span<const std::byte> data;        // raw little-endian values, unaligned; empty for strings
  std::vector<std::string_view> strings;  // string (one) or array of strings
  std::uint64_t offset = 0;               // of the value in its file, for messages
};

class Metadata {
 public:
  explicit Metadata(std::string where = {}) : where_(std::move(where)) {}

  // False: the key is there already.
  bool insert(std::string_view key, Value value);

  const Value* find(std::string_view key) const;
  bool has(std::string_view key) const { return find(key) != nullptr; }
  std::span<const std::string_view> keys() const { return order_; }  // in file order
  const std::string& where() const { return where_; }
  // "file: key 'name' at byte N", for messages about the value of a key (present or not).
  std::string where(std::string_view key) const;

  // Required values: kFormat when absent or of another type (integers: any width, not negative).
  Result<std::string_view> string(std::string_view key) const;
  Result<std::uint64_t> uint(std::string_view key) const;
  Result<double> number(std::string_view key) const;  // f32 or f64
  Result<bool> boolean(std::string_view key) const;
  // Array of any integers, none negative, at most 2^22 of them (they are widened); a scalar counts as one.
  Result<std::vector<std::uint64_t>> uints(std::string_view key) const;
  Result<std::vector<bool>> booleans(std::string_view key) const;  // array of bool
  Result<std::vector<float>> floats(std::string_view key) const;   // array of f32
  Result<std::span<const std::string_view>> strings(std::string_view key) const;
  Result<std::span<const std::byte>> bytes(std::string_view key) const;  // array of u8 or i8

  // Optional values: nullopt when absent, still an error when mistyped.
  Result<std::optional<std::string_view>> find_string(std::string_view key) const;
  Result<std::optional<std::uint64_t>> find_uint(std::string_view key) const;
  Result<std::optional<double>> find_number(std::string_view key) const;
  Result<std::optional<bool>> find_boolean(std::string_view key) const;

 private:
  Result<const Value*> require(std::string_view key) const;
  Result<const Value*> require_array(std::string_view key, ValueType element) const;
  std::unexpected<Error> mistyped(std::string_view key, const Value& value, std::string_view expected) const;

  std::string where_;
  std::vector<std::string_view> order_;
  std::map<std::string_view, Value> values_;  // ordered: no crafted set of keys makes look-ups slow
};

}  // namespace cistern::file
