// Metadata values of a model file as text and as JSON.
#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <cstring>

#include "tools/model_report.h"
#include "tools/output.h"

namespace cistern::tools {
namespace json = boost::json;
namespace {

using file::Value;
using file::ValueType;

constexpr std::size_t kShownElements = 6;
constexpr std::size_t kShownCharacters = 160;

template <class T>
T load(const Value& value, std::uint64_t index) {
  T element;
  std::memcpy(&element, value.data.data() + index * sizeof(T), sizeof(T));
  return element;
}

json::value element_json(const Value& value, std::uint64_t index) {
  switch (value.element) {
    case ValueType::kU8:
      return load<std::uint8_t>(value, index);
    case ValueType::kI8:
      return load<std::int8_t>(value, index);
    case ValueType::kU16:
      return load<std::uint16_t>(value, index);
    case ValueType::kI16:
      return load<std::int16_t>(value, index);
    case ValueType::kU32:
      return load<std::uint32_t>(value, index);
    case ValueType::kI32:
      return load<std::int32_t>(value, index);
    case ValueType::kU64:
      return load<std::uint64_t>(value, index);
    case ValueType::kI64:
      return load<std::int64_t>(value, index);
    case ValueType::kF32:
      return load<float>(value, index);
    case ValueType::kF64:
      return load<double>(value, index);
    case ValueType::kBool:
      return load<std::uint8_t>(value, index) != 0;
    case ValueType::kString:
      return json::string(value.strings[index]);
    case ValueType::kArray:
      break;
  }
  return nullptr;  // arrays of arrays are not read
}

std::string shortened(std::string_view text) {
  if (text.size() <= kShownCharacters) return printable(text);
  std::size_t end = kShownCharacters;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;  // not inside a character
  return fmt::format("{}... ({} bytes)", printable(text.substr(0, end)), text.size());
}

std::string element_text(const Value& value, std::uint64_t index) {
  switch (value.element) {
    case ValueType::kString:
      return value.type == ValueType::kArray ? fmt::format("\"{}\"", shortened(value.strings[index]))
                                             : shortened(value.strings[index]);
    case ValueType::kF32:
      return fmt::format("{}", load<float>(value, index));
    case ValueType::kF64:
      return fmt::format("{}", load<double>(value, index));
    case ValueType::kBool:
      return load<std::uint8_t>(value, index) != 0 ? "true" : "false";
    default:
      break;
  }
  const json::value number = element_json(value, index);
  if (number.is_uint64()) return fmt::format("{}", number.get_uint64());
  if (number.is_int64()) return fmt::format("{}", number.get_int64());
  return "[...]";
}

}  // namespace

std::string value_text(const Value& value) {
  if (value.type != ValueType::kArray) return element_text(value, 0);
  std::string out = "[";
  const std::uint64_t shown = std::min<std::uint64_t>(value.count, kShownElements);
  for (std::uint64_t i = 0; i < shown; ++i) out += (i > 0 ? ", " : "") + element_text(value, i);
  out += shown < value.count ? ", ...]" : "]";
  return fmt::format("{} ({} x {})", out, value.count, file::name_of(value.element));
}

json::value value_json(const Value& value) {
  if (value.type != ValueType::kArray) return element_json(value, 0);
  json::array array;
  array.reserve(value.count);
  for (std::uint64_t i = 0; i < value.count; ++i) array.push_back(element_json(value, i));
  return array;
}

}  // namespace cistern::tools
