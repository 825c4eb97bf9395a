#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "sample/grammar/automaton.h"

namespace cistern::sample::grammar {
namespace {

class Linker {
 public:
  explicit Linker(Automaton& automaton) : a_(automaton) {}

  Result<void> run() {
    find_nullable();
    skip_nullable();
    find_heights();
    const Rule& root = a_.rules[a_.root];
    if (a_.states[root.start].height == kEndless)
      return fail(ErrorCode::kFormat,
                  fmt::format("'{}' can never be completed: no text satisfies it", root.name));
    if (a_.states[root.start].height > kMostDepth)
      return fail(ErrorCode::kUnsupported, fmt::format("'{}' needs rules nested {} deep; at most {}",
                                                       root.name, a_.states[root.start].height, kMostDepth));
    drop_endless();
    mark_tails();
    return rank();
  }

 private:
  // What leads to a state: an edge or a jump, or a call, as the one called or as the place to go on at.
  struct Before {
    StateId state;
    const Call* call;  // null: none
  };
  using Befores = std::vector<std::vector<Before>>;

  Befores befores(bool bytes) const {
    Befores before(a_.states.size());
    for (StateId id = 0; id < a_.states.size(); ++id) {
      if (bytes) {
        for (const ByteEdge& edge : a_.states[id].bytes) before[edge.to].push_back({id, nullptr});
      }
      for (const Jump& jump : a_.states[id].jumps) before[jump.to].push_back({id, nullptr});
      for (const Call& call : a_.states[id].calls) {
        before[call.back].push_back({id, &call});
        before[a_.rules[call.rule].start].push_back({id, &call});
      }
    }
    return before;
  }

  // Whether a jump can be taken with a count of 0.
  bool passes_at_zero(const State& from, const Jump& jump) const {
    if (from.counter == kNoCounter || a_.states[jump.to].counter == from.counter) return true;
    return a_.counters[from.counter].min == 0;
  }

  // Whether the rule may end at this state or at one that is reached without reading a byte.
  bool ends_empty(const State& state, const std::vector<bool>& empty) const {
    return state.final ||
           std::ranges::any_of(
               state.jumps,
               [&](const Jump& jump) { return empty[jump.to] && passes_at_zero(state, jump); }) ||
           std::ranges::any_of(state.calls, [&](const Call& call) {
             return empty[a_.rules[call.rule].start] && empty[call.back];
           });
  }

  void find_nullable() {
    const Befores before = befores(false);
    std::vector<bool> empty(a_.states.size());
    std::vector<StateId> open(a_.states.size());
    std::iota(open.begin(), open.end(), 0U);
    while (!open.empty()) {
      const StateId id = open.back();
      open.pop_back();
      if (empty[id] || !ends_empty(a_.states[id], empty)) continue;
      empty[id] = true;
      for (const Before& from : before[id]) {
        const State& state = a_.states[from.state];
        // A loop whose body can be empty needs no least count: the body is empty as often as it takes.
        const bool is_body = from.call != nullptr && a_.rules[from.call->rule].start == id;
        if (is_body && state.counter != kNoCounter) a_.counters[state.counter].min = 0;
        open.push_back(from.state);
      }
    }
    for (Rule& rule : a_.rules) rule.nullable = empty[rule.start];
  }

  // From now on a call is one that reads something; a loop needs no other way round.
  void skip_nullable() {
    for (State& state : a_.states) {
      if (state.counter != kNoCounter) continue;
      for (const Call& call : state.calls) {
        if (a_.rules[call.rule].nullable) state.jumps.push_back({.to = call.back});
      }
    }
  }

  std::uint32_t height_over(const Call& call) const {
    const std::uint32_t callee = a_.states[a_.rules[call.rule].start].height;
    if (callee == kEndless) return kEndless;
    return std::max(callee + 1, a_.states[call.back].height);
  }

  // Backwards from the final states, in the order of growing height.
  void find_heights() {
    const Befores before = befores(true);
    std::vector<StateId> now, next;
    for (StateId id = 0; id < a_.states.size(); ++id) {
      if (a_.states[id].final) now.push_back(id);
    }
    for (std::uint32_t height = 0; !now.empty(); ++height, now.swap(next)) {
      next.clear();
      while (!now.empty()) {
        const StateId id = now.back();
        now.pop_back();
        if (a_.states[id].height != kEndless) continue;
        a_.states[id].height = height;
        for (const Before& from : before[id]) {
          const std::uint32_t reached = from.call == nullptr ? height : height_over(*from.call);
          if (reached != kEndless) (reached <= height ? now : next).push_back(from.state);
        }
      }
    }
  }

  void drop_endless() {
    const auto endless = [&](const auto& edge) { return a_.states[edge.to].height == kEndless; };
    for (State& state : a_.states) {
      std::erase_if(state.bytes, endless);
      std::erase_if(state.jumps, endless);
      std::erase_if(state.calls, [&](const Call& call) { return height_over(call) == kEndless; });
    }
  }

  bool only_ends(StateId id) const {
    for (int steps = 0; steps < 64; ++steps) {
      const State& state = a_.states[id];
      if (!state.bytes.empty() || !state.calls.empty() || state.counter != kNoCounter) return false;
      if (state.jumps.empty()) return state.final;
      if (state.final || state.jumps.size() > 1) return false;
      id = state.jumps[0].to;
    }
    return false;
  }

  void mark_tails() {
    for (State& state : a_.states) {
      for (Call& call : state.calls) call.tail = state.counter == kNoCounter && only_ends(call.back);
    }
  }

  // The rules that a rule may call before it reads a byte.
  std::vector<RuleId> first_calls(RuleId rule) {
    stamps_.resize(a_.states.size(), kNever);
    std::vector<RuleId> out;
    std::vector<StateId> open{a_.rules[rule].start};
    stamps_[open[0]] = rule;
    while (!open.empty()) {
      const State& state = a_.states[open.back()];
      open.pop_back();
      for (const Call& call : state.calls) out.push_back(call.rule);
      for (const Jump& jump : state.jumps) {
        if (passes_at_zero(state, jump) && std::exchange(stamps_[jump.to], rule) != rule)
          open.push_back(jump.to);
      }
    }
    std::ranges::sort(out);
    out.erase(std::ranges::unique(out).begin(), out.end());
    return out;
  }

  // Rules in the order of their calls at the beginning; a circle is a rule that begins with itself.
  Result<void> rank() {
    std::vector<std::vector<RuleId>> first(a_.rules.size());
    std::vector<std::uint32_t> callers(a_.rules.size());
    for (RuleId rule = 0; rule < a_.rules.size(); ++rule) {
      first[rule] = first_calls(rule);
      for (const RuleId callee : first[rule]) ++callers[callee];
    }
    std::vector<RuleId> open;
    for (RuleId rule = 0; rule < a_.rules.size(); ++rule) {
      if (callers[rule] == 0) open.push_back(rule);
    }
    std::uint32_t ranked = 0;
    while (!open.empty()) {
      const RuleId rule = open.back();
      open.pop_back();
      a_.rules[rule].rank = ranked++;
      for (const RuleId callee : first[rule]) {
        if (--callers[callee] == 0) open.push_back(callee);
      }
    }
    if (ranked == a_.rules.size()) return {};
    const auto circle = std::ranges::find_if(callers, [](std::uint32_t n) { return n > 0; });
    return fail(ErrorCode::kUnsupported,
                fmt::format("'{}' begins with itself (left recursion); write the repetition with *",
                            a_.rules[static_cast<std::size_t>(circle - callers.begin())].name));
  }

  Automaton& a_;
  static constexpr RuleId kNever = kEndless;
  std::vector<RuleId> stamps_;  // by state: the rule that reached it last
};

}  // namespace

Result<void> link(Automaton& automaton) {
  return Linker(automaton).run();
}

}  // namespace cistern::sample::grammar
