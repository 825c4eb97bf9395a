// A grammar as a network of byte automata that call one another (a recursive transition network): what all
// compilers of this folder make with the Builder (builder.h) and what the Walker (walker.h) walks. Immutable
// after link(); thread-safe. Knows nothing of tokens.
//
// Repetitions with bounds count instead of being unrolled: the states of a loop share a Counter, edges that
// count raise the count of whoever takes them, and the loop may be left when the count is high enough.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/error.h"

namespace cistern::sample::grammar {

using StateId = std::uint32_t;
using RuleId = std::uint32_t;
using CounterId = std::uint32_t;

inline constexpr std::uint32_t kEndless = std::numeric_limits<std::uint32_t>::max();
inline constexpr std::uint32_t kMostStates = 1U << 18U;
inline constexpr std::uint32_t kMostRules = 1U << 15U;
// Calls inside of calls. What does not fit any more is not offered, so an answer ends well at any depth.
inline constexpr std::uint32_t kMostDepth = 512;

struct ByteEdge {
  StateId to = 0;
  std::uint8_t first = 0, last = 0;
  bool literal = false;  // of a literal that special tokens may write
  bool counts = false;
};
struct Jump {  // reads nothing
  StateId to = 0;
  bool counts = false;
};
struct Call {  // of a rule; goes on at `back`
  RuleId rule = 0;
  StateId back = 0;
  bool tail = false;  // nothing follows in the calling rule
};
struct Counter {
  std::uint32_t min = 0;
  std::uint32_t max = kEndless;
};
inline constexpr CounterId kNoCounter = 0;

struct State {
  std::vector<ByteEdge> bytes;
  std::vector<Jump> jumps;
  std::vector<Call> calls;
  CounterId counter = kNoCounter;
  std::uint32_t plain_run = 0;      // so many characters of CharSet::plain() may come, in any order
  std::uint32_t height = kEndless;  // least depth of calls with which the rule ends from here
  bool final = false;               // the rule may end here
};

struct Rule {
  std::string name;
  StateId start = 0;
  std::uint32_t rank = 0;  // rules that begin with a call come before those that they call
  bool nullable = false;
};

struct Automaton {
  std::vector<State> states;
  std::vector<Rule> rules;
  std::vector<Counter> counters{Counter{}};
  RuleId root = 0;
};

// Completes an automaton whose states, rules and counters are there: leaves out what can never end, and fails
// (kFormat) where nothing is left or a rule begins with itself.
Result<void> link(Automaton& automaton);

}  // namespace cistern::sample::grammar
