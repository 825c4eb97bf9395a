// Where the bytes of each tensor are while a model runs that is larger than the memory it gets: kept,
// streamed from disk in the order of the layers, or read slice by slice. Data alone: decided by plan/,
// carried out by store/; the sizes of its parts are computed here for both.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "file/extents.h"
#include "file/inventory.h"

namespace cistern::file {

// A stack whose matrices are kept as long as they are worth it: the experts of a layer.
struct CachedStack {
  std::size_t tensor = 0;
  std::uint64_t slice_rows = 0;  // of a matrix
  std::uint32_t used = 0;        // of its matrices, by each token
};

struct Placement {
  std::vector<std::size_t> resident;               // read once, kept
  std::vector<std::vector<std::size_t>> streamed;  // what a layer streams, layer after layer; none is empty
  std::vector<CachedStack> cached;                 // experts
  std::vector<std::size_t> looked_up;              // tables of which a step reads a row per token

  std::uint64_t window_bytes = 0;   // that streamed tensors pass through
  std::uint64_t cache_bytes = 0;    // for slices of the cached stacks
  std::uint32_t lookup_tokens = 0;  // rows looked up at once
};

// Slices of one size, which take each other's place.
struct SlotClass {
  std::uint64_t slice_bytes = 0;
  std::uint64_t slot_bytes = 0;     // with what alignment costs
  std::uint64_t n_slices = 0;       // there are in all
  std::uint64_t n_slots = 0;        // there is room for
  std::vector<std::size_t> stacks;  // positions in Placement::cached
};

// How the memory of the cache is shared among slices of different sizes: each class gets the same part of
// what it would fill.
std::vector<SlotClass> slot_classes(const Inventory& inventory, const Placement& placement);

// Memory of a cache that has room for every slice.
std::uint64_t all_slots_bytes(std::span<const SlotClass> classes);

// How many matrices a stack has.
std::uint64_t slices_of(const Inventory& inventory, const CachedStack& stack);

// Memory that looked-up rows take.
std::uint64_t lookup_bytes(const Inventory& inventory, const Placement& placement);

}  // namespace cistern::file
