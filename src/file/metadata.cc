#include "file/metadata.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

#include "file/printable.h"

namespace cistern::file {
namespace {

// `uints` widens each element to 8 bytes; real arrays (per layer, per token) are far shorter.
constexpr std::uint64_t kMaxWidenedElements = std::uint64_t{1} << 22U;

struct TypeRow {
  std::string_view name;
  std::size_t bytes;
  bool is_integer;
  bool is_signed;
};

constexpr std::array<TypeRow, 13> kTypes = {{
    {"u8", 1, true, false},
    {"i8", 1, true, true},
    {"u16", 2, true, false},
    {"i16", 2, true, true},
    {"u32", 4, true, false},
    {"i32", 4, true, true},
    {"f32", 4, false, true},
    {"bool", 1, false, false},
    {"string", 0, false, false},
    {"array", 0, false, false},
    {"u64", 8, true, false},
    {"i64", 8, true, true},
    {"f64", 8, false, true},
}};

const TypeRow& row_of(ValueType type) {
  return kTypes[static_cast<std::size_t>(type)];
}

template <class T>
T load(std::span<const std::byte> data, std::uint64_t index = 0) {
  T value;
  std::memcpy(&value, data.data() + index * sizeof(T), sizeof(T));
  return value;
}

// Element `index` of packed little-endian integers, or nothing when it is negative.
std::optional<std::uint64_t> load_unsigned(ValueType type, std::span<const std::byte> data,
                                           std::uint64_t index) {
  const TypeRow& row = row_of(type);
  std::uint64_t bits = 0;
  std::memcpy(&bits, data.data() + index * row.bytes, row.bytes);
  const bool negative = row.is_signed && (bits >> (8 * row.bytes - 1)) != 0;
  if (negative) return std::nullopt;
  return bits;
}

std::string describe_type(const Value& value) {
  if (value.type != ValueType::kArray) return std::string(name_of(value.type));
  return fmt::format("an array of {} {}", value.count, name_of(value.element));
}

template <class T>
Result<std::optional<T>> if_present(const Metadata& metadata, std::string_view key,
                                    Result<T> (Metadata::*get)(std::string_view) const) {
  if (!metadata.has(key)) return std::optional<T>();
  CISTERN_TRY(T value, (metadata.*get)(key));
  return std::optional<T>(std::move(value));
}

}  // namespace

std::string_view name_of(ValueType type) noexcept {
  return row_of(type).name;
}

std::size_t scalar_bytes(ValueType type) noexcept {
  return row_of(type).bytes;
}

bool Metadata::insert(std::string_view key, Value value) {
  const bool is_new = values_.emplace(key, std::move(value)).second;
  if (is_new) order_.push_back(key);
  return is_new;
}

const Value* Metadata::find(std::string_view key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

std::string Metadata::where(std::string_view key) const {
  const Value* value = find(key);
  if (value == nullptr) return fmt::format("{}: key '{}'", where_, printable(key));
  return fmt::format("{}: key '{}' at byte {}", where_, printable(key), value->offset);
}

Result<const Value*> Metadata::require(std::string_view key) const {
  const Value* value = find(key);
  if (value == nullptr) return fail(ErrorCode::kFormat, "missing: the model needs this key", where(key));
  return value;
}

std::unexpected<Error> Metadata::mistyped(std::string_view key, const Value& value,
                                          std::string_view expected) const {
  return fail(ErrorCode::kFormat, fmt::format("expected {}, found {}", expected, describe_type(value)),
              where(key));
}

Result<const Value*> Metadata::require_array(std::string_view key, ValueType element) const {
  CISTERN_TRY(const Value* value, require(key));
  if (value->type != ValueType::kArray || value->element != element) {
    return mistyped(key, *value, fmt::format("an array of {}", name_of(element)));
  }
  return value;
}

Result<std::string_view> Metadata::string(std::string_view key) const {
  CISTERN_TRY(const Value* value, require(key));
  if (value->type != ValueType::kString) return mistyped(key, *value, "a string");
  return value->strings.front();
}

Result<std::uint64_t> Metadata::uint(std::string_view key) const {
  CISTERN_TRY(const Value* value, require(key));
  if (!row_of(value->type).is_integer) return mistyped(key, *value, "an integer");
  const auto number = load_unsigned(value->type, value->data, 0);
  if (!number) return fail(ErrorCode::kFormat, "negative, expected zero or more", where(key));
  return *number;
}

Result<double> Metadata::number(std::string_view key) const {
  CISTERN_TRY(const Value* value, require(key));
  if (value->type == ValueType::kF32) return static_cast<double>(load<float>(value->data));
  if (value->type == ValueType::kF64) return load<double>(value->data);
  return mistyped(key, *value, "f32 or f64");
}

Result<bool> Metadata::boolean(std::string_view key) const {
  CISTERN_TRY(const Value* value, require(key));
  if (value->type != ValueType::kBool) return mistyped(key, *value, "a bool");
  return load<std::uint8_t>(value->data) != 0;
}

Result<std::vector<std::uint64_t>> Metadata::uints(std::string_view key) const {
  CISTERN_TRY(const Value* value, require(key));
  if (!row_of(value->element).is_integer) return mistyped(key, *value, "integers");
  if (value->count > kMaxWidenedElements) {
    return fail(ErrorCode::kFormat,
                fmt::format("{} integers, at most {} are allowed", value->count, kMaxWidenedElements),
                where(key));
  }
  std::vector<std::uint64_t> numbers;
  numbers.reserve(value->count);
  for (std::uint64_t i = 0; i < value->count; ++i) {
    const auto number = load_unsigned(value->element, value->data, i);
    if (!number) {
      return fail(ErrorCode::kFormat, fmt::format("element {} is negative, expected zero or more", i),
                  where(key));
    }
    numbers.push_back(*number);
  }
  return numbers;
}

Result<std::vector<bool>> Metadata::booleans(std::string_view key) const {
  CISTERN_TRY(const Value* value, require_array(key, ValueType::kBool));
  std::vector<bool> flags(value->count);
  for (std::uint64_t i = 0; i < value->count; ++i) flags[i] = load<std::uint8_t>(value->data, i) != 0;
  return flags;
}

Result<std::vector<float>> Metadata::floats(std::string_view key) const {
  CISTERN_TRY(const Value* value, require_array(key, ValueType::kF32));
  std::vector<float> numbers(value->count);
  if (!numbers.empty()) std::memcpy(numbers.data(), value->data.data(), value->data.size());
  return numbers;
}

Result<std::span<const std::string_view>> Metadata::strings(std::string_view key) const {
  CISTERN_TRY(const Value* value, require_array(key, ValueType::kString));
  return std::span<const std::string_view>(value->strings);
}

Result<std::span<const std::byte>> Metadata::bytes(std::string_view key) const {
  CISTERN_TRY(const Value* value, require(key));
  const bool are_bytes = value->element == ValueType::kU8 || value->element == ValueType::kI8;
  if (value->type != ValueType::kArray || !are_bytes) return mistyped(key, *value, "an array of u8 or i8");
  return value->data;
}

Result<std::optional<std::string_view>> Metadata::find_string(std::string_view key) const {
  return if_present(*this, key, &Metadata::string);
}

Result<std::optional<std::uint64_t>> Metadata::find_uint(std::string_view key) const {
  return if_present(*this, key, &Metadata::uint);
}

Result<std::optional<double>> Metadata::find_number(std::string_view key) const {
  return if_present(*this, key, &Metadata::number);
}

Result<std::optional<bool>> Metadata::find_boolean(std::string_view key) const {
  return if_present(*this, key, &Metadata::boolean);
}

}  // namespace cistern::file
