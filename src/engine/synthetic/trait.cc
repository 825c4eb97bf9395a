#include "engine/synthetic/trait.h"

#include <algorithm>

#include "engine/synthetic/shape.h"

namespace cistern::engine {
namespace {

std::uint64_t size_of(Of of, const ModelShape& shape) {
  switch (of) {
    case Of::kOne:
      return 1;
    case Of::kLayers:
      return shape.layers;
    case Of::kDim:
      return shape.dim;
    case Of::kFfn:
      return shape.ffn;
    case Of::kHeads:
      return shape.heads;
    case Of::kKvHeads:
      return shape.kv_heads;
    case Of::kHeadDim:
      return shape.head_dim;
  }
  return 0;
}

}  // namespace

std::uint32_t Amount::in(const ModelShape& shape) const {
  const std::uint64_t share = size_of(of, shape) * times / over / step * step;
  return std::max(static_cast<std::uint32_t>(share), least);
}

}  // namespace cistern::engine
