// Which weights stay in memory, which are streamed and which are read as experts are chosen, when there is
// less room than the model has bytes. What every token reads comes first: those tensors stay as far as they
// fit, the rest of them is streamed, the same share of every layer, so that the disk has something to read
// while each is computed. What is left caches experts. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "file/inventory.h"
#include "file/placement.h"
#include "spec/model_spec.h"

namespace cistern::plan {

// How weights are best placed in `room_bytes` of memory; nothing when that is not enough. Steps look up
// `lookup_tokens` rows of a table at once.
std::optional<file::Placement> place_weights(const spec::ModelSpec& model, const file::Inventory& inventory,
                                             std::uint64_t room_bytes, std::uint32_t lookup_tokens);

// The least room with which place_weights() gives a placement.
std::uint64_t least_room(const spec::ModelSpec& model, const file::Inventory& inventory,
                         std::uint32_t lookup_tokens);

// Memory that the weights take so.
std::uint64_t placed_bytes(const file::Inventory& inventory, const file::Placement& placement);

// Bytes that a token makes the disk read, when experts are chosen as if at random.
std::uint64_t bytes_per_token(const file::Inventory& inventory, const file::Placement& placement);

}  // namespace cistern::plan
