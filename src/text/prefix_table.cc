#include "text/prefix_table.h"

#include <algorithm>
#include <tuple>

namespace cistern::text {

void PrefixTable::build() {
  std::sort(entries_.begin(), entries_.end(),
            [](const Entry& a, const Entry& b) { return std::tie(a.text, a.id) < std::tie(b.text, b.id); });
  const auto same = [](const Entry& a, const Entry& b) { return a.text == b.text; };
  entries_.erase(std::unique(entries_.begin(), entries_.end(), same), entries_.end());

  for (const Entry& entry : entries_) ++first_[static_cast<unsigned char>(entry.text[0]) + 1];
  for (std::size_t byte = 0; byte < 256; ++byte) first_[byte + 1] += first_[byte];
}

void PrefixTable::narrow(std::size_t& low, std::size_t& high, std::size_t depth, unsigned char byte) const {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(entries_[i].text[depth]); };
  const auto first_where = [&](std::size_t begin, auto&& reached) {
    std::size_t end = high;
    while (begin < end) {
      const std::size_t middle = begin + (end - begin) / 2;
      if (reached(at(middle))) {
        end = middle;
      } else {
        begin = middle + 1;
      }
    }
    return begin;
  };
  low = first_where(low, [&](unsigned char b) { return b >= byte; });
  high = first_where(low, [&](unsigned char b) { return b > byte; });
}

}  // namespace cistern::text
