#include "sample/grammar/regex.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "sample/grammar/regex_syntax.h"

namespace cistern::sample::grammar {
namespace {

using Kind = RegexNode::Kind;

constexpr std::size_t kMostStates = 1U << 14U;
constexpr std::size_t kMostWork = 1U << 24U;

std::unexpected<Error> too_large() {
  return fail(ErrorCode::kUnsupported, "the pattern is too large or too ambiguous");
}

// An automaton with empty moves (Thompson 1968), of which some can be made only where the text begins or
// ends.
struct Nfa {
  struct Move {
    enum class When { kAlways, kAtBegin, kAtEnd };
    std::uint32_t to = 0;
    When when = When::kAlways;
  };
  struct Node {
    std::vector<Move> moves;
    CharSet set;  // leads to the next node
  };
  std::vector<Node> nodes;

  std::uint32_t add() {
    nodes.emplace_back();
    return static_cast<std::uint32_t>(nodes.size() - 1);
  }
  void move(std::uint32_t from, std::uint32_t to, Move::When when = Move::When::kAlways) {
    nodes[from].moves.push_back({to, when});
  }
  bool full() const { return nodes.size() >= kMostStates; }
};

class NfaMaker {
 public:
  explicit NfaMaker(const Regex& regex) : regex_(regex) {}

  // Anything, the expression, anything: the first node is the start, the last one the end.
  Result<Nfa> make() {
    const std::uint32_t start = any();
    const std::uint32_t inner = emit(regex_.root, start);
    const std::uint32_t end = any();
    nfa_.move(inner, end);
    if (nfa_.full()) return too_large();
    return std::move(nfa_);
  }

 private:
  // A node that goes round with any character.
  std::uint32_t any() {
    const std::uint32_t round = nfa_.add();
    const std::uint32_t back = nfa_.add();
    nfa_.nodes[round].set = CharSet::all();
    nfa_.move(back, round);
    return round;
  }

  // Adds what a node of the tree reads after `from`; returns where it ends.
  std::uint32_t emit(std::uint32_t index, std::uint32_t from) {
    if (nfa_.full()) return from;
    const RegexNode& node = regex_.nodes[index];
    switch (node.kind) {
      case Kind::kSet: {
        const std::uint32_t read = nfa_.add();
        nfa_.move(from, read);
        nfa_.nodes[read].set = node.set;
        return nfa_.add();
      }
      case Kind::kBegin:
      case Kind::kEnd: {
        const std::uint32_t to = nfa_.add();
        using When = Nfa::Move::When;
        nfa_.move(from, to, node.kind == Kind::kBegin ? When::kAtBegin : When::kAtEnd);
        return to;
      }
      case Kind::kSequence: {
        std::uint32_t at = nfa_.add();
        nfa_.move(from, at);
        for (const std::uint32_t child : node.children) at = emit(child, at);
        return at;
      }
      case Kind::kChoice: {
        const std::uint32_t to = nfa_.add();
        for (const std::uint32_t child : node.children) {
          const std::uint32_t end = emit(child, from);
          nfa_.move(end, to);
        }
        return to;
      }
      case Kind::kRepeat:
        return emit_repeat(node, from);
    }
    return from;
  }

  std::uint32_t emit_repeat(const RegexNode& node, std::uint32_t from) {
    std::uint32_t at = from;
    for (std::uint32_t i = 0; i < node.min && !nfa_.full(); ++i) at = emit_step(node, at);
    const std::uint32_t to = nfa_.add();
    if (node.max == kEndless) {
      const std::uint32_t round = nfa_.add();
      nfa_.move(at, round);
      nfa_.move(emit(node.children[0], round), round);
      nfa_.move(round, to);
      return to;
    }
    for (std::uint32_t i = node.min; i < node.max && !nfa_.full(); ++i) {
      nfa_.move(at, to);
      at = emit_step(node, at);
    }
    nfa_.move(at, to);
    return to;
  }

  // Once more; the node of its own keeps what comes before from being joined with it.
  std::uint32_t emit_step(const RegexNode& node, std::uint32_t from) {
    const std::uint32_t begin = nfa_.add();
    nfa_.move(from, begin);
    return emit(node.children[0], begin);
  }

  const Regex& regex_;
  Nfa nfa_;
};

class SubsetConstruction {
 public:
  explicit SubsetConstruction(const Nfa& nfa) : nfa_(nfa), seen_(nfa.nodes.size()) {}

  Result<Dfa> run() {
    intern(closure({0}, Nfa::Move::When::kAtBegin));
    std::size_t arcs = 0;
    for (std::size_t at = 0; at < sets_.size(); ++at) {
      const std::vector<std::uint32_t> set = sets_[at];
      expand(at, set);
      arcs += dfa_.nodes[at].arcs.size();
      if (sets_.size() > Dfa::kMostNodes || arcs > Dfa::kMostArcs || work_ > kMostWork) return too_large();
    }
    return trimmed(std::move(dfa_));
  }

 private:
  using Set = std::vector<std::uint32_t>;
  using When = Nfa::Move::When;

  // With all that is reached by moves that are possible always, or at this time.
  Set closure(Set from, When when) {
    ++round_;
    Set out;
    const auto add = [&](std::uint32_t id) {
      if (std::exchange(seen_[id], round_) != round_) out.push_back(id);
    };
    for (const std::uint32_t id : from) add(id);
    for (std::size_t i = 0; i < out.size(); ++i) {
      work_ += 1 + nfa_.nodes[out[i]].moves.size();
      for (const Nfa::Move& move : nfa_.nodes[out[i]].moves) {
        if (move.when == When::kAlways || move.when == when) add(move.to);
      }
    }
    std::ranges::sort(out);
    return out;
  }

  std::uint32_t intern(Set set) {
    const auto end = static_cast<std::uint32_t>(nfa_.nodes.size() - 2);
    if (std::ranges::binary_search(set, end)) set = {end};  // it has matched: whatever follows
    const auto [found, is_new] = ids_.try_emplace(set, static_cast<std::uint32_t>(sets_.size()));
    if (is_new) {
      sets_.push_back(set);
      const Set at_end = closure(set, When::kAtEnd);
      dfa_.nodes.push_back({.accepts = std::ranges::binary_search(at_end, end)});
    }
    return found->second;
  }

  // Cuts the characters at the ends of all ranges; those between two cuts lead to the same places.
  void expand(std::size_t at, const Set& set) {
    std::vector<char32_t> cuts;
    for (const std::uint32_t id : set) {
      for (const CharRange& range : nfa_.nodes[id].set.ranges()) {
        cuts.push_back(range.first);
        cuts.push_back(range.last + 1);
      }
    }
    std::ranges::sort(cuts);
    cuts.erase(std::ranges::unique(cuts).begin(), cuts.end());
    for (std::size_t i = 0; i + 1 < cuts.size() && work_ <= kMostWork; ++i) {
      Set to;
      work_ += set.size();
      for (const std::uint32_t id : set) {
        if (nfa_.nodes[id].set.contains(cuts[i])) to.push_back(id + 1);
      }
      if (to.empty()) continue;
      const std::uint32_t target = intern(closure(std::move(to), When::kAlways));
      auto& arcs = dfa_.nodes[at].arcs;
      if (!arcs.empty() && arcs.back().to == target && arcs.back().last + 1 == cuts[i]) {
        arcs.back().last = cuts[i + 1] - 1;
      } else {
        arcs.push_back({cuts[i], cuts[i + 1] - 1, target});
      }
    }
  }

  const Nfa& nfa_;
  std::vector<std::uint64_t> seen_;
  std::uint64_t round_ = 0;
  std::size_t work_ = 0;
  std::map<Set, std::uint32_t> ids_;
  std::vector<Set> sets_;
  Dfa dfa_;
};

}  // namespace

Result<Dfa> compile_regex(std::string_view pattern) {
  CISTERN_TRY(const Regex regex, parse_regex(pattern));
  CISTERN_TRY(const Nfa nfa, NfaMaker(regex).make());
  return SubsetConstruction(nfa).run();
}

}  // namespace cistern::sample::grammar
