#include "sample/grammar/char_set.h"

#include <algorithm>

namespace cistern::sample::grammar {
namespace {

constexpr char32_t kLast = 0x10FFFF;
constexpr CharRange kSurrogates{.first = 0xD800, .last = 0xDFFF};

// The gaps between sorted ranges.
std::vector<CharRange> gaps(const std::vector<CharRange>& ranges) {
  std::vector<CharRange> out;
  char32_t next = 0;
  for (const CharRange& range : ranges) {
    if (range.first > next) out.push_back({next, range.first - 1});
    next = range.last + 1;
  }
  if (next <= kLast) out.push_back({next, kLast});
  return out;
}

}  // namespace

CharSet::CharSet(std::vector<CharRange> ranges) {
  std::vector<CharRange> scalar;
  for (const CharRange& range : ranges) {
    if (range.first > range.last || range.first > kLast) continue;
    const CharRange clipped{range.first, std::min(range.last, kLast)};
    if (clipped.first < kSurrogates.first)
      scalar.push_back({clipped.first, std::min<char32_t>(clipped.last, kSurrogates.first - 1)});
    if (clipped.last > kSurrogates.last)
      scalar.push_back({std::max<char32_t>(clipped.first, kSurrogates.last + 1), clipped.last});
  }
  std::ranges::sort(scalar, {}, &CharRange::first);
  for (const CharRange& range : scalar) {
    if (!ranges_.empty() && range.first <= ranges_.back().last + 1) {
      ranges_.back().last = std::max(ranges_.back().last, range.last);
    } else {
      ranges_.push_back(range);
    }
  }
}

const CharSet& CharSet::all() {
  static const CharSet set({{0, kLast}});
  return set;
}

const CharSet& CharSet::plain() {
  static const CharSet set = ~CharSet({{0, 0x1F}, {'"', '"'}, {'\\', '\\'}, {0x7F, 0x7F}});
  return set;
}

CharSet CharSet::operator|(const CharSet& other) const {
  std::vector<CharRange> both = ranges_;
  both.insert(both.end(), other.ranges_.begin(), other.ranges_.end());
  return CharSet(std::move(both));
}

CharSet CharSet::operator&(const CharSet& other) const {
  CharSet out;
  auto a = ranges_.begin();
  auto b = other.ranges_.begin();
  while (a != ranges_.end() && b != other.ranges_.end()) {
    const char32_t first = std::max(a->first, b->first);
    const char32_t last = std::min(a->last, b->last);
    if (first <= last) out.ranges_.push_back({first, last});
    a->last < b->last ? ++a : ++b;
  }
  return out;
}

CharSet CharSet::operator~() const {
  return CharSet(gaps(ranges_));
}

bool CharSet::contains(char32_t c) const {
  const auto after = std::ranges::upper_bound(ranges_, c, {}, &CharRange::first);
  return after != ranges_.begin() && c <= std::prev(after)->last;
}

}  // namespace cistern::sample::grammar
