// Decimal numbers between bounds, digit by digit. Used by the compiler of schemas; pure.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>

#include "base/error.h"
#include "sample/grammar/builder.h"

namespace cistern::sample::grammar {

struct Decimal {
  bool negative = false;
  std::string whole = "0";  // without leading zeros
  std::string fraction;     // without zeros at its end
};

// kUnsupported for numbers of very many digits. REQUIRES: value is a number.
Result<Decimal> decimal_of(const boost::json::value& value);

struct Bound {
  Decimal value;
  bool exclusive = false;
};
struct NumberBounds {
  std::optional<Bound> low, high;
  std::uint32_t most_fraction_digits = 0;  // 0: integers
};

// Numbers without exponents. Returns the state at their end.
StateId add_bounded_number(Builder& builder, StateId from, const NumberBounds& bounds);

}  // namespace cistern::sample::grammar
