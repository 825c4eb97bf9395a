// What people and scripts see of a model that runs from disk: the verdict and its forecast before it is
// loaded, progress while it is, and what the disk gave afterwards.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "engine/engine.h"

namespace cistern::tools {

// Makes loading tell about itself on stderr, and remember the experts that were wanted most in the user's
// cache folder.
void show_streaming(engine::LoadOptions& options);

// "disk 1.10 GiB per token at 1.05 GB/s, 87% of the time waiting". REQUIRES: stats.streaming.
std::string disk_line(const engine::Stats& stats);
boost::json::object disk_json(const engine::Stats& stats);

}  // namespace cistern::tools
