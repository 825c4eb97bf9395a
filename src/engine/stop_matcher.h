// Finds stop strings in text that arrives in pieces, and lets through only what surely is not the beginning
// of one. Used by the engine between detokenizer and stream. An Aho-Corasick automaton over bytes: time
// linear in the text, however many stop strings there are. One per answer; not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cistern::engine {

class StopMatcher {
 public:
  // Empty strings are ignored. Without any string all text passes.
  explicit StopMatcher(std::span<const std::string> stops);

  // Adds a piece and gives what can be shown now. The stop string that is complete first wins, whatever the
  // cutting into pieces; of several that are complete at the same byte, the longest. It and all text after it
  // are swallowed, in later calls too.
  std::string feed(std::string_view piece);
  bool matched() const { return matched_; }
  const std::string& match() const { return match_; }  // the stop string, once matched

  // What is held back, to be shown when the text ends without a match; empty after a match.
  std::string flush();

 private:
  struct Node {
    std::uint8_t byte = 0;           // on the edge from the parent
    std::uint32_t first_child = 0;   // 0: none (the root is nobody's child)
    std::uint32_t next_sibling = 0;  // 0: none
    std::uint32_t fail = 0;          // the longest proper suffix that begins a stop string
    std::uint32_t depth = 0;         // bytes from the root
    std::uint32_t match_length = 0;  // of the longest stop string that ends here; 0: none
  };

  void insert(std::string_view stop);
  void link_failures();
  std::uint32_t child(std::uint32_t node, std::uint8_t byte) const;
  std::uint32_t advance(std::uint32_t node, std::uint8_t byte) const;

  std::vector<Node> nodes_;
  std::uint32_t state_ = 0;
  std::string held_;  // not shown yet; its last depth(state_) bytes may begin a stop string
  bool matched_ = false;
  std::string match_;
};

}  // namespace cistern::engine
