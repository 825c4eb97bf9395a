// The parts of JSON text as rules: space, strings, numbers, any value, and the text of a given value. Made
// once per Builder, each when it is first asked for. Space is bounded to what models write, so that an answer
// cannot go on for ever in it.
#pragma once

#include <array>
#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "sample/grammar/builder.h"

namespace cistern::sample::grammar {

inline constexpr std::uint32_t kMostDigits = 20;  // of an integer, or of a fraction

class JsonText {
 public:
  explicit JsonText(Builder& builder) : builder_(builder) {}

  // Nothing, a blank, or a newline and some blanks or tabs.
  StateId space(StateId from);
  StateId comma(StateId from) { return space(builder_.text(from, ",")); }
  StateId colon(StateId from);  // and a blank or none

  RuleId value();
  RuleId object();
  RuleId array();
  RuleId string();
  RuleId number();
  RuleId integer();
  RuleId boolean();
  RuleId null();

  // A string of min to max characters, any.
  StateId string_of_length(StateId from, std::uint32_t min, std::uint32_t max);
  // The value itself, with space where a model may write some.
  StateId literal(StateId from, const boost::json::value& value);

  // "[" or "{", items of the rules with commas between, "]" or "}".
  StateId list(StateId from, char open, RuleId item, std::uint32_t min, std::uint32_t max, char close);

 private:
  enum Part { kSpace, kValue, kObject, kArray, kString, kNumber, kInteger, kBoolean, kNull, kChar, kParts };
  // The rule, and whether it is still to be filled.
  std::pair<RuleId, bool> part(Part which, const char* name);
  RuleId string_char();
  StateId integer_digits(StateId from);

  Builder& builder_;
  std::array<std::optional<RuleId>, kParts> rules_;
};

// As it is written between the quotes, in the shortest form.
std::string json_escaped(std::string_view text);

}  // namespace cistern::sample::grammar
