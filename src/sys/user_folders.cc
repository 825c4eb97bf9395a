#include "sys/user_folders.h"

#include <array>
#include <cstdlib>

namespace cistern::sys {
namespace {

struct Place {
  const char* variable;
  const char* below_home;
};
constexpr std::array<Place, 3> kPlaces = {{
    {"XDG_CACHE_HOME", "/.cache"},
    {"XDG_CONFIG_HOME", "/.config"},
    {"XDG_STATE_HOME", "/.local/state"},
}};

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

std::string user_file(UserFolder folder, std::string_view name) {
  const Place& place = kPlaces[static_cast<std::size_t>(folder)];
  const std::string file = "/cistern/" + std::string(name);
  // Relative paths in these variables are to be ignored, says the specification.
  if (const std::string named = environment(place.variable); named.starts_with('/')) return named + file;
  if (const std::string home = environment("HOME"); !home.empty()) return home + place.below_home + file;
  return "";
}

}  // namespace cistern::sys
