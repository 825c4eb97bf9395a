#include "spec/hub/fields.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <utility>

namespace cistern::spec::hub {

const boost::json::value* Fields::value_of(std::string_view name) const {
  const boost::json::value* value = object_->if_contains(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::unexpected<Error> Fields::bad(std::string_view name, std::string message) const {
  return fail(ErrorCode::kFormat, std::move(message), fmt::format("{}: field '{}'", where_, name));
}

std::unexpected<Error> Fields::missing(std::string_view name) const {
  return bad(name, "is missing; the text is no complete configuration");
}

// Numbers may be written with a fraction of 0.
Result<std::uint32_t> Fields::number_in(std::string_view name, const boost::json::value& value,
                                        Bounds bounds) const {
  // A list of the layers' numbers counts as one where they are equal.
  if (value.is_array()) {
    const boost::json::array& items = value.get_array();
    if (items.empty() || items.front().is_array()) return bad(name, "must be a number");
    for (const boost::json::value& item : items) {
      if (item != items.front()) return bad(name, "differs from layer to layer, which is not supported");
    }
    return number_in(name, items.front(), bounds);
  }
  double number = 0;
  if (value.is_int64()) {
    number = static_cast<double>(value.get_int64());
  } else if (value.is_uint64()) {
    number = static_cast<double>(value.get_uint64());
  } else if (value.is_double()) {
    number = value.get_double();
  } else {
    return bad(name, "must be a number");
  }
  if (number < bounds.low || number > bounds.high) {
    return bad(name, fmt::format("is {}, must be between {} and {}", number, bounds.low, bounds.high));
  }
  if (number != std::floor(number)) return bad(name, fmt::format("is {}, must be a whole number", number));
  return static_cast<std::uint32_t>(number);
}

Result<std::optional<std::uint32_t>> Fields::find(Names names, Bounds bounds) const {
  for (const std::string_view name : names) {
    const boost::json::value* value = value_of(name);
    if (value == nullptr) continue;
    CISTERN_TRY(const std::uint32_t number, number_in(name, *value, bounds));
    return number;
  }
  return std::nullopt;
}

Result<std::uint32_t> Fields::require(Names names, Bounds bounds) const {
  CISTERN_TRY(const auto number, find(names, bounds));
  if (!number) return missing(*names.begin());
  return *number;
}

Result<std::uint32_t> Fields::value_or(Names names, std::uint32_t fallback, Bounds bounds) const {
  CISTERN_TRY(const auto number, find(names, bounds));
  return number.value_or(fallback);
}

Result<std::optional<double>> Fields::find_number(Names names) const {
  for (const std::string_view name : names) {
    const boost::json::value* value = value_of(name);
    if (value == nullptr) continue;
    if (!value->is_number()) return bad(name, "must be a number");
    const auto number = value->to_number<double>();
    if (!std::isfinite(number)) return bad(name, "must be a finite number");
    return number;
  }
  return std::nullopt;
}

Result<bool> Fields::flag_or(std::string_view name, bool fallback) const {
  const boost::json::value* value = value_of(name);
  if (value == nullptr) return fallback;
  if (!value->is_bool()) return bad(name, "must be true or false");
  return value->get_bool();
}

Result<std::optional<std::string>> Fields::find_string(std::string_view name) const {
  const boost::json::value* value = value_of(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) return bad(name, "must be a string");
  return std::string(value->get_string());
}

Result<std::optional<std::vector<std::uint32_t>>> Fields::find_list(std::string_view name,
                                                                    Bounds bounds) const {
  const boost::json::value* value = value_of(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_array()) return bad(name, "must be a list of numbers");
  const boost::json::array& items = value->get_array();
  if (items.size() > kMaxItems) return bad(name, fmt::format("has {} values", items.size()));
  std::vector<std::uint32_t> numbers;
  for (const boost::json::value& item : items) {
    CISTERN_TRY(const std::uint32_t number, number_in(name, item, bounds));
    numbers.push_back(number);
  }
  return numbers;
}

Result<std::optional<std::vector<std::string>>> Fields::find_strings(std::string_view name) const {
  const boost::json::value* value = value_of(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_array()) return bad(name, "must be a list of strings");
  const boost::json::array& items = value->get_array();
  if (items.size() > kMaxItems) return bad(name, fmt::format("has {} values", items.size()));
  std::vector<std::string> strings;
  for (const boost::json::value& item : items) {
    if (!item.is_string()) return bad(name, "must be a list of strings");
    strings.emplace_back(item.get_string());
  }
  return strings;
}

std::optional<Fields> Fields::find_object(std::string_view name) const {
  const boost::json::value* value = value_of(name);
  if (value == nullptr || !value->is_object()) return std::nullopt;
  return Fields(value->get_object(), fmt::format("{}: {}", where_, name));
}

}  // namespace cistern::spec::hub
