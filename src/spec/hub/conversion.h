// What every family's reader of a published configuration needs: the fields, the metadata they become, and
// the parts that most families have in common. A reader calls the parts that its models consist of and then
// sets what is particular. Internal to spec/hub/. Lives for one read_hub_config() call.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "spec/hub/fields.h"
#include "spec/hub/metadata_keys.h"
#include "spec/model_spec.h"

namespace cistern::spec::hub {

// Bounds that no model comes near; what is beyond them is damage.
inline constexpr Bounds kLayerCount = {1, 1U << 10U};
inline constexpr Bounds kWidth = {1, 1U << 20U};
inline constexpr Bounds kMaybeWidth = {0, 1U << 20U};
inline constexpr Bounds kTokenCount = {1, ~std::uint32_t{0}};
inline constexpr Bounds kVocabulary = {1, 1U << 24U};
inline constexpr Bounds kExpertCount = {1, 1U << 14U};

struct Conversion {
  Fields config;
  std::string arch;  // general.architecture
  MetadataKeys keys = {};
  std::vector<Role> also = {};          // optional tensors of the architecture that these models have
  bool keys_are_values = false;         // layers without a window have no tensor of values
  bool own_further_embeddings = false;  // the layer that predicts further tokens has embedding and head

  std::uint32_t layers = 0;
  std::uint32_t dim = 0;
  std::uint32_t heads = 0;
  std::uint32_t kv_heads = 0;
  std::uint32_t head_dim = 0;
};

// Layers, width, vocabulary, context, epsilon and base of the rope; whether the output head is its own.
// `tied` is what the family does where the configuration says nothing.
Result<void> read_model(Conversion& c, bool tied = false);

// Heads of grouped-query attention, rotated part of a head.
Result<void> read_heads(Conversion& c);

// Hidden values of the dense block; layers that have experts instead may leave it out.
Result<void> read_dense_ffn(Conversion& c);

// A sliding window where the configuration sets one.
Result<void> read_window(Conversion& c);

// Which layers have the window: layer_types, or else a period of which the last layer has none.
Result<void> read_window_layers(Conversion& c, std::uint32_t period);

// For each layer whether its layer_types is `name`; empty where there are no layer_types.
Result<std::vector<bool>> layers_of_type(const Conversion& c, std::string_view name);

// Biases of attention (attention_bias) and of the feed-forward block (mlp_bias).
Result<void> read_biases(Conversion& c);

struct Experts {
  std::uint32_t count = 0;
  std::uint32_t used = 0;
  std::uint32_t hidden = 0;
};
// A mixture of experts: how many, how many of them a token takes, their hidden values.
Result<Experts> read_experts(Conversion& c);

// Shared experts, as a number of experts of the same size or in hidden values.
Result<void> read_shared_experts(Conversion& c, const Experts& experts);

// Leading layers without experts, groups, how the chosen are weighed.
Result<void> read_routing(Conversion& c);

// Latent attention.
Result<void> read_latent_attention(Conversion& c);

// Layers that predict further tokens, which lie behind the others.
Result<void> read_further_layers(Conversion& c, Names names);

}  // namespace cistern::spec::hub
