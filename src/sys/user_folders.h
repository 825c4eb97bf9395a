// Where the user keeps what a program of theirs remembers (XDG base directory specification), with this
// program's own folder at the end. Reads the environment, makes nothing.
#pragma once

#include <string>
#include <string_view>

namespace cistern::sys {

enum class UserFolder {
  kCache,   // $XDG_CACHE_HOME, else ~/.cache
  kConfig,  // $XDG_CONFIG_HOME, else ~/.config
  kState,   // $XDG_STATE_HOME, else ~/.local/state
};

// "/home/somebody/.cache/cistern/NAME". Empty: the environment names no place.
std::string user_file(UserFolder folder, std::string_view name);

}  // namespace cistern::sys
