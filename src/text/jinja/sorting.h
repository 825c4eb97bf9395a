// Python's sorted() over values: stable, by `<` alone, its TypeErrors for values without an order. Used by
// the filters that sort and by tojson.
#pragma once

#include <cstddef>
#include <vector>

#include "text/jinja/runtime.h"

namespace cistern::text::jinja {

// Indexes of `keys` in ascending (descending) order; equal keys keep their order. NaN is refused.
std::vector<std::size_t> sorted_order(Runtime& rt, const std::vector<Value>& keys, bool reverse);

}  // namespace cistern::text::jinja
