// How the weights of a tensor are drawn: by its role, so that activations keep their size from layer to
// layer and every block does something. Used by SyntheticModelWriter. Pure.
#pragma once

#include <cstdint>

#include "engine/synthetic/shape.h"
#include "spec/model_spec.h"

namespace cistern::engine {

enum class WeightKind : std::uint8_t {
  kMatrix,   // of the model's type
  kNarrow,   // of the model's type if rows are whole blocks of it, else Q8_0
  kFloats,   // F32 in every model: norms, biases, small tables, routers
  kIndices,  // I32: rows of distinct numbers below `bound`
  kRanks,    // F32: -deviation * ln of ranks 1 to the number of values, in a random order
};

struct WeightDraw {
  WeightKind kind = WeightKind::kMatrix;
  float mean = 0;
  float deviation = 0;
  std::uint32_t bound = 0;  // of kIndices
};

WeightDraw weight_draw(const spec::TensorSpec& tensor, const ModelShape& shape);

}  // namespace cistern::engine
