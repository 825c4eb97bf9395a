// Two schemas as one that admits what both admit, keyword by keyword. Used where allOf, $ref and the
// alternatives of anyOf and oneOf meet the keywords beside them. Pure functions.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>

#include "base/error.h"

namespace cistern::sample::grammar {

// The types that a schema admits, one bit each.
using Types = std::uint32_t;
enum : Types {
  kNullType = 1,
  kBooleanType = 2,
  kIntegerType = 4,
  kFractionType = 8,  // numbers that are no integers
  kStringType = 16,
  kObjectType = 32,
  kArrayType = 64,
  kAnyType = 127,
};
// By `type`; else those that the other keywords speak of; else all.
Types types_of(const boost::json::object& schema);
Types type_of_value(const boost::json::value& value);

// Nothing: no value can satisfy both. kUnsupported where it cannot be decided; `where` is the place of both.
// In the result, pattern and format may be lists of which all hold.
// REQUIRES: both passed check_keywords() and have no $ref, allOf, anyOf, oneOf.
Result<std::optional<boost::json::object>> merge(const boost::json::object& a, const boost::json::object& b,
                                                 const std::string& where);

// Whether no value that is generated from one of the schemas satisfies the other one, as far as is plain to
// see: other types, other constants, or a property that one requires and the other one does not have.
bool are_apart(const boost::json::object& a, const boost::json::object& b);

}  // namespace cistern::sample::grammar
