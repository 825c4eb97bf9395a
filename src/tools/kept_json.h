// A small JSON file in which a command keeps what it would have to measure again. What is damaged, too large
// or unreadable is as good as absent; what cannot be written is not kept. Single-threaded.
#pragma once

#include <boost/json/object.hpp>
#include <string>

namespace cistern::tools {

// Empty: nothing is kept there. An empty path names no place.
boost::json::object read_kept(const std::string& path);

// Whether it was kept. Makes the folder; a reader sees the old file or the new one, whole.
bool write_kept(const std::string& path, const boost::json::object& document);

}  // namespace cistern::tools
