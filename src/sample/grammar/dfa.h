// Deterministic automata over characters: what patterns and formats of strings become, so that several can
// hold at once, lengths be bounded and names be left out, without an end that cannot be reached. Plain values
// and pure functions; sizes are bounded.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "sample/grammar/builder.h"
#include "sample/grammar/char_set.h"

namespace cistern::sample::grammar {

struct Dfa {
  struct Arc {
    char32_t first = 0, last = 0;
    std::uint32_t to = 0;
  };
  struct Node {
    std::vector<Arc> arcs;  // sorted, apart
    bool accepts = false;
  };
  std::vector<Node> nodes;  // the first is the start; none: no string at all

  static constexpr std::size_t kMostNodes = 1U << 14U;
  static constexpr std::size_t kMostArcs = 1U << 18U;

  bool empty() const { return nodes.empty(); }
  bool accepts(std::string_view text) const;
};

// kUnsupported when the result is too large. Without nodes that lead nowhere.
Result<Dfa> intersect(const Dfa& a, const Dfa& b);
Dfa complement(const Dfa& dfa);
Dfa trimmed(Dfa dfa);

// min <= length <= max, in characters. REQUIRES: max (or min if max is kEndless) below kMostNodes.
Dfa lengths(std::uint32_t min, std::uint32_t max);
Dfa one_of(const std::vector<std::string_view>& texts);

// The strings as they stand between the quotes of JSON; what must be escaped is so in its shortest form.
// Returns the state at their end. REQUIRES: not empty().
StateId add_json_text(Builder& builder, StateId from, const Dfa& dfa);

}  // namespace cistern::sample::grammar
