// The loop of every --jsonl command: one JSON object per line in, one per line out, in order. A line that is
// no object, or that cannot be answered, gets {"error": "..."} and the loop goes on.
#pragma once

#include <boost/json/object.hpp>
#include <functional>

#include "base/error.h"

namespace cistern::tools {

using JsonLineAnswer = std::function<Result<boost::json::object>(const boost::json::object&)>;

// 0 when all lines of stdin were answered. Blank lines are skipped.
Result<int> answer_json_lines(const JsonLineAnswer& answer);

}  // namespace cistern::tools
