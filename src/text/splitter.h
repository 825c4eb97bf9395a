// Cuts a text into the pieces that byte-pair merges must not cross, by running the splits of a PreTokenizer
// one after the other. Compiled once per tokenizer; immutable and thread-safe. Pieces are views into the
// text, in order, and together they are the text.
#pragma once

#include <string_view>
#include <vector>

#include "base/error.h"
#include "text/pre_tokenizer.h"
#include "text/regex.h"

namespace cistern::text {

class Splitter {
 public:
  static Result<Splitter> create(std::span<const Split> splits);

  // REQUIRES: text is valid UTF-8. Time is linear in the text for every row of the table.
  Result<std::vector<std::string_view>> split(std::string_view text) const;

 private:
  struct Step {
    Split::Kind kind;
    std::vector<Regex> regex;  // one for patterns, none for digit groups
  };
  std::vector<Step> steps_;
};

}  // namespace cistern::text
