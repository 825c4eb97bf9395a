// What names and digests may be that come from the network or the command line before they reach the file
// system: one plain file name, never a path. Used by the readers of sources and listings. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace cistern::fetch {

// The name under which a file is kept. kFormat: it has a '/', a control byte or one beyond ASCII, begins with
// '.' or '-', is longer than file systems take with what is added while it is downloaded, or does not end in
// .gguf.
Result<std::string> model_file_name(std::string_view name);

// A path inside a repository: parts of plain characters between '/'. kFormat: absolute, "..", control bytes,
// too long.
Result<void> check_repository_path(std::string_view path);

// 64 hexadecimal digits, in lower case. kUsage: anything else.
Result<std::string> sha256_text(std::string_view text);

}  // namespace cistern::fetch
