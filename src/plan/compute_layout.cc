#include "plan/compute_layout.h"

#include <algorithm>

#include "ops/exec.h"
#include "ops/matmul.h"

namespace cistern::plan {
namespace {

constexpr std::uint64_t kAlign = 64;
// As many rows of logits as a weight row is multiplied with at once: reading every position costs no more.
constexpr std::uint32_t kLogitRows = 4;

struct Widest {
  std::uint64_t qkv = 0, attended = 0, hidden = 0, head_dim = 0, cols = 0;
};

Widest widest_of(const spec::ModelSpec& model) {
  Widest w;
  w.cols = model.dim;
  for (const spec::LayerSpec& layer : model.layers) {
    const spec::AttentionSpec& a = layer.attention;
    const std::uint64_t n_heads = a.n_heads;
    const std::uint64_t n_kv_heads = a.n_kv_heads;
    w.qkv = std::max(w.qkv, n_heads * a.head_dim + n_kv_heads * (a.head_dim + a.value_dim));
    w.attended = std::max(w.attended, n_heads * a.value_dim);
    w.hidden = std::max<std::uint64_t>(w.hidden, layer.ffn.hidden);
    w.head_dim = std::max<std::uint64_t>({w.head_dim, a.head_dim, a.value_dim});
  }
  w.cols = std::max({w.cols, w.attended, w.hidden});
  return w;
}

}  // namespace

ComputeLayout make_compute_layout(const spec::ModelSpec& model, const StepLimits& limits) {
  const Widest w = widest_of(model);
  const std::uint32_t chunk_tokens = limits.chunk_tokens;
  ComputeLayout layout{.chunk_tokens = chunk_tokens,
                       .max_sequences = limits.max_sequences,
                       .logit_rows = std::max(kLogitRows, limits.max_sequences),
                       .threads = limits.threads};
  layout.scratch_floats_per_thread = ops::scratch_floats(w.cols, chunk_tokens, w.head_dim);
  std::uint64_t end = 0;
  const auto place = [&end](std::uint64_t floats) {
    const std::uint64_t offset = end;
    end += (floats * sizeof(float) + kAlign - 1) / kAlign * kAlign;
    return offset;
  };
  layout.residual = place(std::uint64_t{model.dim} * chunk_tokens);
  layout.normed = place(std::uint64_t{model.dim} * chunk_tokens);
  layout.qkv = place(w.qkv * chunk_tokens);
  layout.attended = place(w.attended * chunk_tokens);
  layout.gate_up = place(2 * w.hidden * chunk_tokens);
  layout.gated = place(w.hidden * chunk_tokens);
  layout.logits = place(std::uint64_t{model.n_vocab} * layout.logit_rows);
  layout.packed_bytes = ops::packed_activation_bytes(w.cols, chunk_tokens);
  layout.packed = place(layout.packed_bytes / sizeof(float));
  layout.scratch = place(layout.scratch_floats_per_thread * static_cast<std::uint64_t>(limits.threads));
  layout.total_bytes = end;
  return layout;
}

}  // namespace cistern::plan
