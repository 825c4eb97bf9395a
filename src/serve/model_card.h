// What clients are told of a model: read off its file, without loading it. Pure but for the date of the file;
// thread-safe.
#pragma once

#include "base/error.h"
#include "file/inventory.h"
#include "serve/backend.h"
#include "serve/offered_models.h"
#include "spec/model_spec.h"

namespace cistern::serve {

// Of files that are open; `spec` is theirs.
ModelInfo model_card(const Offer& offer, const file::ModelFiles& files, const spec::ModelSpec& spec);

// Opens the files for as long as this takes. The errors of a model that cannot be run.
Result<ModelInfo> read_model_card(const Offer& offer);

}  // namespace cistern::serve
