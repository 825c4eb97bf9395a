// "address.city" and "tags.0": the attribute paths that sort, map, join and their kin take. Each part is
// looked up as value['part'] would be, whole numbers as indexes.
#pragma once

#include <vector>

#include "text/jinja/runtime.h"

namespace cistern::text::jinja {

class AttributePath {
 public:
  AttributePath() = default;  // the value itself
  AttributePath(Runtime& rt, const Value& path);
  // One path for each part that a comma divides.
  static std::vector<AttributePath> list(Runtime& rt, const Value& paths);

  // `otherwise` replaces undefined values on the way, unless missing or none.
  Value get(Runtime& rt, Value value, const Value& otherwise = Value()) const;

 private:
  std::vector<Value> parts_;
};

// Strings in lower case, other values as they are: how the filters that sort and compare treat them by
// default.
Value ignore_case(Runtime& rt, const Value& value);

}  // namespace cistern::text::jinja
