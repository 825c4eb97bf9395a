#include "engine/stop_matcher.h"

#include <utility>

namespace cistern::engine {

StopMatcher::StopMatcher(std::span<const std::string> stops) : nodes_(1) {
  for (const std::string& stop : stops) {
    if (!stop.empty()) insert(stop);
  }
  link_failures();
}

void StopMatcher::insert(std::string_view stop) {
  std::uint32_t node = 0;
  for (const char c : stop) {
    const auto byte = static_cast<std::uint8_t>(c);
    std::uint32_t next = child(node, byte);
    if (next == 0) {
      next = static_cast<std::uint32_t>(nodes_.size());
      Node added;
      added.byte = byte;
      added.next_sibling = nodes_[node].first_child;
      added.depth = nodes_[node].depth + 1;
      nodes_.push_back(added);
      nodes_[node].first_child = next;
    }
    node = next;
  }
  nodes_[node].match_length = nodes_[node].depth;
}

// Breadth first, so that the failure of a node, which is less deep, is known before its children need it.
void StopMatcher::link_failures() {
  std::vector<std::uint32_t> queue = {0};
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const std::uint32_t node = queue[i];
    for (std::uint32_t c = nodes_[node].first_child; c != 0; c = nodes_[c].next_sibling) {
      if (node != 0) nodes_[c].fail = advance(nodes_[node].fail, nodes_[c].byte);
      if (nodes_[c].match_length == 0) nodes_[c].match_length = nodes_[nodes_[c].fail].match_length;
      queue.push_back(c);
    }
  }
}

std::uint32_t StopMatcher::child(std::uint32_t node, std::uint8_t byte) const {
  std::uint32_t c = nodes_[node].first_child;
  while (c != 0 && nodes_[c].byte != byte) c = nodes_[c].next_sibling;
  return c;
}

std::uint32_t StopMatcher::advance(std::uint32_t node, std::uint8_t byte) const {
  while (true) {
    const std::uint32_t next = child(node, byte);
    if (next != 0 || node == 0) return next;
    node = nodes_[node].fail;
  }
}

std::string StopMatcher::feed(std::string_view piece) {
  if (matched_) return {};
  for (const char c : piece) {
    held_ += c;
    state_ = advance(state_, static_cast<std::uint8_t>(c));
    if (nodes_[state_].match_length == 0) continue;
    matched_ = true;
    match_ = held_.substr(held_.size() - nodes_[state_].match_length);
    held_.resize(held_.size() - match_.size());
    return std::exchange(held_, {});
  }
  std::string shown = held_.substr(0, held_.size() - nodes_[state_].depth);
  held_.erase(0, shown.size());
  return shown;
}

std::string StopMatcher::flush() {
  state_ = 0;
  return std::exchange(held_, {});
}

}  // namespace cistern::engine
