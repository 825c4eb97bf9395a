#include "plan/placement.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <vector>

namespace cistern::plan {
namespace {

// What is read ahead of the layer at hand: enough to keep a disk busy while that layer is computed.
constexpr std::uint64_t kReadAheadBytes = 16ULL << 20U;
// A tensor smaller than a page costs as much to read as to keep.
constexpr std::uint64_t kSmallestStreamed = 4096;
// Steps between keeping all and streaming all.
constexpr int kShares = 256;

using Tensors = std::vector<std::size_t>;

// The tensors of a model by what can be done with them.
struct Kinds {
  Tensors kept;                 // always
  std::vector<Tensors> layers;  // may be streamed; of each layer, the largest first
  std::vector<file::CachedStack> stacks;
  Tensors looked_up;
};

Kinds kinds_of(const spec::ModelSpec& model, const file::Inventory& inventory) {
  Kinds kinds;
  kinds.layers.resize(model.layers.size());
  for (const spec::TensorSpec& tensor : model.tensors) {
    const file::TensorInfo* info = inventory.find(tensor.name);
    if (info == nullptr) continue;
    const auto index = static_cast<std::size_t>(info - inventory.tensors().data());
    if (spec::is_looked_up(model, tensor.role)) {
      kinds.looked_up.push_back(index);
    } else if (spec::is_expert_stack(tensor.role)) {
      const spec::MoeSpec& moe = *model.layers[static_cast<std::size_t>(tensor.layer)].ffn->moe;
      kinds.stacks.push_back({.tensor = index, .slice_rows = tensor.shape.dim(1), .used = moe.n_used});
    } else if (tensor.layer == spec::kNoLayer || tensor.is_index || info->shape.rows() == 1 ||
               info->size_bytes < kSmallestStreamed) {
      kinds.kept.push_back(index);
    } else {
      kinds.layers[static_cast<std::size_t>(tensor.layer)].push_back(index);
    }
  }
  for (Tensors& layer : kinds.layers) {
    std::ranges::stable_sort(layer, std::ranges::greater(),
                             [&](std::size_t i) { return inventory.tensors()[i].size_bytes; });
  }
  return kinds;
}

// Streams `share` of what may be streamed, spread over the layers as evenly as whole tensors allow.
void split_layers(const Kinds& kinds, const file::Inventory& inventory, double share,
                  file::Placement& placement) {
  placement.resident = kinds.kept;
  placement.streamed.clear();
  double owed = 0;  // bytes that should have been streamed so far and were not
  for (const Tensors& layer : kinds.layers) {
    for (const std::size_t i : layer) owed += share * static_cast<double>(inventory.tensors()[i].size_bytes);
    Tensors streamed;
    for (const std::size_t i : layer) {
      const auto bytes = static_cast<double>(inventory.tensors()[i].size_bytes);
      const bool stream = share >= 1 || bytes <= owed;
      if (stream) owed -= bytes;
      (stream ? streamed : placement.resident).push_back(i);
    }
    if (!streamed.empty()) placement.streamed.push_back(std::move(streamed));
  }
  std::uint64_t largest = 0;
  for (const Tensors& group : placement.streamed)
    largest = std::max(largest, file::lay_out(inventory, group).bytes);
  placement.window_bytes = placement.streamed.empty() ? 0 : largest + kReadAheadBytes;
}

// The least that runs a layer well: room for the experts of a token and one more, and for the fewest that are
// read while others are computed with, in every class of slots.
constexpr std::uint32_t kLeastSlices = 4;

std::uint64_t least_cache(std::span<const file::SlotClass> classes, const file::Placement& placement) {
  const std::uint64_t all = file::all_slots_bytes(classes);
  double part = 0;
  std::uint64_t rounding = 0;
  for (const file::SlotClass& c : classes) {
    // At most the three stacks of a layer are of one class, each of the same number of matrices.
    constexpr std::uint64_t kStacksPerLayer = 3;
    const file::CachedStack& stack = placement.cached[c.stacks.front()];
    const std::uint64_t needed =
        std::max(stack.used + 1, kLeastSlices) * std::min<std::uint64_t>(kStacksPerLayer, c.stacks.size());
    part = std::max(part, static_cast<double>(needed) / static_cast<double>(c.n_slices));
    rounding += c.slot_bytes;
  }
  return std::min(all, static_cast<std::uint64_t>(std::ceil(static_cast<double>(all) * part)) + rounding);
}

file::Placement without_layers(const Kinds& kinds, std::uint32_t lookup_tokens) {
  file::Placement placement;
  placement.cached = kinds.stacks;
  placement.looked_up = kinds.looked_up;
  placement.lookup_tokens = lookup_tokens;
  return placement;
}

}  // namespace

std::optional<file::Placement> place_weights(const spec::ModelSpec& model, const file::Inventory& inventory,
                                             std::uint64_t room_bytes, std::uint32_t lookup_tokens) {
  const Kinds kinds = kinds_of(model, inventory);
  file::Placement placement = without_layers(kinds, lookup_tokens);
  const std::vector<file::SlotClass> classes = file::slot_classes(inventory, placement);
  const std::uint64_t all_experts = file::all_slots_bytes(classes);
  const std::uint64_t least_experts = least_cache(classes, placement);
  for (int share = 0; share <= kShares; ++share) {
    split_layers(kinds, inventory, static_cast<double>(share) / kShares, placement);
    placement.cache_bytes = 0;
    const std::uint64_t taken = placed_bytes(inventory, placement);
    if (taken + least_experts > room_bytes) continue;
    placement.cache_bytes = std::min(all_experts, room_bytes - taken);
    return placement;
  }
  return std::nullopt;
}

std::uint64_t least_room(const spec::ModelSpec& model, const file::Inventory& inventory,
                         std::uint32_t lookup_tokens) {
  const Kinds kinds = kinds_of(model, inventory);
  file::Placement placement = without_layers(kinds, lookup_tokens);
  placement.cache_bytes = least_cache(file::slot_classes(inventory, placement), placement);
  std::uint64_t least = ~std::uint64_t{0};
  // A window may be larger than what it saves.
  for (const double share : {0.0, 1.0}) {
    split_layers(kinds, inventory, share, placement);
    least = std::min(least, placed_bytes(inventory, placement));
  }
  return least;
}

std::uint64_t placed_bytes(const file::Inventory& inventory, const file::Placement& placement) {
  return file::lay_out(inventory, placement.resident).bytes + placement.window_bytes + placement.cache_bytes +
         file::lookup_bytes(inventory, placement);
}

std::uint64_t bytes_per_token(const file::Inventory& inventory, const file::Placement& placement) {
  std::uint64_t sum = 0;
  for (const Tensors& group : placement.streamed) sum += file::lay_out(inventory, group).bytes;
  for (const file::SlotClass& c : file::slot_classes(inventory, placement)) {
    const double missed = 1 - static_cast<double>(c.n_slots) / static_cast<double>(c.n_slices);
    for (const std::size_t i : c.stacks)
      sum +=
          static_cast<std::uint64_t>(missed * static_cast<double>(placement.cached[i].used * c.slice_bytes));
  }
  return sum;
}

}  // namespace cistern::plan
