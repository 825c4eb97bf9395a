#include "tools/machine_cache.h"

#include "sys/user_folders.h"
#include "tools/json_out.h"
#include "tools/kept_json.h"

namespace cistern::tools {
std::string machine_cache_path() {
  return sys::user_file(sys::UserFolder::kCache, "machine.json");
}

std::optional<MachineFigures> read_machine_cache(const std::string& path, const boost::json::object& key) {
  const boost::json::object document = read_kept(path);
  const boost::json::value* kept_key = document.if_contains("key");
  const boost::json::value* figures = document.if_contains("figures");
  if (kept_key == nullptr || figures == nullptr || !figures->is_object()) return std::nullopt;
  // As text: a number has one spelling, and what is written as 8.0 is read back as 8.
  if (to_json(*kept_key) != to_json(key)) return std::nullopt;
  return figures_from_json(figures->get_object());
}

bool write_machine_cache(const std::string& path, const boost::json::object& key,
                         const MachineFigures& figures) {
  return write_kept(path, {{"key", key}, {"figures", figures_json(figures)}});
}

}  // namespace cistern::tools
