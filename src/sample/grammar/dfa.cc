#include "sample/grammar/dfa.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "text/utf8.h"

namespace cistern::sample::grammar {
namespace {

constexpr std::uint32_t kNone = kEndless;

const Dfa::Arc* arc_of(const Dfa::Node& node, char32_t c) {
  const auto after = std::ranges::upper_bound(node.arcs, c, {}, &Dfa::Arc::first);
  if (after == node.arcs.begin() || std::prev(after)->last < c) return nullptr;
  return &*std::prev(after);
}

std::vector<Dfa::Arc> arcs_for(const CharSet& set, std::uint32_t to) {
  std::vector<Dfa::Arc> arcs;
  for (const CharRange& range : set.ranges()) arcs.push_back({range.first, range.last, to});
  return arcs;
}

CharSet covered(const Dfa::Node& node) {
  std::vector<CharRange> ranges;
  for (const Dfa::Arc& arc : node.arcs) ranges.push_back({arc.first, arc.last});
  return CharSet(std::move(ranges));
}

}  // namespace

bool Dfa::accepts(std::string_view text) const {
  if (nodes.empty()) return false;
  std::uint32_t at = 0;
  while (!text.empty()) {
    const text::CodePoint c = text::decode_utf8(text);
    const Arc* arc = c.valid ? arc_of(nodes[at], c.value) : nullptr;
    if (arc == nullptr) return false;
    at = arc->to;
    text.remove_prefix(c.length);
  }
  return nodes[at].accepts;
}

Dfa trimmed(Dfa dfa) {
  std::vector<std::vector<std::uint32_t>> before(dfa.nodes.size());
  std::vector<std::uint32_t> open;
  std::vector<bool> useful(dfa.nodes.size());
  for (std::uint32_t id = 0; id < dfa.nodes.size(); ++id) {
    for (const Dfa::Arc& arc : dfa.nodes[id].arcs) before[arc.to].push_back(id);
    if (dfa.nodes[id].accepts) open.push_back(id);
  }
  while (!open.empty()) {
    const std::uint32_t id = open.back();
    open.pop_back();
    if (useful[id]) continue;
    useful[id] = true;
    open.insert(open.end(), before[id].begin(), before[id].end());
  }
  if (dfa.nodes.empty() || !useful[0]) return {};
  std::vector<std::uint32_t> renamed(dfa.nodes.size(), kNone);
  std::uint32_t count = 0;
  for (std::uint32_t id = 0; id < dfa.nodes.size(); ++id) {
    if (useful[id]) renamed[id] = count++;
  }
  Dfa out;
  for (std::uint32_t id = 0; id < dfa.nodes.size(); ++id) {
    if (!useful[id]) continue;
    Dfa::Node& node = out.nodes.emplace_back(std::move(dfa.nodes[id]));
    std::erase_if(node.arcs, [&](const Dfa::Arc& arc) { return !useful[arc.to]; });
    for (Dfa::Arc& arc : node.arcs) arc.to = renamed[arc.to];
  }
  return out;
}

Result<Dfa> intersect(const Dfa& a, const Dfa& b) {
  if (a.empty() || b.empty()) return Dfa();
  Dfa out;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> ids{{{0, 0}, 0}};
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs{{0, 0}};
  std::size_t arcs = 0;
  for (std::size_t at = 0; at < pairs.size(); ++at) {
    const Dfa::Node& x = a.nodes[pairs[at].first];
    const Dfa::Node& y = b.nodes[pairs[at].second];
    Dfa::Node node{.accepts = x.accepts && y.accepts};
    auto i = x.arcs.begin();
    auto j = y.arcs.begin();
    while (i != x.arcs.end() && j != y.arcs.end()) {
      const char32_t first = std::max(i->first, j->first), last = std::min(i->last, j->last);
      if (first <= last) {
        const auto [found, is_new] =
            ids.try_emplace({i->to, j->to}, static_cast<std::uint32_t>(pairs.size()));
        if (is_new) pairs.emplace_back(i->to, j->to);
        node.arcs.push_back({first, last, found->second});
      }
      i->last < j->last ? ++i : ++j;
    }
    arcs += node.arcs.size();
    if (pairs.size() > Dfa::kMostNodes || arcs > Dfa::kMostArcs)
      return fail(ErrorCode::kUnsupported, "together, the constraints of this string are too complex");
    out.nodes.push_back(std::move(node));
  }
  return trimmed(std::move(out));
}

Dfa complement(const Dfa& dfa) {
  Dfa out = dfa;
  const auto sink = static_cast<std::uint32_t>(out.nodes.size());
  out.nodes.emplace_back();
  for (Dfa::Node& node : out.nodes) {
    node.accepts = !node.accepts;
    const std::vector<Dfa::Arc> rest = arcs_for(~covered(node), sink);
    node.arcs.insert(node.arcs.end(), rest.begin(), rest.end());
    std::ranges::sort(node.arcs, {}, &Dfa::Arc::first);
  }
  return trimmed(std::move(out));
}

Dfa lengths(std::uint32_t min, std::uint32_t max) {
  Dfa out;
  const std::uint32_t last = max == kEndless ? min : max;
  for (std::uint32_t length = 0; length <= last; ++length) {
    const std::uint32_t next = length < last ? length + 1 : length;
    const bool goes_on = length < last || max == kEndless;
    out.nodes.push_back({.arcs = goes_on ? arcs_for(CharSet::all(), next) : std::vector<Dfa::Arc>(),
                         .accepts = length >= min});
  }
  return out;
}

Dfa one_of(const std::vector<std::string_view>& texts) {
  Dfa out;
  out.nodes.emplace_back();
  for (std::string_view text : texts) {
    std::uint32_t at = 0;
    while (!text.empty()) {
      const text::CodePoint c = text::decode_utf8(text);
      text.remove_prefix(c.length);
      const Dfa::Arc* arc = arc_of(out.nodes[at], c.value);
      const auto to = arc != nullptr ? arc->to : static_cast<std::uint32_t>(out.nodes.size());
      if (arc == nullptr) {
        auto& arcs = out.nodes[at].arcs;
        arcs.insert(std::ranges::upper_bound(arcs, c.value, {}, &Dfa::Arc::first), {c.value, c.value, to});
        out.nodes.emplace_back();
      }
      at = to;
    }
    out.nodes[at].accepts = true;
  }
  return trimmed(std::move(out));
}

namespace {

constexpr std::uint32_t kLongestRun = 64;  // that is worth knowing

// How many plain characters may come in any order after each node, at least.
std::vector<std::uint32_t> plain_runs(const Dfa& dfa) {
  // The node that all plain characters lead to, where it is one.
  std::vector<std::uint32_t> next(dfa.nodes.size(), kNone);
  for (std::size_t id = 0; id < dfa.nodes.size(); ++id) {
    std::map<std::uint32_t, std::vector<CharRange>> by_target;
    for (const Dfa::Arc& arc : dfa.nodes[id].arcs) by_target[arc.to].push_back({arc.first, arc.last});
    for (const auto& [to, ranges] : by_target) {
      if (CharSet(ranges).contains(CharSet::plain())) next[id] = to;
    }
  }
  std::vector<std::uint32_t> runs(dfa.nodes.size());
  for (std::size_t id = 0; id < dfa.nodes.size(); ++id) {
    std::uint32_t at = static_cast<std::uint32_t>(id);
    while (runs[id] < kLongestRun && next[at] != kNone) {
      if (next[at] == at) runs[id] = kEndless;
      if (runs[id] == kEndless) break;
      at = next[at];
      ++runs[id];
    }
  }
  return runs;
}

struct Escape {
  char32_t character;
  const char* text;
};
constexpr Escape kEscapes[] = {{'"', "\\\""}, {'\\', "\\\\"}, {'\b', "\\b"}, {'\f', "\\f"},
                               {'\n', "\\n"}, {'\r', "\\r"},  {'\t', "\\t"}};

// `set` as a character within a JSON string.
void add_json_char(Builder& builder, StateId from, const CharSet& set, StateId to) {
  static const CharSet bare = ~CharSet({{0, 0x1F}, {'"', '"'}, {'\\', '\\'}});
  builder.chars(from, set & bare, to);
  const CharSet escaped = set & ~bare;
  for (const CharRange& range : escaped.ranges()) {
    for (char32_t c = range.first; c <= range.last; ++c) {
      const auto* known = std::ranges::find(kEscapes, c, &Escape::character);
      const std::string text =
          known != std::end(kEscapes) ? known->text : fmt::format("\\u{:04x}", static_cast<unsigned>(c));
      builder.jump(builder.text(from, text), to);
    }
  }
}

}  // namespace

StateId add_json_text(Builder& builder, StateId from, const Dfa& dfa) {
  const std::vector<std::uint32_t> runs = plain_runs(dfa);
  std::vector<StateId> states;
  for (std::size_t id = 0; id < dfa.nodes.size(); ++id) {
    states.push_back(builder.add_state());
    builder.set_plain_run(states.back(), runs[id]);
  }
  builder.jump(from, states[0]);
  const StateId end = builder.add_state();
  for (std::size_t id = 0; id < dfa.nodes.size() && !builder.full(); ++id) {
    std::map<std::uint32_t, std::vector<CharRange>> by_target;
    for (const Dfa::Arc& arc : dfa.nodes[id].arcs) by_target[arc.to].push_back({arc.first, arc.last});
    for (const auto& [to, ranges] : by_target)
      add_json_char(builder, states[id], CharSet(ranges), states[to]);
    if (dfa.nodes[id].accepts) builder.jump(states[id], end);
  }
  return end;
}

}  // namespace cistern::sample::grammar
