// Makes an Automaton piece by piece: rules, states and what leads from one to the next. Used by the compilers
// of this folder; one per grammar, not thread-safe. Sizes are bounded: when there is too much, `full()` says
// so and nothing more is added, so a compiler checks it now and then and at its end (finish does).
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "sample/grammar/automaton.h"
#include "sample/grammar/char_set.h"

namespace cistern::sample::grammar {

class Builder {
 public:
  // A new rule whose start state is there; it ends at states made final.
  RuleId add_rule(std::string name);
  StateId start(RuleId rule) const { return automaton_.rules[rule].start; }
  StateId add_state(CounterId counter = kNoCounter);
  void make_final(StateId state) { automaton_.states[state].final = true; }

  void jump(StateId from, StateId to, bool counts = false);
  void call(StateId from, RuleId rule, StateId back);
  void byte(StateId from, std::uint8_t byte, StateId to, bool literal = false);
  // One character of the set, in UTF-8.
  void chars(StateId from, const CharSet& set, StateId to, bool counts = false);
  void set_plain_run(StateId state, std::uint32_t run) { automaton_.states[state].plain_run = run; }

  // These return the state at their end. `literal`: special tokens may write it.
  StateId text(StateId from, std::string_view text, bool literal = false);
  StateId chars(StateId from, const CharSet& set);
  StateId call(StateId from, RuleId rule);
  // REQUIRES: min <= max.
  StateId repeat_chars(StateId from, const CharSet& set, std::uint32_t min, std::uint32_t max);
  StateId repeat_call(StateId from, RuleId rule, std::uint32_t min, std::uint32_t max);
  // A state in a loop with bounds: what counts leads from it (and states of its counter) back to it. The loop
  // is left by jumps to other states.
  StateId loop(StateId from, std::uint32_t min, std::uint32_t max);
  CounterId counter_of(StateId state) const { return automaton_.states[state].counter; }

  bool full() const { return full_; }
  // kUnsupported when it became too large, else what link() says.
  Result<Automaton> finish(RuleId root) &&;

 private:
  struct Bytes {
    std::uint8_t first, last;
    auto operator<=>(const Bytes&) const = default;
  };
  void sequence(StateId from, std::span<const Bytes> bytes, StateId to, bool counts);

  Automaton automaton_;
  bool full_ = false;
  // States within a character, by where it ends and the bytes that are still to come.
  std::map<std::tuple<StateId, CounterId, std::vector<Bytes>>, StateId> tails_;
};

}  // namespace cistern::sample::grammar
