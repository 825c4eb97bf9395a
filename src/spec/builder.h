// What the architecture files build a ModelSpec with: typed access to "<arch>.<key>" metadata with range
// checks, the dimensions that every decoder has, and the tensor lists of common block kinds. A Builder lives
// for one read_model_spec() call. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "file/inventory.h"
#include "spec/model_spec.h"

namespace cistern::spec {

// What a ModelSpec is made from: a file, whose tensors say which of several forms it has; the metadata of a
// model that is yet to be written, which gets the usual form of its architecture and all optional tensors; or
// metadata and tensors that have no data, of a model that is planned and never run, so that it may also have
// what is not computed.
enum class Source { kFile, kMetadata, kNoData };

// No model comes near this; it keeps every product of two dimensions inside 64 bits and memory.
inline constexpr std::uint32_t kMaxDim = 1U << 20U;
// Tokens that a short convolution sees at most.
inline constexpr std::uint32_t kMaxConvWidth = 8;

class Builder {
 public:
  // Reads block_count, embedding_length, head counts, context_length, norm epsilon and the vocabulary's size
  // into `model`. A layer whose counts of heads are not 0 gets attention, one whose feed_forward_length is
  // not 0 a gated FFN, which the architecture then changes. Layers that predict further tokens are left out,
  // but if `with_mtp` the first of them, where the file has it, is the last of `model.layers`: the
  // architecture builds it like the others, and split_mtp() takes it out.
  static Result<Builder> create(const file::Inventory& inventory, std::string arch, Source source,
                                bool with_mtp = false);

  // Layers of the plain forward pass.
  std::size_t n_main_layers() const { return model.layers.size() - (has_mtp_ ? 1 : 0); }
  // Makes the layer that predicts further tokens, and its tensors, a model of their own: `model.mtp`. Null
  // where a tensor is missing: guesses are no part of what the model says, so such a file runs without.
  void split_mtp();

  ModelSpec model;
  const file::Inventory& inventory() const { return *inventory_; }
  const file::Metadata& metadata() const { return inventory_->metadata; }

  // "<arch>.<key>" of this model.
  std::string key(std::string_view suffix) const { return model.arch + "." + std::string(suffix); }

  // Values of "<arch>.<suffix>": nothing when absent, an error when mistyped or out of range.
  Result<std::optional<std::uint32_t>> find_u32(std::string_view suffix, std::uint32_t low,
                                                std::uint32_t high) const;
  Result<std::optional<float>> find_positive(std::string_view suffix) const;  // finite and > 0
  Result<float> positive_or(std::string_view suffix, float fallback) const;
  Result<bool> flag_or(std::string_view suffix, bool fallback) const;
  Result<std::uint32_t> require_u32(std::string_view suffix, std::uint32_t low, std::uint32_t high) const;
  // One number for all layers, or an array with one per layer; a last one that predicts further tokens may be
  // missing there and is then like the one before it.
  Result<std::optional<std::vector<std::uint32_t>>> find_per_layer(std::string_view suffix,
                                                                   std::uint32_t high) const;
  // The same for numbers, 0 or more; REQUIRES the key.
  Result<std::vector<float>> floats_per_layer(std::string_view suffix) const;
  // Of the main layers: the same for flags, as booleans or as 0 and 1; REQUIRES an array.
  Result<std::vector<bool>> flags_per_layer(std::string_view suffix) const;

  // An error about "<arch>.<suffix>".
  std::unexpected<Error> bad_key(std::string_view suffix, std::string message) const;
  // The same, kUnsupported: the file is sound, but Cistern cannot run it.
  std::unexpected<Error> unsupported(std::string_view suffix, std::string message) const;

  // Whether the model could be run from what is there.
  bool is_file() const { return source_ == Source::kFile; }

  // Whether the file has the tensor; in new files `usual`.
  bool has_tensor(const std::string& name, bool usual) const;

  // Adds the model's rope (rope.h) and has every layer use it.
  Result<void> set_rope(RopeStyle style);

  // Sliding window of the file in tokens; 0 when there is none.
  Result<std::uint32_t> sliding_window() const;
  // Gives every layer the file's window, if there is one.
  Result<void> set_window_everywhere();
  // Gives layer li the window where `is_windowed(li)`.
  template <class Predicate>
  void set_windows(std::uint32_t window, Predicate is_windowed) {
    for (std::uint32_t li = 0; li < model.layers.size(); ++li) {
      if (model.layers[li].attention) model.layers[li].attention->window = is_windowed(li) ? window : 0;
    }
  }
  // Gives the window to the layers that attention.sliding_window_pattern names: flags of the layers or a
  // period. Without the key `period` counts; the last layer of each period sees everything, or the first.
  enum class FullLayer { kLast, kFirst };
  Result<void> set_window_pattern(std::uint32_t period, FullLayer full = FullLayer::kLast);

  // Makes an encoder of the model: no causal mask. kUnsupported where the file says otherwise, or a layer
  // mixes tokens by other means than attention. A window of w tokens reaches w / 2 to either side.
  Result<void> set_bidirectional();

  // Changes every layer that has attention, or a feed-forward block.
  template <class F>
  void for_attention(F f) {
    for (LayerSpec& layer : model.layers) {
      if (layer.attention) f(*layer.attention);
    }
  }
  template <class F>
  void for_ffn(F f) {
    for (LayerSpec& layer : model.layers) {
      if (layer.ffn) f(*layer.ffn);
    }
  }

  // The mixture that the keys expert_* describe; what they leave open is as in `usual`.
  Result<MoeSpec> read_experts(const MoeSpec& usual) const;
  // Gives it to every layer from leading_dense_block_count on, or to the last of every
  // interleave_moe_layer_step layers.
  Result<void> set_experts(const MoeSpec& usual);

  // The state space that the keys ssm.* describe.
  Result<Mamba2Spec> read_mamba2() const;

  // Tensor lists. Weights are (columns = inputs, rows = outputs). The name of a norm may be empty: there is
  // none.
  // Queries, keys and values are separate or fused, as each layer of the file has them; biases are taken
  // where the file has them.
  struct AttentionTensors {
    std::string_view norm = "attn_norm";
    std::string_view post_norm;    // on the block's output
    std::string_view out_norm;     // on the residual stream after the block
    bool fused_qkv = false;        // in new files
    bool qkv_bias = false;         // required
    bool optional_values = false;  // where there are none, the keys are the values too
    bool sinks = false;
  };
  struct FfnTensors {
    std::string_view norm = "ffn_norm";
    std::string_view post_norm;
    std::string_view out_norm;
    bool fused_gate_up = false;   // ffn_up holds the gate's rows, then its own
    bool fused_experts = false;   // gate and up of an expert are one matrix; in new files
    bool selection_bias = false;  // exp_probs_b, required
    bool expert_bias = false;     // of router and experts, required
    bool shared_router = false;   // the shared expert has a gate of its own
  };
  // Whether Mamba 2 normalises what its gate leaves.
  enum class GatedNorm { kRequired, kOptional };
  void add_embedding_and_output();
  void add_output();  // without a norm
  void add_attention(const AttentionTensors& options);
  void add_ffn(const FfnTensors& options);
  // The norm is the layer's first, which its other mixers share.
  void add_mamba2(std::string_view norm, GatedNorm gated_norm);
  void add_short_conv();

  // Normalises queries and keys where the first layer of the file has norms for them.
  void find_qk_norm(HeadNorm kind);

  // For layers of other kinds.
  void add(std::string name, Shape shape, Role role, int layer = kNoLayer, bool optional = false);
  // Several rows that are no matrix of a product: they must be F32, as single rows must.
  void add_f32(std::string name, Shape shape, Role role, int layer, bool optional = false);
  // A table of indices: it must be I32.
  void add_indices(std::string name, Shape shape, Role role, int layer);
  static std::string in_layer(int layer, std::string_view name);
  // A norm of `size` values, with a bias where the file has one.
  void add_norm(int layer, std::string_view name, std::uint64_t size, Role weight, Role bias);

 private:
  Builder(const file::Inventory& inventory, Source source) : inventory_(&inventory), source_(source) {}
  Result<void> read_dimensions(bool with_mtp);
  Result<void> read_vocabulary();
  ModelSpec mtp_model(int layer) const;
  Result<void> read_heads();
  Result<void> read_pooling();
  void add_qkv(int layer, const AttentionTensors& options);
  void add_experts(int layer, const MoeSpec& moe, const FfnTensors& options);

  const file::Inventory* inventory_;
  Source source_;
  bool has_mtp_ = false;
};

}  // namespace cistern::spec
