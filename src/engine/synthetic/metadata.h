// The metadata of a made-up model. Called by SyntheticModelWriter. Pure.
#pragma once

#include <cstdint>

#include "engine/synthetic/shape.h"
#include "file/gguf_writer.h"
#include "tensor/dtype.h"

namespace cistern::engine {

// Writes what says which model it is, its dimensions, what its architecture is in the habit of, and its
// vocabulary. REQUIRES: a shape that is completed() and passes check_shape().
void add_metadata(file::GgufWriter& gguf, const ModelShape& shape, DType dtype, std::uint64_t seed);

}  // namespace cistern::engine
