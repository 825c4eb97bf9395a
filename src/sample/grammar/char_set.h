// A set of Unicode scalar values as sorted ranges: what character classes of grammars and patterns are made
// of. Surrogates are never in a set. Plain values; used by the compilers of this folder.
#pragma once

#include <vector>

namespace cistern::sample::grammar {

struct CharRange {
  char32_t first = 0;
  char32_t last = 0;
  friend bool operator==(const CharRange&, const CharRange&) = default;
};

class CharSet {
 public:
  CharSet() = default;
  // In any order, may overlap.
  explicit CharSet(std::vector<CharRange> ranges);

  static const CharSet& all();
  // What the text of a JSON string is mostly made of: all but control characters, quote and backslash.
  static const CharSet& plain();
  static CharSet of(char32_t c) { return CharSet({{c, c}}); }

  CharSet operator|(const CharSet& other) const;
  CharSet operator&(const CharSet& other) const;
  CharSet operator~() const;

  bool empty() const { return ranges_.empty(); }
  bool contains(char32_t c) const;
  bool contains(const CharSet& other) const { return (other & ~*this).empty(); }
  const std::vector<CharRange>& ranges() const { return ranges_; }
  friend bool operator==(const CharSet&, const CharSet&) = default;

 private:
  std::vector<CharRange> ranges_;  // sorted, apart
};

}  // namespace cistern::sample::grammar
