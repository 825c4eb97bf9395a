// What the models of an architecture have in common whatever their dimensions: numbers of experts, sizes of
// latent attention and of recurrent blocks, patterns of layers, optional tensors. Sizes are parts of those of
// the shape, in the proportions of published models. Used by shape.cc, metadata.cc and model.cc. Pure data.
#pragma once

#include <span>
#include <string_view>

#include "engine/synthetic/trait.h"
#include "spec/model_spec.h"

namespace cistern::engine {

struct Habits {
  std::string_view arch;
  bool tied = false;  // the output head is the token embedding
  std::uint32_t window = 0;
  // Of ModelShape's numbers of the same names.
  struct Experts {
    Amount count, used, ffn, shared;
  };
  struct Latent {
    Amount q_rank, kv_rank;
  };
  Experts experts = {};
  Latent latent = {};
  Amount rope_dim = {};                   // 0: the whole head
  std::span<const Trait> traits = {};     // metadata
  std::span<const spec::Role> also = {};  // optional tensors that its models have
};

// Without a row of its own an architecture has no habits.
const Habits& habits_of(std::string_view arch) noexcept;

}  // namespace cistern::engine
