// Where texts may be in an Automaton after some bytes: all ways to read them at once, as configurations. A
// configuration is a set of items with one number; the calls around are nodes of a graph that ways share, so
// that ambiguity does not multiply. Equal configurations have equal numbers and what follows a byte is
// remembered, so that a walk over a whole vocabulary is mostly table look-ups. Used by GrammarState; not
// thread-safe. Memory is bounded: compact() forgets all but what is named.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "sample/grammar/automaton.h"
#include "sample/grammar/item_set.h"

namespace cistern::sample::grammar {

using ConfigId = std::uint32_t;
inline constexpr ConfigId kDead = 0;  // no way to read the bytes

class Walker {
 public:
  // The automaton must outlive it.
  explicit Walker(const Automaton& automaton);

  ConfigId begin();
  ConfigId step(ConfigId from, std::uint8_t byte);
  // Along literals that special tokens may write, alone.
  ConfigId step_literal(ConfigId from, std::uint8_t byte);

  // Whether the text may end here.
  bool accepts(ConfigId config) const { return configs_[config].accepts; }
  // So many plain characters may come, in any order.
  std::uint32_t plain_run(ConfigId config) const;
  // The same for the same place in all Walkers of this automaton, another for other places.
  std::string key(ConfigId config) const;

  // Whether it is time to compact(); and what it does: all configurations but `kept` are forgotten, whose
  // numbers change.
  bool crowded() const { return configs_.size() > kMostConfigs || stored_items_ > kMostStoredItems; }
  void compact(std::span<ConfigId> kept);

  // Items looked at so far, a measure of work.
  std::uint64_t work() const { return work_; }

 private:
  static constexpr std::size_t kMostConfigs = 1U << 13U;
  static constexpr std::size_t kMostStoredItems = 1U << 20U;
  static constexpr ConfigId kUnknown = kEndless;

  struct Node {
    std::vector<Item> frames;  // where to go on when the rule ends; sorted, of smaller nodes
    std::uint32_t depth = 0;
  };
  struct Config {
    std::vector<Item> items;  // sorted
    bool accepts = false;
    std::unique_ptr<std::array<ConfigId, 256>> next;
  };
  struct Pending {  // a call to be entered
    RuleId rule = 0;
    Item back;
    bool tail = false;
  };

  ConfigId advance(ConfigId from, std::uint8_t byte, bool literal);
  void move(const Item& from, StateId to, bool counts);
  void add(const Item& item);
  void expand(bool entered);
  void enter_calls();
  ConfigId intern_config();
  NodeId intern_node(std::vector<Item> frames);

  const Automaton& a_;
  std::vector<Node> nodes_;
  std::vector<Config> configs_;
  std::unordered_map<std::string, NodeId> node_ids_;
  std::unordered_map<std::string, ConfigId> config_ids_;
  std::size_t stored_items_ = 0;
  std::uint64_t work_ = 0;

  // The configuration that is being made.
  ItemSet items_;
  std::size_t expanded_ = 0;      // of items_
  std::vector<Pending> pending_;  // a heap, callers first
  bool accepts_ = false;
};

}  // namespace cistern::sample::grammar
