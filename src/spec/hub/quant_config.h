// What a published configuration says of how its weights are packed: quantization_config and quantization, in
// the forms of AWQ, GPTQ, bitsandbytes, FP8, compressed-tensors, EXL, MLX and MXFP4. Internal to spec/hub/.
#pragma once

#include <optional>

#include "base/error.h"
#include "spec/hub/fields.h"
#include "spec/hub/quant_mix.h"

namespace cistern::spec::hub {

// Nothing where it says nothing, or nothing that is known; kFormat: absurd numbers.
Result<std::optional<QuantMix>> quant_of_config(const Fields& config);

}  // namespace cistern::spec::hub
