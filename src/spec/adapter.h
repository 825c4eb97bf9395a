// Low-rank adapters (LoRA, Hu et al. 2021) as pure data: which tensors of a model a GGUF adapter changes and
// by how much. For a tensor W with the pair A, B a product becomes W x + scale * B (A x); W itself stays as
// it is. Read once at load, when the model's spec is known; the planner counts what the pairs need, the
// decoder binds them. Everything in the file is used or refused by name. Plain value, immutable after
// reading.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/error.h"
#include "file/inventory.h"
#include "spec/model_spec.h"

namespace cistern::spec {

// How a tensor is used, as far as an adapter of it is concerned.
enum class AdapterUse {
  kNone,     // a norm, a bias, a table: no low-rank pair
  kProduct,  // a matrix that every token meets
  kLookup,   // a table of rows: A has a row of `rank` values per row of the table
  kExperts,  // a stack of matrices, each with a pair of its own
  kHeads,    // a stack of matrices for the heads of every token; either side may be shared by all
};
AdapterUse adapter_use(Role role) noexcept;

// The pair of one tensor.
struct LowRankPair {
  Role role = Role::kTokenEmbedding;
  int layer = kNoLayer;
  std::size_t a = 0;  // positions in the adapter's Inventory::tensors()
  std::size_t b = 0;
  std::uint64_t rank = 0;
  std::uint64_t cols = 0;       // of what A multiplies; of a lookup: rank
  std::uint64_t per_token = 1;  // matrices of a stack that a token meets
  float scale = 0;              // alpha / rank, times what was asked for
  std::uint64_t bytes = 0;      // of A and B
};

struct AdapterSpec {
  std::vector<LowRankPair> pairs;
};

// Checks the adapter against the model that it is for; errors name file, tensor or key, and reason. With a
// scale of 0 there are no pairs: it changes nothing. REQUIRES: `model` was read from `base`.
Result<AdapterSpec> read_adapter(const file::Inventory& adapter, const ModelSpec& model,
                                 const file::Inventory& base, float scale);

}  // namespace cistern::spec
