#include "sample/grammar/number_bounds.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <tuple>

#include "sample/grammar/json_text.h"

namespace cistern::sample::grammar {
namespace {

constexpr int kMostBoundDigits = 40;

// Absolute values between two bounds.
class Digits {
 public:
  Digits(Builder& builder, const std::optional<Bound>& low, const std::optional<Bound>& high,
         std::uint32_t fraction, StateId end)
      : builder_(builder), low_(low), high_(high), fraction_(fraction), end_(end) {}

  void add(StateId from) {
    const std::size_t least = low_ ? low_->value.whole.size() : 1;
    const std::size_t most = high_ ? high_->value.whole.size() : std::max<std::size_t>(least, kMostDigits);
    for (std::size_t whole = least; whole <= most; ++whole) {
      whole_ = whole;
      states_.clear();
      low_digits_ = padded(low_);
      high_digits_ = padded(high_);
      const Place begin{.at_low = low_ && whole == low_->value.whole.size(),
                        .at_high = high_ && whole == high_->value.whole.size()};
      builder_.jump(from, state(begin));
    }
  }

 private:
  // So many digits are there, and they are those of a bound.
  struct Place {
    std::size_t digits = 0;
    bool at_low = false, at_high = false;
    auto operator<=>(const Place&) const = default;
  };

  std::string padded(const std::optional<Bound>& bound) const {
    if (!bound || bound->value.whole.size() != whole_) return std::string(whole_ + fraction_, '0');
    std::string digits = bound->value.whole + bound->value.fraction;
    digits.resize(std::max(digits.size(), whole_ + fraction_), '0');
    return digits;
  }

  bool may_end(const Place& place) const {
    if (place.digits < whole_) return false;
    const auto is_zero = [&](const std::string& digits) {
      return digits.find_first_not_of('0', place.digits) == std::string::npos;
    };
    if (place.at_low && (low_->exclusive || !is_zero(low_digits_))) return false;
    return !place.at_high || !high_->exclusive || !is_zero(high_digits_);
  }

  StateId state(const Place& place) {
    const auto found = states_.find(place);
    if (found != states_.end()) return found->second;
    const StateId id = builder_.add_state();
    states_.emplace(place, id);
    if (builder_.full()) return id;
    if (may_end(place)) builder_.jump(id, end_);
    if (place.digits == whole_ + fraction_) return id;
    const StateId from = place.digits == whole_ ? builder_.text(id, ".") : id;
    const char least = place.at_low ? low_digits_[place.digits] : '0';
    const char most = place.at_high ? high_digits_[place.digits] : '9';
    for (char digit = least; digit <= most; ++digit) {
      if (digit == '0' && place.digits == 0 && whole_ > 1) continue;
      builder_.byte(from, static_cast<std::uint8_t>(digit),
                    state({.digits = place.digits + 1,
                           .at_low = place.at_low && digit == low_digits_[place.digits],
                           .at_high = place.at_high && digit == high_digits_[place.digits]}));
    }
    return id;
  }

  Builder& builder_;
  const std::optional<Bound>&low_, &high_;
  std::size_t fraction_;
  StateId end_;
  std::size_t whole_ = 0;  // digits before the point
  std::string low_digits_, high_digits_;
  std::map<Place, StateId> states_;
};

std::optional<Bound> negated(std::optional<Bound> bound) {
  if (bound) bound->value.negative = !bound->value.negative;
  return bound;
}

bool is_zero(const Decimal& value) {
  return value.whole == "0" && value.fraction.empty();
}

// The part of the bounds that holds for non-negative numbers; false where none are between them.
bool clip(std::optional<Bound>& low, const std::optional<Bound>& high) {
  if (low && low->value.negative && !is_zero(low->value)) low.reset();
  return !high || !high->value.negative || is_zero(high->value);
}

}  // namespace

Result<Decimal> decimal_of(const boost::json::value& value) {
  std::string text = value.is_double()   ? fmt::format("{}", value.get_double())
                     : value.is_uint64() ? fmt::format("{}", value.get_uint64())
                                         : fmt::format("{}", value.as_int64());
  Decimal out;
  if (text.starts_with('-')) {
    out.negative = true;
    text.erase(0, 1);
  }
  int exponent = 0;
  if (const std::size_t e = text.find('e'); e != std::string::npos) {
    const char* begin = text.data() + e + 1;
    std::from_chars(*begin == '+' ? begin + 1 : begin, text.data() + text.size(), exponent);
    text.resize(e);
  }
  if (std::abs(exponent) > kMostBoundDigits)
    return fail(ErrorCode::kUnsupported, fmt::format("a bound of more than {} digits", kMostBoundDigits));
  const std::size_t point = std::min(text.find('.'), text.size());
  std::string digits = text.substr(0, point) + (point < text.size() ? text.substr(point + 1) : "");
  int whole = static_cast<int>(point) + exponent;
  if (whole < 1) {
    digits.insert(0, static_cast<std::size_t>(1 - whole), '0');
    whole = 1;
  }
  if (static_cast<int>(digits.size()) < whole) digits.resize(static_cast<std::size_t>(whole), '0');
  out.whole = digits.substr(0, static_cast<std::size_t>(whole));
  out.whole.erase(0, std::min(out.whole.find_first_not_of('0'), out.whole.size() - 1));
  out.fraction = digits.substr(static_cast<std::size_t>(whole));
  out.fraction.erase(out.fraction.find_last_not_of('0') + 1);
  return out;
}

StateId add_bounded_number(Builder& builder, StateId from, const NumberBounds& bounds) {
  const StateId end = builder.add_state();
  const auto add = [&](StateId start, std::optional<Bound> low, const std::optional<Bound>& high) {
    if (!clip(low, high)) return;
    Digits(builder, low, high, bounds.most_fraction_digits, end).add(start);
  };
  add(from, bounds.low, bounds.high);
  // A minus and what is above nothing: not "-0".
  std::optional<Bound> low = negated(bounds.high);
  if (!low || low->value.negative || is_zero(low->value)) low = Bound{.exclusive = true};
  add(builder.text(from, "-"), low, negated(bounds.low));
  return end;
}

}  // namespace cistern::sample::grammar
