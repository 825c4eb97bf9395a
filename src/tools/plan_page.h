// `cistern plan --html`: the document of `cistern plan --json` as one self-contained page, for screens of any
// width, light and dark, and for paper. The page loads nothing; its one script sorts the comparison table.
// Whatever the document holds, the result is well-formed HTML that shows its texts as texts. Pure: no I/O.
#pragma once

#include <boost/json/fwd.hpp>
#include <string>

namespace cistern::tools {

std::string plan_page(const boost::json::object& plan);

}  // namespace cistern::tools
