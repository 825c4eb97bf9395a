#include "plan/model_work.h"

#include <algorithm>

#include "plan/step_work.h"

namespace cistern::plan {

Work model_work(const spec::ModelSpec& model, const file::Inventory& inventory, const kv::CacheShape& cache,
                std::string_view quant, const WorkQuestion& question) {
  Work work{.weights = weight_class_of(quant),
            .prompt_tokens = question.prompt_tokens,
            .flash_attention = question.flash_attention};
  for (const spec::TensorSpec& tensor : model.tensors) {
    const file::TensorInfo* info = inventory.find(tensor.name);
    if (info == nullptr) continue;
    const auto bytes = static_cast<double>(info->size_bytes);
    work.file_bytes += bytes;
    if (spec::is_expert_stack(tensor.role)) work.routed_file_bytes += bytes;
  }
  for (const WeightWork& weights : weight_work_of(model, inventory, {})) {
    (weights.routed ? work.routed_read_bytes : work.dense_read_bytes) += weights.bytes;
    (weights.routed ? work.routed_macs : work.dense_macs) += weights.macs;
  }
  for (const spec::LayerSpec& layer : model.layers) {
    const bool recurrent = layer.delta_net || layer.mamba2 || layer.short_conv;
    const bool attends = layer.attention || layer.mla || layer.compressed;
    work.layers += (recurrent || attends ? 0.5 : 0) + (layer.ffn ? 0.5 : 0);
    work.recurrent_layers += recurrent && !attends ? 1 : 0;
    work.latent_attention = work.latent_attention || layer.mla.has_value();
  }
  const auto tokens = static_cast<std::uint32_t>(std::max(1.0, question.prompt_tokens));
  const CacheWork decode =
      cache_work_of(model, cache, {.depth = static_cast<std::uint32_t>(question.decode_depth)});
  const CacheWork prompt = cache_work_of(
      model, cache, {.depth = static_cast<std::uint32_t>(question.prompt_depth), .tokens = tokens});
  work.kv_bytes = static_cast<double>(decode.bytes);
  work.attention_macs = static_cast<double>(decode.macs + decode.index_macs);
  work.prompt_attention_macs = static_cast<double>(prompt.macs + prompt.index_macs) / tokens;
  return work;
}

}  // namespace cistern::plan
