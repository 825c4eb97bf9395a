#include "plan/step_work.h"

#include <algorithm>
#include <cmath>

namespace cistern::plan {
namespace {

bool is_output_head(const spec::ModelSpec& model, spec::Role role) {
  return role == (model.tied_output ? spec::Role::kTokenEmbedding : spec::Role::kOutput);
}

// Keys that the tokens of a step see in all: the sum over them of their own context.
std::uint64_t keys_seen(const kv::LayerShape& layer, const StepShape& step) {
  std::uint64_t sum = 0;
  for (std::uint32_t t = 0; t < step.tokens; ++t) {
    const std::uint64_t context = std::uint64_t{step.depth} + t + 1;
    sum += layer.window > 0 ? std::min<std::uint64_t>(context, layer.window) : context;
  }
  return sum;
}

// Of a tensor: the part that a step reads, and the part of its values that each token is multiplied with.
struct Share {
  double read = 1;
  double used = 1;
};

// Tokens choose experts as if at random: the expected share that some token has chosen.
Share share_of(const spec::ModelSpec& model, const spec::TensorSpec& tensor, std::uint64_t tokens) {
  const bool is_stack = tensor.role == spec::Role::kExpertsGate || tensor.role == spec::Role::kExpertsUp ||
                        tensor.role == spec::Role::kExpertsGateUp || tensor.role == spec::Role::kExpertsDown;
  if (!is_stack) return {};
  const spec::MoeSpec& moe = *model.layers[static_cast<std::size_t>(tensor.layer)].ffn->moe;
  const double used = static_cast<double>(moe.n_used) / moe.n_experts;
  return {.read = 1 - std::pow(1 - used, static_cast<double>(tokens)), .used = used};
}

std::uint64_t& macs_of(StepWork& work, kernels::Arithmetic arithmetic) {
  return work.macs[static_cast<std::size_t>(arithmetic)];
}

}  // namespace

StepWork work_of(const spec::ModelSpec& model, const file::Inventory& inventory, const kv::CacheShape& cache,
                 const kernels::KernelTable& kernels, const StepShape& step) {
  StepWork work;
  const std::uint64_t tokens = std::uint64_t{step.tokens} * step.sequences;
  for (const spec::TensorSpec& tensor : model.tensors) {
    const file::TensorInfo* info = inventory.find(tensor.name);
    if (info == nullptr) continue;
    const bool head = is_output_head(model, tensor.role);
    const bool looked_up = (tensor.role == spec::Role::kTokenEmbedding && !head) ||
                           tensor.role == spec::Role::kPerLayerEmbedding ||
                           tensor.role == spec::Role::kTokenExperts;
    if (looked_up) continue;  // a row per token
    const Share share = share_of(model, tensor, tokens);
    work.weight_bytes += static_cast<std::uint64_t>(static_cast<double>(info->bytes.size()) * share.read);
    if (tensor.is_f32 || tensor.shape.rows() == 1) continue;
    const kernels::Arithmetic arithmetic = kernels.panel[static_cast<std::size_t>(info->dtype)].arithmetic;
    macs_of(work, arithmetic) += static_cast<std::uint64_t>(
        static_cast<double>(tensor.shape.elements() * (head ? step.sequences : tokens)) * share.used);
  }
  const bool float_attention = cache.type == DType::kF32 ||
                               kernels.pack[static_cast<std::size_t>(kernels::Arithmetic::kBf16)] == nullptr;
  const auto attention = float_attention ? kernels::Arithmetic::kFloat : kernels::Arithmetic::kBf16;
  for (std::size_t li = 0; li < cache.layers.size(); ++li) {
    if (!model.layers[li].attention) continue;
    const spec::AttentionSpec& a = *model.layers[li].attention;
    const kv::LayerShape& layer = cache.layers[a.kv_layer];
    const std::uint64_t seen = keys_seen(layer, step);
    macs_of(work, attention) += seen * a.n_heads * (layer.key_dim + layer.value_dim) * step.sequences;
    const std::uint64_t context = std::uint64_t{step.depth} + step.tokens;
    const std::uint64_t rows =
        layer.window > 0 ? std::min<std::uint64_t>(context, std::uint64_t{layer.window} + step.tokens - 1)
                         : context;
    work.kv_bytes += rows * (kv::key_row_bytes(layer, cache.type) + kv::value_row_bytes(layer, cache.type)) *
                     step.sequences;
  }
  return work;
}

}  // namespace cistern::plan
