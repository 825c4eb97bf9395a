// A model's tensors as another mix of types would have them: what a smaller or a better quant of the same
// model takes. Called by the plan command. Pure.
#pragma once

#include <string_view>

#include "base/error.h"
#include "file/inventory.h"
#include "spec/model_spec.h"

namespace cistern::spec::hub {

// Of the tensors that `model` uses and `inventory` has. Without data; names and metadata are views into what
// those of `inventory` are views into. Errors: those of find_quant() and pack().
Result<file::Inventory> repacked(const ModelSpec& model, const file::Inventory& inventory,
                                 std::string_view quant);

}  // namespace cistern::spec::hub
