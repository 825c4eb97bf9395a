#include "plan/step_work.h"

#include <algorithm>
#include <cmath>

namespace cistern::plan {
namespace {

bool is_output_head(const spec::ModelSpec& model, spec::Role role) {
  return role == (model.tied_output ? spec::Role::kTokenEmbedding : spec::Role::kOutput);
}

// The sum over the tokens of a step of what each sees: all of its context, or `most` of it; 0: no bound.
std::uint64_t seen_in_all(const StepShape& step, std::uint64_t most, std::uint64_t ratio = 1) {
  std::uint64_t sum = 0;
  for (std::uint32_t t = 0; t < step.tokens; ++t) {
    const std::uint64_t context = (std::uint64_t{step.depth} + t + 1) / ratio;
    sum += most > 0 ? std::min(context, most) : context;
  }
  return sum;
}

// What the tokens of a step read of a layer's keys and values: its rows once, of which a bounded number.
std::uint64_t rows_read(const StepShape& step, std::uint64_t most, std::uint64_t ratio = 1) {
  const std::uint64_t context = (std::uint64_t{step.depth} + step.tokens) / ratio;
  return most > 0 ? std::min(context, most + step.tokens - 1) : context;
}

// Attention of one layer over a sequence's cache.
CacheWork layer_work(const spec::LayerSpec& layer, const kv::CacheShape& cache, std::size_t li,
                     const StepShape& step) {
  const kv::LayerShape& own = cache.layers[li];
  CacheWork work;
  if (layer.attention) {
    const kv::LayerShape& read = cache.layers[layer.attention->kv_layer];
    work.bytes = rows_read(step, read.window) *
                 (kv::key_row_bytes(read, cache.type) + kv::value_row_bytes(read, cache.type));
    work.macs = seen_in_all(step, read.window) * layer.attention->n_heads * (read.key_dim + read.value_dim);
  }
  if (layer.mla) {
    const std::uint64_t most = layer.mla->indexer ? layer.mla->indexer->top_k : 0;
    work.bytes = rows_read(step, most) * kv::key_row_bytes(own, cache.type);
    work.macs = seen_in_all(step, most) * layer.mla->n_heads * (own.key_dim + own.value_dim);
  }
  if (layer.compressed) {
    const spec::CompressedSpec& c = *layer.compressed;
    const std::uint64_t most = c.indexer ? c.indexer->top_k : 0;
    std::uint64_t rows = rows_read(step, c.window), seen = seen_in_all(step, c.window);
    if (c.ratio > 0) {
      rows += rows_read(step, most, c.ratio);
      seen += seen_in_all(step, most, c.ratio);
    }
    work.bytes = rows * kv::key_row_bytes(own, cache.type);
    work.macs = seen * c.n_heads * 2 * c.head_dim;
  }
  if (own.index_dim > 0) {
    const spec::IndexerSpec& index = layer.mla ? *layer.mla->indexer : *layer.compressed->indexer;
    work.bytes += rows_read(step, 0, own.compress_ratio) * kv::index_row_bytes(own, cache.type);
    work.index_macs = seen_in_all(step, 0, own.compress_ratio) * index.n_heads * index.key_dim;
  }
  // A recurrent state is read and written once, however many tokens pass through it.
  work.bytes += 2 * own.state_floats * sizeof(float);
  return work;
}

// Of a tensor: the part that a step reads, and the part of its values that each token is multiplied with.
struct Share {
  double read = 1;
  double used = 1;
};

// A row per expert, of which the chosen ones' are read.
bool is_expert_bias(spec::Role role) {
  return role == spec::Role::kExpertsGateBias || role == spec::Role::kExpertsUpBias ||
         role == spec::Role::kExpertsDownBias;
}

// Tokens choose experts as if at random: the expected share that some token has chosen.
Share share_of(const spec::ModelSpec& model, const spec::TensorSpec& tensor, std::uint64_t tokens) {
  if (!spec::is_expert_stack(tensor.role) && !is_expert_bias(tensor.role)) return {};
  const spec::MoeSpec& moe = *model.layers[static_cast<std::size_t>(tensor.layer)].ffn->moe;
  const double used = static_cast<double>(moe.n_used) / moe.n_experts;
  return {.read = 1 - std::pow(1 - used, static_cast<double>(tokens)), .used = used};
}

std::uint64_t& macs_of(StepWork& work, kernels::Arithmetic arithmetic) {
  return work.macs[static_cast<std::size_t>(arithmetic)];
}

}  // namespace

std::vector<WeightWork> weight_work_of(const spec::ModelSpec& model, const file::Inventory& inventory,
                                       const StepShape& step) {
  std::vector<WeightWork> all;
  const std::uint64_t tokens = std::uint64_t{step.tokens} * step.sequences;
  for (const spec::TensorSpec& tensor : model.tensors) {
    const file::TensorInfo* info = inventory.find(tensor.name);
    if (info == nullptr) continue;
    if (spec::is_looked_up(model, tensor.role) || tensor.role == spec::Role::kTokenExperts)
      continue;  // a row per token
    const Share share = share_of(model, tensor, tokens);
    const auto values = static_cast<double>(tensor.shape.elements());
    WeightWork work{.dtype = info->dtype,
                    .bytes = static_cast<double>(info->size_bytes) * share.read,
                    .values = values * share.read,
                    .routed = spec::is_expert_stack(tensor.role)};
    const std::uint64_t rows_of_output = is_output_head(model, tensor.role) ? step.sequences : tokens;
    if (!tensor.is_f32 && tensor.shape.rows() > 1)
      work.macs = values * static_cast<double>(rows_of_output) * share.used;
    all.push_back(work);
  }
  return all;
}

CacheWork cache_work_of(const spec::ModelSpec& model, const kv::CacheShape& cache, const StepShape& step) {
  CacheWork sum;
  for (std::size_t li = 0; li < cache.layers.size(); ++li) {
    const CacheWork layer = layer_work(model.layers[li], cache, li, step);
    sum.bytes += layer.bytes * step.sequences;
    sum.macs += layer.macs * step.sequences;
    sum.index_macs += layer.index_macs * step.sequences;
  }
  return sum;
}

StepWork work_of(const spec::ModelSpec& model, const file::Inventory& inventory, const kv::CacheShape& cache,
                 const kernels::KernelTable& kernels, const StepShape& step) {
  StepWork work;
  for (const WeightWork& weights : weight_work_of(model, inventory, step)) {
    work.weight_bytes += static_cast<std::uint64_t>(weights.bytes);
    const kernels::Arithmetic arithmetic = kernels.panel[static_cast<std::size_t>(weights.dtype)].arithmetic;
    macs_of(work, arithmetic) += static_cast<std::uint64_t>(weights.macs);
  }
  const bool float_attention = cache.type == DType::kF32 ||
                               kernels.pack[static_cast<std::size_t>(kernels::Arithmetic::kBf16)] == nullptr;
  const CacheWork attention = cache_work_of(model, cache, step);
  work.kv_bytes = attention.bytes;
  macs_of(work, float_attention ? kernels::Arithmetic::kFloat : kernels::Arithmetic::kBf16) += attention.macs;
  macs_of(work, kernels::Arithmetic::kFloat) += attention.index_macs;
  return work;
}

}  // namespace cistern::plan
