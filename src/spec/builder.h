// What the architecture files build a ModelSpec with: typed access to "<arch>.<key>" metadata with range
// checks, the dimensions that every decoder has, and the tensor lists of common block kinds. A Builder lives
// for one read_model_spec() call. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "file/inventory.h"
#include "spec/model_spec.h"

namespace cistern::spec {

// What a ModelSpec is made from: a file, whose tensors say which of several forms it has, or the metadata of
// a model that is yet to be written, which gets the usual form of its architecture and all optional tensors.
enum class Source { kFile, kMetadata };

class Builder {
 public:
  // Reads block_count, embedding_length, head counts, context_length, norm epsilon and the vocabulary's size
  // into `model`; every layer gets the same attention and a gated FFN, which the architecture then changes.
  static Result<Builder> create(const file::Inventory& inventory, std::string arch, Source source);

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

  // An error about "<arch>.<suffix>".
  std::unexpected<Error> bad_key(std::string_view suffix, std::string message) const;

  // Sliding window of the file in tokens; 0 when there is none.
  Result<std::uint32_t> sliding_window() const;
  // Gives every layer the file's window, if there is one.
  Result<void> set_window_everywhere();
  // Gives layer li the window where `is_windowed(li)`.
  template <class Predicate>
  void set_windows(std::uint32_t window, Predicate is_windowed) {
    for (std::uint32_t li = 0; li < model.layers.size(); ++li) {
      model.layers[li].attention.window = is_windowed(li) ? window : 0;
    }
  }

  // Tensor lists. Weights are (columns = inputs, rows = outputs).
  // Queries, keys and values are separate or fused, as each layer of the file has them; biases are taken
  // where the file has them.
  struct AttentionTensors {
    bool fused_qkv = false;  // in new files
    bool qk_norm = false;    // per head, before rope
    bool qkv_bias = false;   // required
    bool post_norm = false;  // a norm on the block's output
  };
  struct FfnTensors {
    bool fused_gate_up = false;  // ffn_up holds the gate's rows, then its own
    bool post_norm = false;
  };
  void add_embedding_and_output();
  void add_attention(const AttentionTensors& options);
  void add_gated_ffn(const FfnTensors& options);

 private:
  Builder(const file::Inventory& inventory, Source source) : inventory_(&inventory), source_(source) {}
  Result<void> read_dimensions();
  Result<void> read_heads();
  void add_qkv(int layer, const AttentionTensors& options);
  void add(std::string name, Shape shape, Role role, int layer = kNoLayer, bool optional = false);

  const file::Inventory* inventory_;
  Source source_;
};

}  // namespace cistern::spec
