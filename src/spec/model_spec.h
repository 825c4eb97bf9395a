// What a model is, as pure data: layers, dimensions, rope tables, and the tensors it needs with their shapes.
// Made from a file's metadata by one small builder per architecture (registry.h); read by the planner, the
// tensor check, the decoder and the tools. Holds no weights and runs nothing. Plain value, immutable after
// building.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "file/inventory.h"
#include "tensor/shape.h"

namespace cistern::spec {

// RMSNorm (Zhang & Sennrich 2019) or LayerNorm (Ba et al. 2016).
enum class NormKind { kRms, kLayer };

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

inline constexpr std::uint32_t kNoRope = ~std::uint32_t{0};

// What a query sees of the sequence; `window` tokens each time, 0: no bound.
enum class Mask {
  kSliding,    // the window's tokens up to itself
  kChunked,    // its own chunk of `window` tokens, up to itself
  kSymmetric,  // window - 1 tokens before and after it: the encoders
};

// Normalisation of queries and keys.
enum class HeadNorm {
  kNone,
  kHeads,       // RMSNorm of each head, one weight for all
  kRow,         // RMSNorm of all heads together
  kUnweighted,  // RMSNorm of each head without a weight
  kLayerHeads,  // LayerNorm of each head, each with a weight of its own
};

// Grouped-query attention (Ainslie et al. 2023).
struct AttentionSpec {
  std::uint32_t n_heads = 0;
  std::uint32_t n_kv_heads = 0;
  std::uint32_t head_dim = 0;   // of queries and keys
  std::uint32_t value_dim = 0;  // of values
  float scale = 0;              // of the scores before softmax
  float softcap = 0;            // scores become cap * tanh(score / cap); 0: off
  Mask mask = Mask::kSliding;
  std::uint32_t window = 0;
  std::uint32_t rope = 0;  // index into ModelSpec::ropes, or kNoRope
  HeadNorm qk_norm = HeadNorm::kNone;
  bool norm_after_rope = false;
  bool gated = false;          // queries come with a gate of each value: head by head, query then gate
  bool values_normed = false;  // RMSNorm of each value head without a weight
  float value_scale = 1.0F;
  // Queries at position p are scaled by 1 + temperature_scale * ln(1 + floor((p + offset) / length)).
  float temperature_scale = 0;  // 0: off
  std::uint32_t temperature_length = 0;
  std::uint32_t temperature_offset = 0;
  std::uint32_t kv_layer = 0;  // the layer whose keys and values it reads; another than its own: it has none
};

// Sparse attention by an indexer (DeepSeek-AI 2025): each query attends to the top_k tokens that the indexer
// scores highest.
struct IndexerSpec {
  std::uint32_t n_heads = 0;
  std::uint32_t key_dim = 0;
  std::uint32_t top_k = 0;
  RopeStyle style = RopeStyle::kHalfSplit;
  bool shared = false;  // the layer takes the selection of the layer before it
};

// Multi-head latent attention (DeepSeek-AI 2024), in its absorbed form: the cache holds one latent and one
// rotated key per token, shared by all heads.
struct MlaSpec {
  std::uint32_t n_heads = 0;
  std::uint32_t q_rank = 0;    // of the compressed queries; 0: not compressed
  std::uint32_t kv_rank = 0;   // of the latent
  std::uint32_t nope_dim = 0;  // of a head's unrotated part
  std::uint32_t rope_dim = 0;
  std::uint32_t value_dim = 0;
  float scale = 0;
  float latent_eps = 0;    // of the norms of the latents
  std::uint32_t rope = 0;  // index into ModelSpec::ropes, or kNoRope
  std::optional<IndexerSpec> indexer;

  std::uint32_t key_dim() const { return kv_rank + rope_dim; }  // of a cached row
};

// Attention of DeepSeek V4 (DeepSeek-AI 2026): one key-value head, the keys being the values too; a sliding
// window with sinks, and behind it tokens compressed `ratio` to one.
struct CompressedSpec {
  std::uint32_t n_heads = 0;
  std::uint32_t head_dim = 0;
  std::uint32_t rope_dim = 0;  // at the end of a head; the result is rotated back
  std::uint32_t q_rank = 0;    // of the compressed queries
  std::uint32_t window = 0;
  std::uint32_t out_groups = 0;  // heads of a group are projected to out_rank values together
  std::uint32_t out_rank = 0;
  float scale = 0;
  std::uint32_t rope = 0;   // index into ModelSpec::ropes
  std::uint32_t ratio = 0;  // 0: the window is all
  bool overlap = false;     // a compressed token is made of its own tokens and the `ratio` before them
  std::optional<IndexerSpec> indexer;  // chooses compressed tokens; without it all are seen

  std::uint32_t series() const { return overlap ? 2 : 1; }
  // Projections of the latest tokens that are not compressed yet, or will be used once more: for rows of
  // `width` values.
  std::uint64_t state_floats(std::uint32_t width) const {
    return std::uint64_t{2} * series() * ratio * series() * width;
  }
};

// State space with a scalar decay per head (Dao & Gu 2024), behind a short convolution.
struct Mamba2Spec {
  std::uint32_t n_heads = 0;
  std::uint32_t head_dim = 0;  // inner_dim / n_heads
  std::uint32_t state_dim = 0;
  std::uint32_t n_groups = 0;    // of heads that share B and C
  std::uint32_t conv_width = 0;  // tokens that the convolution sees

  std::uint32_t inner_dim() const { return n_heads * head_dim; }
  std::uint32_t conv_dim() const { return inner_dim() + 2 * n_groups * state_dim; }
  // Of a projected row: the gate, then what goes through the convolution (x, B, C), then the time steps.
  std::uint32_t projected_dim() const { return inner_dim() + conv_dim() + n_heads; }
  // Of the state: the convolution's inputs, then the state space.
  std::uint64_t conv_floats() const { return std::uint64_t{conv_width - 1} * conv_dim(); }
  std::uint64_t state_floats() const { return conv_floats() + std::uint64_t{inner_dim()} * state_dim; }
};

// Gated delta rule (Yang et al. 2024), with one decay per head or, in Kimi's form, per channel.
struct DeltaNetSpec {
  std::uint32_t n_key_heads = 0;
  std::uint32_t n_value_heads = 0;
  std::uint32_t key_dim = 0;
  std::uint32_t value_dim = 0;
  std::uint32_t conv_width = 0;
  bool interleaved_heads =
      false;                   // value head h belongs to key head h / (values per key), else h % n_key_heads
  bool channel_decay = false;  // Kimi delta attention

  std::uint32_t conv_dim() const { return 2 * n_key_heads * key_dim + n_value_heads * value_dim; }
};

// Gated short convolution (Liquid AI 2025).
struct ShortConvSpec {
  std::uint32_t width = 0;  // tokens that it sees

  std::uint64_t state_floats(std::uint32_t dim) const { return std::uint64_t{width - 1} * dim; }
};

enum class Activation {
  kSilu,
  kGeluTanh,
  kGeluErf,
  kReluSquared,
  kSwigluOai,    // gpt-oss: gate * sigmoid(1.702 gate) * (up + 1), both clamped to 7
  kSiluClamped,  // silu(min(gate, limit)) * clamp(up, limit)
};

enum class Gating {
  kSoftmax,
  kSigmoid,
  kSoftmaxOfChosen,  // the softmax runs over the chosen experts only
  kSqrtSoftplus,
  kSparseMixer,  // Phi-3.5-MoE: of two, each weight from the scores near its maximum
};

// A mixture of experts (Shazeer et al. 2017).
struct MoeSpec {
  std::uint32_t n_experts = 0;
  std::uint32_t n_used = 0;
  std::uint32_t hidden = 0;    // of an expert
  std::uint32_t n_groups = 1;  // experts are chosen within the best groups (DeepSeek-AI 2024)
  std::uint32_t n_groups_used = 1;
  std::uint32_t group_best = 2;  // experts of a group that its score is the sum of: 1 or 2
  Gating gating = Gating::kSoftmax;
  bool normalize = false;           // the weights of the chosen experts add up to 1
  float scale = 1.0F;               // of the weights, last
  bool scale_input = false;         // the weight multiplies the expert's input, not its output
  std::uint32_t shared_hidden = 0;  // of the expert that every token takes; 0: none
  bool gated = true;                // experts have a gate beside up
  bool chosen_by_token = false;     // a table says which experts a token goes to; the router weighs them
  bool beside_dense = false;        // the block of FfnSpec::hidden values is there too (Gemma 4)
  std::uint32_t latent_dim = 0;     // experts read and give so many values, projected; 0: the model's width
};

struct FfnSpec {
  std::uint32_t hidden = 0;
  Activation activation = Activation::kSilu;  // of the gate
  bool gated = true;                          // activation(gate) * up, else activation(up)
  float clamp = 0;                            // limit of kSiluClamped
  // Gates become max(gate - (their mean + so many standard deviations), 0) before the activation.
  std::optional<float> sparsity;
  std::optional<MoeSpec> moe;  // instead of the one block of `hidden` values, if not beside it
};

// What mixes tokens, then what transforms each: a layer has any of them. Those that mix share the layer's
// first norm.
struct LayerSpec {
  std::optional<AttentionSpec> attention;
  std::optional<MlaSpec> mla;
  std::optional<CompressedSpec> compressed;
  std::optional<Mamba2Spec> mamba2;
  std::optional<DeltaNetSpec> delta_net;
  std::optional<ShortConvSpec> short_conv;
  std::optional<FfnSpec> ffn;

  bool mixes() const { return attention || mla || mamba2 || delta_net || short_conv; }
};

// How the blocks of a layer and the residual stream are joined.
enum class LayerKind {
  kPlain,    // one after the other
  kHyper,    // several streams, joined by hyper-connections (Xie et al. 2026)
  kGemma4,   // then an input of the layer's own; experts beside a dense block
  kGemma3n,  // around alternating updates of several residual streams
};

// Alternating updates (Baykal et al. 2023) and learned augmented residuals (Menghani et al. 2024).
struct AltUpSpec {
  std::uint32_t active_stream = 0;  // that the blocks read
  std::uint32_t laurel_rank = 0;
};

// How the final hidden states of a text become one vector. Numbered as in GGUF's pooling_type.
enum class Pooling : std::uint8_t {
  kNone,  // the file does not say
  kMean,
  kCls,   // the first token's
  kLast,  // the last token's
  kRank,  // the classifier's scores
};

// The part a tensor plays. Names follow the papers; a layer has those of its kind.
enum class Role : std::uint8_t {
  kNone,  // that no tensor plays: the bias of a weight without one
  // Of the model.
  kTokenEmbedding,
  kPositionEmbedding,
  kTokenTypes,
  kEmbeddingNorm,
  kEmbeddingNormBias,
  kOutputNorm,
  kOutputNormBias,
  kOutput,
  kOutputBias,
  kRopeFactors,
  kClassifier,
  kClassifierBias,
  kClassifierOut,
  kClassifierOutBias,
  kPerLayerEmbedding,
  kPerLayerModelProj,
  kPerLayerProjNorm,
  kAltUpProj,        // from the embedding to the streams after the first
  kAltUpUnembdProj,  // and back
  kDense2,           // of an embedding, after pooling
  kDense3,
  // Attention.
  kAttnNorm,
  kAttnNormBias,
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
  kSinks,
  kPostAttnNorm,  // of the block's output
  kAttnOutNorm,   // of the residual stream after the block
  kAttnOutNormBias,
  // Latent attention.
  kWqA,
  kQANorm,
  kWqB,
  kWkvA,
  kKvANorm,
  kWkB,
  kWvB,
  kIndexWk,
  kIndexKNorm,
  kIndexKNormBias,
  kIndexWq,
  kIndexWeights,
  // Compressed attention.
  kWoA,
  kCompressPositions,
  kCompressNorm,
  kCompressGate,
  kCompressKv,
  kIndexCompressPositions,
  kIndexCompressNorm,
  kIndexCompressGate,
  kIndexCompressKv,
  // Hyper-connections.
  kHyperOutFn,
  kHyperOutBase,
  kHyperOutScale,
  kHyperMixerFn,
  kHyperMixerBase,
  kHyperMixerScale,
  kHyperFfnFn,
  kHyperFfnBase,
  kHyperFfnScale,
  // Recurrent blocks.
  kSsmIn,
  kSsmInBias,
  kSsmConv,
  kSsmConvBias,
  kSsmDtBias,
  kSsmA,
  kSsmD,
  kSsmNorm,
  kSsmOut,
  kSsmOutBias,
  kSsmGate,
  kSsmAlpha,
  kSsmBeta,
  kSsmBetaAlpha,
  kSsmConvQ,
  kSsmConvK,
  kSsmConvV,
  kSsmFA,
  kSsmFB,
  kSsmGA,
  kSsmGB,
  // Feed-forward.
  kFfnNorm,
  kFfnNormBias,
  kWGate,
  kWUp,
  kWGateUp,
  kWDown,
  kBGate,
  kBUp,
  kBDown,
  kPostFfnNorm,
  kFfnOutNorm,  // of the residual stream after the block
  kFfnOutNormBias,
  // Mixture of experts; (columns, rows, experts).
  kRouter,
  kTokenExperts,   // i32 (chosen, vocabulary)
  kRouterBias,     // added to the router's scores
  kSelectionBias,  // added for the choice only
  kExpertsGate,
  kExpertsUp,
  kExpertsGateUp,
  kExpertsDown,
  kExpertsGateBias,
  kExpertsUpBias,
  kExpertsDownBias,
  kSharedRouter,  // of the shared expert's gate
  kSharedGate,
  kSharedUp,
  kSharedDown,
  kRouterScale,       // of the router's own input
  kExpertsDownScale,  // one number per expert
  kDensePostNorm,     // of the dense block beside experts
  kExpertsNorm,
  kExpertsPostNorm,
  kLatentDown,  // from the model's width to that of the experts
  kLatentUp,    // and back
  // The layer's own input, and what scales all that the layer gives.
  kPerLayerGate,
  kPerLayerProj,
  kPerLayerNorm,
  kLayerScale,
  // Alternating updates.
  kAltUpRouter,
  kAltUpRouterNorm,
  kAltUpPredict,
  kAltUpCorrect,
  kAltUpScale,
  kLaurelLeft,
  kLaurelRight,
  kLaurelNorm,
  // Of a block that predicts a further token.
  kMtpTokenNorm,   // of the token's embedding
  kMtpHiddenNorm,  // of the hidden state before it
  kMtpProj,        // of both, side by side
  kCount,
};
inline constexpr int kRoleCount = static_cast<int>(Role::kCount);

// Tensors that go together.
struct CompressorRoles {
  Role positions, norm, gate, kv;
};
inline constexpr CompressorRoles kKeyCompressor = {Role::kCompressPositions, Role::kCompressNorm,
                                                   Role::kCompressGate, Role::kCompressKv};
inline constexpr CompressorRoles kIndexCompressor = {Role::kIndexCompressPositions, Role::kIndexCompressNorm,
                                                     Role::kIndexCompressGate, Role::kIndexCompressKv};
struct HyperRoles {
  Role fn, base, scale;
};
inline constexpr HyperRoles kOutputHyper = {Role::kHyperOutFn, Role::kHyperOutBase, Role::kHyperOutScale};
inline constexpr HyperRoles kMixerHyper = {Role::kHyperMixerFn, Role::kHyperMixerBase,
                                           Role::kHyperMixerScale};
inline constexpr HyperRoles kFfnHyper = {Role::kHyperFfnFn, Role::kHyperFfnBase, Role::kHyperFfnScale};

// Whether a tensor of this role is the weight of a norm or a scale, which is near 1.
bool is_norm(Role role) noexcept;

inline constexpr int kNoLayer = -1;

struct TensorSpec {
  std::string name;
  Shape shape;  // (columns, rows)
  Role role = Role::kTokenEmbedding;
  int layer = kNoLayer;
  bool optional = false;
  bool is_index = false;  // I32
  bool is_f32 = false;    // norms, biases and small tables: never quantized
};

struct ModelSpec {
  std::string arch;
  std::uint32_t dim = 0;  // of the residual stream
  std::uint32_t n_vocab = 0;
  std::uint32_t context_tokens = 0;  // the longest sequence it was made for
  float norm_eps = 0;
  NormKind norm = NormKind::kRms;
  float embedding_scale = 1.0F;
  float residual_scale = 1.0F;            // of what a block adds to the residual stream
  std::uint32_t sinkhorn_iterations = 0;  // of hyper-connections
  float hyper_eps = 0;
  bool parallel_blocks = false;  // the feed-forward block reads what attention reads
  float logit_scale = 1.0F;
  float logit_softcap = 0;  // 0: off
  LayerKind layer_kind = LayerKind::kPlain;
  std::uint32_t n_streams = 1;      // residual streams, each of `dim` values
  AltUpSpec altup;                  // of kGemma3n
  std::uint32_t per_layer_dim = 0;  // of the input that each layer has of its own; 0: none
  std::vector<RopeSpec> ropes;
  std::vector<LayerSpec> layers;
  std::uint32_t n_further_layers = 0;  // after these, in the file: they predict further tokens
  std::vector<TensorSpec> tensors;
  bool tied_output = false;  // the output head is the token embedding

  // The first of the layers that predict further tokens (multi-token prediction, DeepSeek-AI 2024), where it
  // is there and known: a model of one layer that reads, for a token, its embedding joined with this model's
  // final hidden state of the token before, and says what follows the token. Its embedding, last norm and
  // head are this model's where it has none of its own. Null: there is none.
  std::shared_ptr<const ModelSpec> mtp;
  bool joins_hidden = false;  // of that model: what enters its layer is such a pair

  // Encoders: every token sees those after it too, so a text goes through in one step, and there is no next
  // token to predict.
  bool causal = true;
  Pooling pooling = Pooling::kNone;
  std::uint32_t n_token_types = 0;  // of segments of a text: an embedding each; 0: none
  std::uint32_t n_labels = 0;       // of the classifier; 0: there is none
  std::uint32_t dense_dim = 0;      // between the dense layers of an embedding; 0: there are none

  // Whether a sequence of this length needs the long rope frequencies.
  bool needs_long_rope(std::uint64_t tokens) const;
};

// Whether it is a stack of experts' matrices, (columns, rows, experts).
bool is_expert_stack(Role role) noexcept;

// Whether it is a table of which each token reads a row, and nothing else. An embedding that is the output
// head too is none.
bool is_looked_up(const ModelSpec& model, Role role) noexcept;

// The spec of a model file, its tensors checked against it: all there, of the right shape, of a type that can
// be computed with. Errors name file, key or tensor, and offset; kUnsupported lists the known architectures.
Result<ModelSpec> read_model_spec(const file::Inventory& inventory);

// The spec of a model that is yet to be written, from its metadata alone: `tensors` lists what such a file
// holds, with every optional tensor of the architecture, for the writer to choose from.
Result<ModelSpec> plan_model_spec(const file::Inventory& metadata_only);

// The spec of a model whose tensors have names, types and shapes but no data, checked as a file's is. It is
// planned and never run, so it may have what Cistern does not compute yet, and a vocabulary that is a number.
Result<ModelSpec> read_dataless_spec(const file::Inventory& inventory);

}  // namespace cistern::spec
