// What a token of a model must do on a machine that is only named (plan/time_model.h), counted from the same
// spec, tensors and cache that memory is planned with. Pure.
#pragma once

#include <string_view>

#include "file/inventory.h"
#include "kv/cache_shape.h"
#include "plan/time_model.h"
#include "spec/model_spec.h"

namespace cistern::plan {

struct WorkQuestion {
  double decode_depth = 0;  // tokens in the cache, the mean while tokens are generated
  double prompt_depth = 0;
  double prompt_tokens = 512;
  bool flash_attention = true;
};

// `cache` is of the model, with any context; `quant` is the name of its mix.
Work model_work(const spec::ModelSpec& model, const file::Inventory& inventory, const kv::CacheShape& cache,
                std::string_view quant, const WorkQuestion& question);

}  // namespace cistern::plan
