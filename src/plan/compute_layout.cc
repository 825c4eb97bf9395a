#include "plan/compute_layout.h"

#include <algorithm>
#include <initializer_list>

#include "ops/exec.h"
#include "ops/grouped_matmul.h"
#include "ops/indexer.h"
#include "ops/low_rank.h"
#include "ops/matmul.h"
#include "ops/routing.h"

namespace cistern::plan {
namespace {

constexpr std::uint64_t kAlign = 64;
// As many rows of logits as a weight row is multiplied with at once: reading every position costs no more.
constexpr std::uint32_t kLogitRows = kernels::kDotTokens;

std::uint32_t logit_rows(const spec::ModelSpec& model, const StepLimits& limits) {
  return model.causal ? std::max(kLogitRows, limits.max_sequences) : 0;
}

// Counts the workspace of blocks, packed activations and scratch, at their largest.
class Needs {
 public:
  Needs(const spec::ModelSpec& model, const StepLimits& limits)
      : dim_(model.dim), tokens_(limits.block_tokens), context_(limits.context_tokens) {
    product(std::uint64_t{model.dim} * model.n_streams, tokens_);
    for (const spec::LayerSpec& layer : model.layers) {
      if (layer.attention) attention(*layer.attention);
      if (layer.mla) latent_attention(*layer.mla);
      if (layer.compressed) compressed_attention(*layer.compressed);
      if (layer.mamba2) mamba2(*layer.mamba2);
      if (layer.delta_net) delta_net(*layer.delta_net);
      if (layer.short_conv) short_conv();
      if (layer.ffn && layer.ffn->moe) experts(*layer.ffn->moe);
      if (layer.ffn && (!layer.ffn->moe || layer.ffn->moe->beside_dense)) dense(*layer.ffn);
    }
    if (model.per_layer_dim > 0) per_layer_inputs(model);
    if (model.joins_hidden) pairs();
    if (model.layer_kind == spec::LayerKind::kGemma3n) alternating_updates(model);
    heads(model);
    for (const spec::AdapterSpec& adapter : limits.adapters) {
      for (const spec::LowRankPair& pair : adapter.pairs) low_rank(pair, logit_rows(model, limits));
    }
  }

  std::uint64_t workspace_bytes = 0;
  std::uint64_t hint_bytes = 0;
  std::uint64_t adapter_bytes = 0;
  std::uint64_t packed_bytes = 0;
  std::uint64_t max_cols = 0;
  std::uint64_t head_dim = 1;
  std::uint64_t top_k = 0;
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
  void latent_attention(const spec::MlaSpec& m) {
    const std::uint64_t n_heads = m.n_heads;
    const spec::IndexerSpec index = m.indexer.value_or(spec::IndexerSpec{});
    block({{n_heads * (m.nope_dim + m.rope_dim), tokens_},
           {m.q_rank, tokens_},
           {m.key_dim(), tokens_},
           {n_heads * m.key_dim(), tokens_},
           {n_heads * m.kv_rank, tokens_},
           {n_heads * m.value_dim, tokens_},
           {(m.key_dim() + 15) / 16 * 16, index.top_k},
           {std::uint64_t{index.n_heads} * index.key_dim, tokens_},
           {index.n_heads, tokens_},
           {index.key_dim, tokens_}});
    product(m.q_rank, tokens_);
    product(n_heads * m.value_dim, tokens_);
    grouped(m.nope_dim, n_heads * tokens_);
    grouped(m.kv_rank, n_heads * tokens_);
    head_dim = std::max<std::uint64_t>(head_dim, m.key_dim());
    top_k = std::max<std::uint64_t>(top_k, index.top_k);
    scratch_floats = std::max(scratch_floats, ops::select_scratch_floats(index.key_dim, index.top_k));
  }
  void compressed_attention(const spec::CompressedSpec& c) {
    const std::uint64_t heads = std::uint64_t{c.n_heads} * c.head_dim;
    const spec::IndexerSpec index = c.indexer.value_or(spec::IndexerSpec{});
    const std::uint64_t compressed = c.ratio == 0 ? 0 : c.indexer ? index.top_k : context_ / c.ratio;
    const std::uint64_t series = c.series();
    block({{c.q_rank, tokens_},
           {heads, tokens_},
           {c.head_dim, tokens_},
           {heads, tokens_},
           {std::uint64_t{c.out_groups} * c.out_rank, tokens_},
           {series * c.head_dim, tokens_},
           {series * c.head_dim, tokens_},
           {(c.head_dim + 15) / 16 * 16, compressed + c.window},
           {std::uint64_t{index.n_heads} * index.key_dim, tokens_},
           {index.n_heads, tokens_},
           {series * index.key_dim, tokens_},
           {series * index.key_dim, tokens_},
           {index.top_k, tokens_}});
    product(c.q_rank, tokens_);
    product(std::uint64_t{c.out_groups} * c.out_rank, tokens_);
    grouped(heads / c.out_groups, c.out_groups * tokens_);
    head_dim = std::max<std::uint64_t>(head_dim, c.head_dim);
    scratch_floats = std::max(scratch_floats, ops::select_scratch_floats(index.key_dim, index.top_k));
    scratch_floats = std::max<std::uint64_t>(scratch_floats, 3 * std::uint64_t{c.head_dim});
  }
  void mamba2(const spec::Mamba2Spec& m) {
    block({{m.projected_dim(), tokens_}, {m.inner_dim(), tokens_}});
    product(m.inner_dim(), tokens_);
  }
  void short_conv() { block({{3 * dim_, tokens_}, {dim_, tokens_}}); }
  void delta_net(const spec::DeltaNetSpec& d) {
    const std::uint64_t keys = std::uint64_t{d.n_key_heads} * d.key_dim;
    const std::uint64_t values = std::uint64_t{d.n_value_heads} * d.value_dim;
    if (d.channel_decay) {
      block({{d.n_value_heads, tokens_},
             {keys, tokens_},
             {values, tokens_},
             {keys, tokens_},
             {keys, tokens_},
             {values, tokens_},
             {d.key_dim, tokens_},
             {d.value_dim, tokens_},
             {values, tokens_}});
      product(std::max(d.key_dim, d.value_dim), tokens_);
    } else {
      block({{d.n_value_heads, tokens_},
             {d.n_value_heads, tokens_},
             {values, tokens_},
             {d.conv_dim(), tokens_},
             {values, tokens_},
             {std::uint64_t{2} * d.n_value_heads, tokens_}});
    }
    product(values, tokens_);
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
    // As in route(), after a norm.
    const std::uint64_t hinted = std::min<std::uint64_t>(tokens_, kHintTokens);
    hint_bytes = std::max(hint_bytes, aligned_bytes(dim_ * hinted) + aligned_bytes(moe.n_experts * hinted) +
                                          2 * aligned_bytes(hinted * moe.n_used));
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

  void per_layer_inputs(const spec::ModelSpec& model) {
    block({{model.layers.size() * model.per_layer_dim, tokens_}});
    block({{model.per_layer_dim, tokens_}});
    product(model.per_layer_dim, tokens_);
  }
  void alternating_updates(const spec::ModelSpec& model) {
    const std::uint64_t n = model.n_streams;
    block({{(n - 1) * dim_, tokens_}});
    grouped(dim_, (n - 1) * tokens_);
    block({{dim_, tokens_}, {dim_, tokens_}, {n, tokens_}, {n * n, tokens_}});
    block({{model.altup.laurel_rank, tokens_}});
    product(model.altup.laurel_rank, tokens_);
    scratch_floats = std::max(scratch_floats, n * dim_);
  }
  // A token's embedding and the hidden state before it.
  void pairs() {
    block({{2 * dim_, tokens_}});
    product(2 * dim_, tokens_);
  }
  // What follows the pooling of a text: one row.
  void heads(const spec::ModelSpec& model) {
    block({{dim_, 1}, {dim_, 1}, {model.dense_dim, 1}, {model.n_labels, 1}});
    product(model.dense_dim, 1);
  }

  // What A gives, and the product that gives it.
  void low_rank(const spec::LowRankPair& pair, std::uint64_t logit_rows) {
    const std::uint64_t rows = pair.per_token * (pair.role == spec::Role::kOutput ? logit_rows : tokens_);
    const spec::AdapterUse use = spec::adapter_use(pair.role);
    const bool stack = use == spec::AdapterUse::kExperts || use == spec::AdapterUse::kHeads;
    stack ? grouped(pair.cols, rows) : product(pair.cols, rows);
    adapter_bytes = std::max(adapter_bytes, aligned_bytes(pair.rank * rows));
    scratch_floats = std::max(scratch_floats, ops::low_rank_scratch_floats(pair.rank));
  }

  std::uint64_t dim_;
  std::uint64_t tokens_;
  std::uint64_t context_;
};

// Whether the layers keep something beside the residual stream while a block runs.
bool keeps_beside(const spec::ModelSpec& model) {
  return std::ranges::any_of(model.layers, [&](const spec::LayerSpec& layer) {
    return model.layer_kind == spec::LayerKind::kGemma3n ||
           (layer.ffn && layer.ffn->moe && layer.ffn->moe->beside_dense);
  });
}

}  // namespace

std::uint64_t aligned_bytes(std::uint64_t floats) noexcept {
  return (floats * sizeof(float) + kAlign - 1) / kAlign * kAlign;
}

ComputeLayout make_compute_layout(const spec::ModelSpec& model, const StepLimits& limits) {
  const std::uint64_t chunk_tokens = limits.chunk_tokens;
  const std::uint64_t block_tokens = limits.block_tokens;
  const Needs needs(model, limits);
  ComputeLayout layout{.chunk_tokens = limits.chunk_tokens,
                       .block_tokens = limits.block_tokens,
                       .max_sequences = limits.max_sequences,
                       .logit_rows = logit_rows(model, limits),
                       .threads = limits.threads};
  layout.scratch_floats_per_thread =
      std::max(ops::scratch_floats(needs.max_cols, block_tokens, needs.head_dim),
               aligned_bytes(needs.scratch_floats) / sizeof(float));
  std::uint64_t end = 0;
  const auto place = [&end](std::uint64_t floats) {
    const std::uint64_t offset = end;
    end += aligned_bytes(floats);
    return offset;
  };
  const std::uint64_t dim_floats = model.dim * block_tokens;
  layout.residual = place(std::uint64_t{model.dim} * model.n_streams * chunk_tokens);
  layout.normed = place(dim_floats);
  layout.block_out = place(dim_floats);
  layout.kept = place(keeps_beside(model) ? dim_floats : 0);
  layout.per_layer = place(std::uint64_t{model.per_layer_dim} * model.layers.size() * chunk_tokens);
  layout.workspace_bytes = needs.workspace_bytes;
  const std::uint64_t extra = model.layer_kind == spec::LayerKind::kHyper ? model.n_streams : 0;
  layout.hyper = place((2 + extra) * extra * block_tokens);
  layout.streams = place(dim_floats * extra);
  layout.selected = place(needs.top_k * chunk_tokens);
  layout.workspace = place(needs.workspace_bytes / sizeof(float));
  layout.hint_bytes = needs.hint_bytes;
  layout.hints = place(needs.hint_bytes / sizeof(float));
  layout.adapter_bytes = needs.adapter_bytes;
  layout.adapters = place(needs.adapter_bytes / sizeof(float));
  layout.logits = place(std::uint64_t{model.n_vocab} * layout.logit_rows);
  layout.packed_bytes = needs.packed_bytes;
  layout.packed = place(layout.packed_bytes / sizeof(float));
  layout.scratch = place(layout.scratch_floats_per_thread * static_cast<std::uint64_t>(limits.threads));
  layout.total_bytes = end;
  return layout;
}

}  // namespace cistern::plan
