#include "sample/grammar/builder.h"

#include <fmt/format.h>

#include <array>

#include "text/utf8.h"

namespace cistern::sample::grammar {
namespace {

// Code points whose UTF-8 has the same length.
constexpr std::array<CharRange, 4> kByLength = {
    CharRange{0, 0x7F}, {0x80, 0x7FF}, {0x800, 0xFFFF}, {0x10000, 0x10FFFF}};

std::string utf8(char32_t c) {
  std::string out;
  text::append_utf8(out, c);
  return out;
}

}  // namespace

RuleId Builder::add_rule(std::string name) {
  if (automaton_.rules.size() >= kMostRules) {
    full_ = true;
    return 0;
  }
  automaton_.rules.push_back({.name = std::move(name), .start = add_state()});
  return static_cast<RuleId>(automaton_.rules.size() - 1);
}

StateId Builder::add_state(CounterId counter) {
  if (automaton_.states.size() >= kMostStates) {
    full_ = true;
    return 0;
  }
  automaton_.states.push_back({});
  automaton_.states.back().counter = counter;
  return static_cast<StateId>(automaton_.states.size() - 1);
}

void Builder::jump(StateId from, StateId to, bool counts) {
  if (!full_) automaton_.states[from].jumps.push_back({.to = to, .counts = counts});
}

void Builder::call(StateId from, RuleId rule, StateId back) {
  if (!full_) automaton_.states[from].calls.push_back({.rule = rule, .back = back});
}

void Builder::byte(StateId from, std::uint8_t byte, StateId to, bool literal) {
  if (full_) return;
  automaton_.states[from].bytes.push_back({.to = to, .first = byte, .last = byte, .literal = literal});
}

// What counts is the first byte: a character is not begun that may not be completed.
void Builder::sequence(StateId from, std::span<const Bytes> bytes, StateId to, bool counts) {
  if (full_) return;
  ByteEdge edge{.to = to, .first = bytes[0].first, .last = bytes[0].last, .counts = counts};
  if (bytes.size() > 1) {
    const std::vector<Bytes> rest(bytes.begin() + 1, bytes.end());
    const auto [found, is_new] = tails_.try_emplace({to, counter_of(from), rest}, 0);
    if (is_new) {
      const StateId within = found->second = add_state(counter_of(from));
      sequence(within, rest, to, false);
    }
    edge.to = found->second;
  }
  if (!full_) automaton_.states[from].bytes.push_back(edge);
}

// A range of code points is a few sequences of byte ranges: whole blocks of 64 share all that precedes.
void Builder::chars(StateId from, const CharSet& set, StateId to, bool counts) {
  struct Part {
    char32_t first, last;
  };
  std::vector<Part> open;
  for (const CharRange& range : set.ranges()) {
    for (const CharRange& length : kByLength) {
      const Part part{std::max(range.first, length.first), std::min(range.last, length.last)};
      if (part.first <= part.last) open.push_back(part);
    }
  }
  while (!open.empty() && !full_) {
    const Part part = open.back();
    open.pop_back();
    bool split = false;
    const std::size_t length = utf8(part.first).size();
    for (unsigned trailing = 1; trailing < length && !split; ++trailing) {
      const char32_t block = (char32_t{1} << (6 * trailing)) - 1;
      if ((part.first & ~block) == (part.last & ~block)) continue;
      if ((part.first & block) != 0) {
        open.push_back({part.first, part.first | block});
        open.push_back({(part.first | block) + 1, part.last});
        split = true;
      } else if ((part.last & block) != block) {
        open.push_back({part.first, (part.last & ~block) - 1});
        open.push_back({part.last & ~block, part.last});
        split = true;
      }
    }
    if (split) continue;
    const std::string first = utf8(part.first), last = utf8(part.last);
    std::vector<Bytes> bytes;
    for (std::size_t i = 0; i < length; ++i)
      bytes.push_back({static_cast<std::uint8_t>(first[i]), static_cast<std::uint8_t>(last[i])});
    sequence(from, bytes, to, counts);
  }
}

StateId Builder::text(StateId from, std::string_view text, bool literal) {
  for (const char c : text) {
    const StateId to = add_state();
    byte(from, static_cast<std::uint8_t>(c), to, literal);
    from = to;
  }
  return from;
}

StateId Builder::chars(StateId from, const CharSet& set) {
  const StateId to = add_state();
  chars(from, set, to);
  return to;
}

StateId Builder::call(StateId from, RuleId rule) {
  const StateId to = add_state();
  call(from, rule, to);
  return to;
}

StateId Builder::loop(StateId from, std::uint32_t min, std::uint32_t max) {
  CounterId counter = kNoCounter;
  if (!full_ && (min > 0 || max != kEndless)) {
    automaton_.counters.push_back({.min = min, .max = max});
    counter = static_cast<CounterId>(automaton_.counters.size() - 1);
  }
  const StateId state = add_state(counter);
  jump(from, state);
  return state;
}

StateId Builder::repeat_chars(StateId from, const CharSet& set, std::uint32_t min, std::uint32_t max) {
  if (max == 0) return from;
  const StateId state = loop(from, min, max);
  if (full_) return state;
  chars(state, set, state, true);
  if (set.contains(CharSet::plain())) set_plain_run(state, kEndless);
  const StateId out = add_state();
  jump(state, out);
  return out;
}

StateId Builder::repeat_call(StateId from, RuleId rule, std::uint32_t min, std::uint32_t max) {
  if (max == 0) return from;
  const StateId state = loop(from, min, max);
  const StateId after = add_state(full_ ? kNoCounter : counter_of(state));
  call(state, rule, after);
  jump(after, state, true);
  const StateId out = add_state();
  jump(state, out);
  return out;
}

Result<Automaton> Builder::finish(RuleId root) && {
  if (full_) {
    return fail(
        ErrorCode::kUnsupported,
        fmt::format("the grammar is too large: at most {} states and {} rules", kMostStates, kMostRules));
  }
  automaton_.root = root;
  CISTERN_TRY_VOID(link(automaton_));
  return std::move(automaton_);
}

}  // namespace cistern::sample::grammar
