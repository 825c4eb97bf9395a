// Tools for models whose chat template knows none: they are described in the system message, and called by
// the generic format of answers (text/answer/). Pure.
#pragma once

#include <boost/json/array.hpp>

namespace cistern::serve {

boost::json::array with_tools_described(boost::json::array messages, const boost::json::array& tools);

}  // namespace cistern::serve
