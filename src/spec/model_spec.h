// What a model is, as pure data: layers, dimensions, rope tables, and the tensors it needs with their shapes.
// Made from a file's metadata by one small builder per architecture (registry.h); read by the planner, the
// tensor check, the decoder and the tools. Holds no weights and runs nothing. Plain value, immutable after
// building.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "file/inventory.h"
#include "tensor/shape.h"

namespace cistern::spec {

// How a head's values are paired for rotation: (2i, 2i + 1), or (i, i + dims / 2).
enum class RopeStyle { kInterleaved, kHalfSplit };

// Rotary position embedding (Su et al. 2021) with every scaling folded into the frequencies.
struct RopeSpec {
  RopeStyle style = RopeStyle::kHalfSplit;
  std::uint32_t dims = 0;       // rotated values of a head, even; the rest passes through
  std::vector<float> inv_freq;  // dims / 2: the angle of pair i at position p is p * inv_freq[i]
  std::vector<float>
      inv_freq_long;  // LongRoPE: used instead when the sequence outgrows original_context; else empty
  std::uint32_t original_context = 0;
  float attention_factor = 1.0F;  // multiplies sin and cos (YaRN, LongRoPE)
};

struct AttentionSpec {
  std::uint32_t n_heads = 0;
  std::uint32_t n_kv_heads = 0;
  std::uint32_t head_dim = 0;   // of queries and keys
  std::uint32_t value_dim = 0;  // of values
  float scale = 0;              // of the scores before softmax
  float softcap = 0;            // scores become cap * tanh(score / cap); 0: off
  std::uint32_t window = 0;     // tokens that a query sees, itself included; 0: all before it
  std::uint32_t rope = 0;       // index into ModelSpec::ropes
};

enum class Activation { kSilu, kGeluTanh };

struct FfnSpec {
  std::uint32_t hidden = 0;
  Activation activation = Activation::kSilu;  // of the gate
};

struct LayerSpec {
  AttentionSpec attention;
  FfnSpec ffn;
};

// The part a tensor plays. Names follow the papers; *_bias, fused and *_norm tensors may be absent in a
// layer.
enum class Role : std::uint8_t {
  kTokenEmbedding,
  kOutputNorm,
  kOutput,
  kRopeFactors,
  kAttnNorm,
  kWq,
  kWk,
  kWv,
  kWqkv,
  kWo,
  kBq,
  kBk,
  kBv,
  kBqkv,
  kBo,
  kQNorm,
  kKNorm,
  kPostAttnNorm,
  kFfnNorm,
  kWGate,
  kWUp,
  kWGateUp,
  kWDown,
  kBGate,
  kBUp,
  kBDown,
  kPostFfnNorm,
};
inline constexpr int kRoleCount = static_cast<int>(Role::kPostFfnNorm) + 1;

// For reports: "embedding", "attention", "ffn", "norm", "output", "other".
std::string_view group_of(Role role) noexcept;

inline constexpr int kNoLayer = -1;

struct TensorSpec {
  std::string name;
  Shape shape;  // (columns, rows)
  Role role = Role::kTokenEmbedding;
  int layer = kNoLayer;
  bool optional = false;
};

struct ModelSpec {
  std::string arch;
  std::uint32_t dim = 0;  // of the residual stream
  std::uint32_t n_vocab = 0;
  std::uint32_t context_tokens = 0;  // the longest sequence it was made for
  float norm_eps = 0;
  float embedding_scale = 1.0F;
  float logit_softcap = 0;  // 0: off
  std::vector<RopeSpec> ropes;
  std::vector<LayerSpec> layers;
  std::vector<TensorSpec> tensors;
  bool tied_output = false;  // the output head is the token embedding

  // Whether a sequence of this length needs the long rope frequencies.
  bool needs_long_rope(std::uint64_t tokens) const;
};

// The spec of a model file, its tensors checked against it: all there, of the right shape, of a type that can
// be computed with. Errors name file, key or tensor, and offset; kUnsupported lists the known architectures.
Result<ModelSpec> read_model_spec(const file::Inventory& inventory);

// The spec of a model that is yet to be written, from its metadata alone: `tensors` lists what such a file
// holds, with every optional tensor of the architecture, for the writer to choose from.
Result<ModelSpec> plan_model_spec(const file::Inventory& metadata_only);

}  // namespace cistern::spec
