#include "plan/plan_row.h"

#include <array>

namespace cistern::plan {

std::string_view name_of(Verdict verdict) {
  constexpr std::array<std::string_view, 3> kNames = {"fits", "streams", "refused"};
  return kNames[static_cast<std::size_t>(verdict)];
}

ByteCounts byte_counts(const spec::ModelSpec& model, const file::Inventory& inventory,
                       const MemoryPlan& plan) {
  ByteCounts counts{.weights = plan.streaming ? plan.streaming->model_bytes : plan.weights_bytes,
                    .kv = plan.kv_bytes,
                    .buffers = plan.buffer_bytes,
                    .overhead = plan.overhead_bytes};
  for (const spec::TensorSpec& tensor : model.tensors) {
    const file::TensorInfo* info = inventory.find(tensor.name);
    if (info != nullptr && spec::is_expert_stack(tensor.role)) counts.experts += info->size_bytes;
  }
  return counts;
}

std::vector<OperatingPoint> operating_points(const spec::ModelSpec& model, const file::Inventory& inventory,
                                             const MemoryPlan& plan, const PointQuestion& question,
                                             const Forecast& forecast) {
  const std::uint32_t last = plan.cache.context_tokens > 0 ? plan.cache.context_tokens - 1 : 0;
  struct Asked {
    const char* what;
    StepShape step;
    const Interval& tok_s;
  };
  const std::uint32_t n = question.sequences;
  std::vector<OperatingPoint> points;
  for (const Asked& asked :
       {Asked{"decode, empty context", {.sequences = n}, forecast.decode_tok_s},
        Asked{"decode, half full", {.depth = last / 2, .sequences = n}, forecast.decode_half_tok_s},
        Asked{"decode, full", {.depth = last, .sequences = n}, forecast.decode_full_tok_s},
        Asked{"prompt", {.tokens = question.prompt_tokens}, forecast.prefill_tok_s}}) {
    if (!is_usable(asked.tok_s)) continue;
    OperatingPoint point{.what = asked.what, .tok_s = asked.tok_s.mid};
    for (const WeightWork& w : weight_work_of(model, inventory, asked.step)) {
      point.bytes += w.bytes;
      point.macs += w.macs;
    }
    const CacheWork cache = cache_work_of(model, plan.cache, asked.step);
    point.bytes += static_cast<double>(cache.bytes);
    point.macs += static_cast<double>(cache.macs + cache.index_macs);
    const double tokens = static_cast<double>(asked.step.tokens) * asked.step.sequences;
    point.bytes /= tokens;
    point.macs /= tokens;
    points.push_back(std::move(point));
  }
  return points;
}

}  // namespace cistern::plan
