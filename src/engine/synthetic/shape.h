// The dimensions of a model to be made up, and a table of those of known models. Used by make-model, bench
// and tests. A shape says nothing about weight types. Numbers of experts and of latent attention that are 0
// are what the architecture is known for (habits.h). Plain values; pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/synthetic/trait.h"

namespace cistern::engine {

struct ModelShape {
  std::string_view name;            // as in `--shape`
  std::string_view arch = "llama";  // general.architecture; the characters must outlive the shape
  std::uint32_t layers = 0;
  std::uint32_t dim = 0;  // of the residual stream
  std::uint32_t ffn = 0;  // hidden values of the feed-forward block
  std::uint32_t heads = 0;
  std::uint32_t kv_heads = 0;
  std::uint32_t head_dim = 0;
  std::uint32_t vocab = 0;           // tokens
  std::uint32_t context_tokens = 0;  // the longest sequence
  float rope_base = 10000.0F;
  bool tied = false;         // the output head is the token embedding
  std::uint32_t window = 0;  // sliding window in tokens; which layers have it, the architecture says; 0: none
  // Of a mixture of experts.
  std::uint32_t experts = 0;
  std::uint32_t experts_used = 0;    // by a token
  std::uint32_t expert_ffn = 0;      // hidden values of an expert
  std::uint32_t shared_experts = 0;  // that every token takes
  // Of latent attention, where head_dim is the size of a head's unrotated part and of its values.
  std::uint32_t q_rank = 0;            // of the compressed queries
  std::uint32_t kv_rank = 0;           // of the latent
  std::uint32_t rope_dim = 0;          // rotated values of a head, with other attention too
  std::span<const Trait> traits = {};  // what this model has otherwise than others of the architecture
  // Routers prefer some experts: the expert of rank r in its layer gets a bias of -router_skew * ln r, which
  // makes its probability fall as in Zipf's law; 0: no biases.
  float router_skew = 0;
  bool mtp = false;  // a layer more, which predicts a further token
};

std::span<const ModelShape> model_shapes() noexcept;

// kUsage: no such shape, with the nearest name; kUnsupported: one whose architecture is not there yet.
Result<ModelShape> find_shape(std::string_view name);

// Turns the shape into one of another architecture: with the window and the tied output that it is known for.
void set_architecture(ModelShape& shape, std::string_view arch);

// The shape with what it leaves to the architecture filled in.
ModelShape completed(ModelShape shape);

// Whether a model of this shape can exist. Error (kUsage) names the option of make-model to change.
Result<void> check_shape(const ModelShape& shape);

}  // namespace cistern::engine
