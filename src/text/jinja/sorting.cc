#include "text/jinja/sorting.h"

#include <algorithm>
#include <cmath>

#include "text/jinja/failure.h"
#include "text/jinja/operators.h"

namespace cistern::text::jinja {
namespace {

// NaN has no place in an order; what Python does with it depends on the steps of its algorithm.
void refuse_nan(const Value& key) {
  if (key.as_float() && std::isnan(*key.as_float())) raise("sorting NaN is not supported");
  if (const auto* items = key.items()) {
    for (const Value& item : *items) refuse_nan(item);
  }
}

}  // namespace

std::vector<std::size_t> sorted_order(Runtime& rt, const std::vector<Value>& keys, bool reverse) {
  rt.reserve_many(keys.size(), 2 * sizeof(std::size_t));
  for (const Value& key : keys) refuse_nan(key);
  // Merge sort from runs of one: the comparison may throw, which std::stable_sort would survive as well, but
  // a comparison that is no strict order (undefined behaviour there) must be harmless too.
  std::vector<std::size_t> order(keys.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::vector<std::size_t> merged(order.size());
  const auto goes_first = [&](std::size_t left, std::size_t right) {
    return reverse ? !compare(rt, Comparison::kLess, keys[left], keys[right])
                   : !compare(rt, Comparison::kLess, keys[right], keys[left]);
  };
  for (std::size_t width = 1; width < order.size(); width *= 2) {
    for (std::size_t start = 0; start < order.size(); start += 2 * width) {
      const std::size_t middle = std::min(start + width, order.size());
      const std::size_t end = std::min(start + 2 * width, order.size());
      std::size_t left = start;
      std::size_t right = middle;
      for (std::size_t out = start; out < end; ++out) {
        const bool take_left = left < middle && (right >= end || goes_first(order[left], order[right]));
        merged[out] = take_left ? order[left++] : order[right++];
      }
    }
    order.swap(merged);
  }
  return order;
}

}  // namespace cistern::text::jinja
