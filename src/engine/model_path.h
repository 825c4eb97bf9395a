// Where models are looked for by name. resolve_model() of engine.h is resolve_model_in() on the directory
// that the environment names; the parts are here for the tests and for listing. Reads directories, opens no
// model.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace cistern::engine {

// $CISTERN_MODELS, else $XDG_DATA_HOME/cistern/models, else $HOME/.local/share/cistern/models. Empty when
// none of the three variables is set.
std::string models_directory();

// File names in `directory` that end in .gguf, sorted; of a split model only the first part. Empty when the
// directory does not exist or cannot be read.
std::vector<std::string> list_models(const std::string& directory);

// See resolve_model in engine.h. An existing path, or anything with a '/', is a path; else `name` must be a
// file of `directory`, with or without .gguf, or the beginning of exactly one.
Result<std::string> resolve_model_in(const std::string& name, const std::string& directory);

}  // namespace cistern::engine
