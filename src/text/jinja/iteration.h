// Walking values: what `for`, list(), unpacking and the filters over sequences have in common. Used by the
// interpreter and the built-ins.
#pragma once

#include <memory>
#include <vector>

#include "text/jinja/objects.h"
#include "text/jinja/runtime.h"

namespace cistern::text::jinja {

bool is_iterable(const Value& value);
// Raises "'int' object is not iterable".
std::shared_ptr<Iterator> iterate(Runtime& rt, const Value& value);
// Backwards; null when Python cannot reverse the value.
std::shared_ptr<Iterator> iterate_reversed(Runtime& rt, const Value& value);
// All items; uses an iterator up.
std::vector<Value> collect(Runtime& rt, const Value& value);
// A value that yields what `step` gives; `source` is the value it draws from.
Value make_generator(Runtime& rt, const Value& source, Generator::Step step);

}  // namespace cistern::text::jinja
