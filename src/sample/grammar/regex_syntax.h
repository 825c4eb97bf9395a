// The syntax tree of a regular expression and its parser. Parts of compile_regex (regex.h).
#pragma once

#include <string_view>
#include <vector>

#include "base/error.h"
#include "sample/grammar/char_set.h"

namespace cistern::sample::grammar {

struct RegexNode {
  enum class Kind { kSet, kSequence, kChoice, kRepeat, kBegin, kEnd };
  Kind kind = Kind::kSequence;
  CharSet set;                          // of kSet
  std::vector<std::uint32_t> children;  // indices; of kRepeat one
  std::uint32_t min = 0, max = 0;       // of kRepeat
};

struct Regex {
  std::vector<RegexNode> nodes;
  std::uint32_t root = 0;
};

Result<Regex> parse_regex(std::string_view pattern);

}  // namespace cistern::sample::grammar
