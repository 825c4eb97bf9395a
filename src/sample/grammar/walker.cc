#include "sample/grammar/walker.h"

#include <algorithm>
#include <utility>

namespace cistern::sample::grammar {
namespace {

std::string bytes_of(const std::vector<Item>& items) {
  return std::string(reinterpret_cast<const char*>(items.data()), items.size() * sizeof(Item));
}

}  // namespace

Walker::Walker(const Automaton& automaton) : a_(automaton) {
  nodes_.emplace_back();
  configs_.emplace_back();
}

ConfigId Walker::begin() {
  items_.clear();
  expanded_ = 0;
  accepts_ = a_.rules[a_.root].nullable;
  add({.state = a_.rules[a_.root].start});
  expand(true);
  enter_calls();
  return intern_config();
}

ConfigId Walker::step(ConfigId from, std::uint8_t byte) {
  if (from == kDead) return kDead;
  if (!configs_[from].next) {
    configs_[from].next = std::make_unique<std::array<ConfigId, 256>>();
    configs_[from].next->fill(kUnknown);
  }
  ConfigId to = (*configs_[from].next)[byte];
  if (to == kUnknown) {
    to = advance(from, byte, false);
    (*configs_[from].next)[byte] = to;
  }
  return to;
}

ConfigId Walker::step_literal(ConfigId from, std::uint8_t byte) {
  return advance(from, byte, true);
}

ConfigId Walker::advance(ConfigId from, std::uint8_t byte, bool literal) {
  items_.clear();
  expanded_ = 0;
  accepts_ = false;
  for (const Item& item : configs_[from].items) {
    const std::vector<ByteEdge>& edges = a_.states[item.state].bytes;
    work_ += edges.size();
    for (const ByteEdge& edge : edges) {
      if (byte < edge.first || byte > edge.last || (literal && !edge.literal)) continue;
      move(item, edge.to, edge.counts);
    }
  }
  if (items_.size() == 0) return kDead;
  expand(false);
  enter_calls();
  return intern_config();
}

// Counts are kept among the states of a counter, which lets an item go when its count is high enough.
void Walker::move(const Item& from, StateId to, bool counts) {
  const CounterId before = a_.states[from.state].counter;
  const CounterId after = a_.states[to].counter;
  Item item{.state = to, .node = from.node};
  if (before == after && after != kNoCounter) {
    const Counter& counter = a_.counters[after];
    item.count = from.count;
    if (counts) {
      if (item.count >= counter.max) return;
      ++item.count;
      if (counter.max == kEndless) item.count = std::min(item.count, counter.min);
    }
  } else if (before != kNoCounter && from.count < a_.counters[before].min) {
    return;
  }
  add(item);
}

void Walker::add(const Item& item) {
  if (nodes_[item.node].depth + a_.states[item.state].height > kMostDepth) return;
  items_.add(item);  // when the set is full, this way of reading is given up
}

// Follows what reads nothing. `entered`: the items are in rules that have read nothing yet; they do not end
// there, for their callers have gone past them (link() sees to it).
void Walker::expand(bool entered) {
  for (; expanded_ < items_.size(); ++expanded_) {
    const Item item = items_[expanded_];
    const State& state = a_.states[item.state];
    work_ += 1 + state.jumps.size() + state.calls.size();
    for (const Jump& jump : state.jumps) move(item, jump.to, jump.counts);
    for (const Call& call : state.calls) {
      if (state.counter != kNoCounter && item.count >= a_.counters[state.counter].max) continue;
      pending_.push_back({call.rule, {call.back, item.count, item.node}, call.tail});
      std::ranges::push_heap(pending_, std::greater(),
                             [&](const Pending& p) { return a_.rules[p.rule].rank; });
    }
    if (!state.final || entered) continue;
    if (item.node == kBottom) accepts_ = true;
    work_ += nodes_[item.node].frames.size();
    for (const Item& frame : nodes_[item.node].frames) add(frame);
  }
}

// All calls of a rule at one place are one node. Callers at this place were complete before.
void Walker::enter_calls() {
  const auto rank = [&](const Pending& p) { return a_.rules[p.rule].rank; };
  while (!pending_.empty()) {
    const RuleId rule = pending_.front().rule;
    std::vector<Item> frames;
    while (!pending_.empty() && pending_.front().rule == rule) {
      const Pending& call = pending_.front();
      if (call.tail && call.back.node != kBottom) {
        const std::vector<Item>& around = nodes_[call.back.node].frames;
        frames.insert(frames.end(), around.begin(), around.end());
      } else {
        frames.push_back(call.back);
      }
      std::ranges::pop_heap(pending_, std::greater(), rank);
      pending_.pop_back();
    }
    work_ += frames.size();
    std::ranges::sort(frames);
    frames.erase(std::ranges::unique(frames).begin(), frames.end());
    add({.state = a_.rules[rule].start, .node = intern_node(std::move(frames))});
    expand(true);
  }
}

NodeId Walker::intern_node(std::vector<Item> frames) {
  const auto [found, is_new] = node_ids_.try_emplace(bytes_of(frames), static_cast<NodeId>(nodes_.size()));
  if (!is_new) return found->second;
  Node node{.frames = std::move(frames)};
  for (const Item& frame : node.frames) node.depth = std::max(node.depth, nodes_[frame.node].depth + 1);
  stored_items_ += node.frames.size();
  nodes_.push_back(std::move(node));
  return found->second;
}

ConfigId Walker::intern_config() {
  Config config{.accepts = accepts_};
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (!a_.states[items_[i].state].bytes.empty()) config.items.push_back(items_[i]);
  }
  if (config.items.empty() && !accepts_) return kDead;
  std::ranges::sort(config.items);
  std::string key = bytes_of(config.items);
  key.push_back(accepts_ ? '\1' : '\0');
  const auto [found, is_new] =
      config_ids_.try_emplace(std::move(key), static_cast<ConfigId>(configs_.size()));
  if (is_new) {
    stored_items_ += config.items.size();
    configs_.push_back(std::move(config));
  }
  return found->second;
}

std::uint32_t Walker::plain_run(ConfigId config) const {
  std::uint32_t longest = 0;
  for (const Item& item : configs_[config].items) {
    const State& state = a_.states[item.state];
    std::uint32_t run = state.plain_run;
    const std::uint32_t most = a_.counters[state.counter].max;
    if (most != kEndless) run = std::min(run, most - item.count);
    longest = std::max(longest, run);
  }
  return longest;
}

std::string Walker::key(ConfigId config) const {
  std::string out(1, configs_[config].accepts ? '\1' : '\0');
  std::unordered_map<NodeId, NodeId> local{{kBottom, 0}};
  std::vector<NodeId> order{kBottom};
  const auto write = [&](const std::vector<Item>& items) {
    std::vector<Item> renamed = items;
    for (Item& item : renamed) {
      const auto [found, is_new] = local.try_emplace(item.node, static_cast<NodeId>(order.size()));
      if (is_new) order.push_back(item.node);
      item.node = found->second;
    }
    renamed.push_back({.state = kEndless});  // the end of a list
    out += bytes_of(renamed);
  };
  write(configs_[config].items);
  for (std::size_t i = 1; i < order.size(); ++i) write(nodes_[order[i]].frames);
  return out;
}

void Walker::compact(std::span<ConfigId> kept) {
  std::vector<bool> wanted(nodes_.size());
  wanted[kBottom] = true;
  const auto want = [&](const std::vector<Item>& items) {
    for (const Item& item : items) wanted[item.node] = true;
    work_ += items.size();
  };
  for (const ConfigId id : kept) want(configs_[id].items);
  for (NodeId id = static_cast<NodeId>(nodes_.size()); id-- > 0;) {
    if (wanted[id]) want(nodes_[id].frames);
  }
  // Numbers keep their order, so what is sorted stays so.
  std::vector<NodeId> renamed(nodes_.size());
  std::vector<Node> nodes = std::exchange(nodes_, {});
  std::vector<Config> configs = std::exchange(configs_, {});
  node_ids_.clear();
  config_ids_.clear();
  stored_items_ = 0;
  nodes_.emplace_back();
  configs_.emplace_back();
  const auto rename = [&](std::vector<Item> items) {
    for (Item& item : items) item.node = renamed[item.node];
    return items;
  };
  for (NodeId id = 1; id < nodes.size(); ++id) {
    if (wanted[id]) renamed[id] = intern_node(rename(std::move(nodes[id].frames)));
  }
  for (ConfigId& id : kept) {
    if (id == kDead) continue;
    items_.clear();
    accepts_ = configs[id].accepts;
    for (const Item& item : rename(configs[id].items)) items_.add(item);
    id = intern_config();
  }
}

}  // namespace cistern::sample::grammar
