// The figures of `cistern machine` from last time, in a small JSON file in the user's cache folder
// ($XDG_CACHE_HOME/cistern, else $HOME/.cache/cistern). They count only for the same processor, limits and
// way of measuring, which are the key. What is damaged, too old or unreadable is as good as absent; what
// cannot be written is not kept. Single-threaded.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>

#include "tools/machine_figures.h"

namespace cistern::tools {

std::string machine_cache_path();  // empty: the environment names no place

std::optional<MachineFigures> read_machine_cache(const std::string& path, const boost::json::object& key);
// Whether it was kept. Makes the folder.
bool write_machine_cache(const std::string& path, const boost::json::object& key,
                         const MachineFigures& figures);

}  // namespace cistern::tools
