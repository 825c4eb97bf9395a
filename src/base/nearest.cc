#include "base/nearest.h"

#include <algorithm>
#include <vector>

namespace cistern {
namespace {

constexpr std::size_t kMaxCompared = 256;  // bytes of a name that count

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Rows of the dynamic program: the one before the last (for swaps), the last and the current.
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

std::string nearest(std::string_view typed, std::span<const std::string> names) {
  typed = typed.substr(0, kMaxCompared);
  if (typed.empty()) return {};
  const std::string* best = nullptr;
  std::size_t best_distance = std::max<std::size_t>(typed.size() / 3, 1) + 1;
  for (const std::string& name : names) {
    const std::size_t distance = edit_distance(typed, std::string_view(name).substr(0, kMaxCompared));
    if (distance < best_distance) {
      best = &name;
      best_distance = distance;
    }
  }
  if (best != nullptr) return *best;
  for (const std::string& name : names) {
    if (typed.size() >= 2 && (name.starts_with(typed) || name.ends_with(typed))) return name;
  }
  return {};
}

}  // namespace cistern
