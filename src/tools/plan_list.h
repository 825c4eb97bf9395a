// cistern plan --list: the models and the hardware that have a name. Pure: text out, no I/O.
#pragma once

#include <boost/json/array.hpp>
#include <string>

#include "plan/catalogue.h"

namespace cistern::tools {

boost::json::array models_json();
std::string models_text();
boost::json::array hardware_json(const plan::Catalogue& catalogue);
std::string hardware_text(const plan::Catalogue& catalogue);

}  // namespace cistern::tools
