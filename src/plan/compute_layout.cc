#include "plan/compute_layout.h"

#include <algorithm>
#include <initializer_list>

#include "ops/exec.h"
#include "ops/grouped_matmul.h"
#include "ops/matmul.h"
#include "ops/routing.h"

namespace cistern::plan {
namespace {

constexpr std::uint64_t kAlign = 64;
// As many rows of logits as a weight row is multiplied with at once: reading every position costs no more.
constexpr std::uint32_t kLogitRows = 4;

// Counts the workspace of blocks, packed activations and scratch, at their largest.
class Needs {
 public:
  Needs(const spec::ModelSpec& model, std::uint64_t tokens) : dim_(model.dim), tokens_(tokens) {
    product(dim_, tokens);
    for (const spec::LayerSpec& layer : model.layers) {
      if (layer.attention) attention(*layer.attention);
      if (layer.ffn) layer.ffn->moe ? experts(*layer.ffn->moe) : dense(*layer.ffn);
    }
    heads(model);
  }

  std::uint64_t workspace_bytes = 0;
  std::uint64_t packed_bytes = 0;
  std::uint64_t max_cols = 0;
  std::uint64_t head_dim = 1;
  std::uint64_t scratch_floats = 0;  // beside those of products and attention

 private:
  // Buffers of a block, in columns of so many rows.
  struct Buffer {
    std::uint64_t cols, rows;
  };
  void block(std::initializer_list<Buffer> buffers) {
    std::uint64_t sum = 0;
    for (const Buffer& buffer : buffers) sum += aligned_bytes(buffer.cols * buffer.rows);
    workspace_bytes = std::max(workspace_bytes, sum);
  }
  void product(std::uint64_t cols, std::uint64_t rows) {
    max_cols = std::max(max_cols, cols);
    packed_bytes = std::max(packed_bytes, ops::packed_activation_bytes(cols, rows));
  }
  void grouped(std::uint64_t cols, std::uint64_t rows) {
    max_cols = std::max(max_cols, cols);
    packed_bytes = std::max(packed_bytes, ops::grouped_packed_bytes(cols, rows));
  }

  void attention(const spec::AttentionSpec& a) {
    const std::uint64_t q = std::uint64_t{a.n_heads} * a.head_dim * (a.gated ? 2 : 1);
    const std::uint64_t k = std::uint64_t{a.n_kv_heads} * a.head_dim;
    const std::uint64_t v = std::uint64_t{a.n_kv_heads} * a.value_dim;
    const std::uint64_t attended = std::uint64_t{a.n_heads} * a.value_dim;
    block({{q, tokens_}, {k, tokens_}, {v, tokens_}, {attended, tokens_}});
    product(attended, tokens_);
    head_dim = std::max<std::uint64_t>({head_dim, a.head_dim, a.value_dim});
  }
  void dense(const spec::FfnSpec& ffn) {
    block({{ffn.hidden, tokens_}, {ffn.hidden, tokens_}, {ffn.hidden, tokens_}});
    product(ffn.hidden, tokens_);
  }
  void experts(const spec::MoeSpec& moe) {
    const std::uint64_t rows = tokens_ * moe.n_used;
    block({{moe.n_experts, tokens_},
           {moe.n_used, tokens_},
           {moe.n_used, tokens_},
           {ops::SortedRows::words(moe.n_experts, rows), 1},
           {moe.scale_input ? dim_ : 0, rows},
           {moe.hidden, rows},
           {moe.hidden, rows},
           {moe.hidden, rows},
           {dim_, rows}});
    grouped(dim_, rows);
    grouped(moe.hidden, rows);
    scratch_floats = std::max<std::uint64_t>(scratch_floats, moe.n_experts);
    if (moe.shared_hidden == 0) return;
    block({{moe.shared_hidden, tokens_},
           {moe.shared_hidden, tokens_},
           {moe.shared_hidden, tokens_},
           {dim_, tokens_},
           {1, tokens_}});
    product(moe.shared_hidden, tokens_);
  }

  // What follows the pooling of a text: one row.
  void heads(const spec::ModelSpec& model) {
    block({{dim_, 1}, {dim_, 1}, {model.dense_dim, 1}, {model.n_labels, 1}});
    product(model.dense_dim, 1);
  }

  std::uint64_t dim_;
  std::uint64_t tokens_;
};

}  // namespace

std::uint64_t aligned_bytes(std::uint64_t floats) noexcept {
  return (floats * sizeof(float) + kAlign - 1) / kAlign * kAlign;
}

ComputeLayout make_compute_layout(const spec::ModelSpec& model, const StepLimits& limits) {
  const std::uint32_t chunk_tokens = limits.chunk_tokens;
  const Needs needs(model, chunk_tokens);
  ComputeLayout layout{.chunk_tokens = chunk_tokens,
                       .max_sequences = limits.max_sequences,
                       .logit_rows = model.causal ? std::max(kLogitRows, limits.max_sequences) : 0,
                       .threads = limits.threads};
  layout.scratch_floats_per_thread =
      std::max(ops::scratch_floats(needs.max_cols, chunk_tokens, needs.head_dim),
               aligned_bytes(needs.scratch_floats) / sizeof(float));
  std::uint64_t end = 0;
  const auto place = [&end](std::uint64_t floats) {
    const std::uint64_t offset = end;
    end += aligned_bytes(floats);
    return offset;
  };
  const std::uint64_t dim_floats = std::uint64_t{model.dim} * chunk_tokens;
  layout.residual = place(dim_floats);
  layout.normed = place(dim_floats);
  layout.block_out = place(dim_floats);
  layout.workspace_bytes = needs.workspace_bytes;
  layout.workspace = place(needs.workspace_bytes / sizeof(float));
  layout.logits = place(std::uint64_t{model.n_vocab} * layout.logit_rows);
  layout.packed_bytes = needs.packed_bytes;
  layout.packed = place(layout.packed_bytes / sizeof(float));
  layout.scratch = place(layout.scratch_floats_per_thread * static_cast<std::uint64_t>(limits.threads));
  layout.total_bytes = end;
  return layout;
}

}  // namespace cistern::plan
