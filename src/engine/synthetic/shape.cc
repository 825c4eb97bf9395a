#include "engine/synthetic/shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/nearest.h"
#include "engine/synthetic/habits.h"
#include "engine/synthetic/vocabulary.h"
#include "spec/registry.h"

namespace cistern::engine {
namespace {

constexpr std::uint32_t kMaxLayers = 4096;
constexpr std::uint32_t kMaxDim = 1U << 20U;
constexpr std::uint32_t kMaxVocab = 1U << 20U;  // every token is held in memory while the file is written
constexpr std::uint32_t kMaxContext = 1U << 30U;
constexpr std::uint32_t kMaxExperts = 1U << 14U;
constexpr std::uint32_t kMaxUsed = 256;

std::unexpected<Error> bad_option(std::string_view option, std::string message) {
  return fail(ErrorCode::kUsage, std::move(message), std::string(option));
}

std::vector<std::string> architecture_names() {
  std::vector<std::string> names;
  for (const spec::Architecture& known : spec::architectures()) names.emplace_back(known.name);
  return names;
}

std::string did_you_mean(std::string_view typed, const std::vector<std::string>& names) {
  const std::string name = nearest(std::string(typed), names);
  return name.empty() ? std::string() : fmt::format("; did you mean {}?", name);
}

}  // namespace

Result<ModelShape> find_shape(std::string_view name) {
  const auto row = std::ranges::find(model_shapes(), name, &ModelShape::name);
  if (row != model_shapes().end()) return *row;
  std::vector<std::string> names;
  for (const ModelShape& shape : model_shapes()) names.emplace_back(shape.name);
  return bad_option("--shape",
                    fmt::format("unknown shape '{}'{} (--list has them)", name, did_you_mean(name, names)));
}

void set_architecture(ModelShape& shape, std::string_view arch) {
  if (shape.arch == arch) return;
  const Habits& old_habits = habits_of(shape.arch);
  const Habits& habits = habits_of(arch);
  shape.arch = arch;
  if (habits.tied || old_habits.tied) shape.tied = habits.tied;
  shape.window = habits.window;
  shape.experts = shape.experts_used = shape.expert_ffn = shape.shared_experts = 0;
  shape.q_rank = shape.kv_rank = shape.rope_dim = 0;
  shape.traits = {};
}

ModelShape completed(ModelShape shape) {
  const Habits& habits = habits_of(shape.arch);
  const auto complete = [&shape](std::uint32_t& number, const Amount& usual) {
    if (number == 0) number = usual.in(shape);
  };
  complete(shape.experts, habits.experts.count);
  if (shape.experts > 0) {
    const Habits::Experts& experts = habits.experts;
    if (shape.experts_used == 0) shape.experts_used = std::clamp(experts.used.in(shape), 1U, shape.experts);
    complete(shape.expert_ffn, experts.ffn);
    complete(shape.expert_ffn, part(Of::kFfn));
    complete(shape.shared_experts, experts.shared);
  }
  complete(shape.q_rank, habits.latent.q_rank);
  complete(shape.kv_rank, habits.latent.kv_rank);
  complete(shape.rope_dim, habits.rope_dim);
  complete(shape.rope_dim, part(Of::kHeadDim));
  return shape;
}

Result<void> check_shape(const ModelShape& shape) {
  const std::vector<std::string> archs = architecture_names();
  if (std::ranges::find(archs, shape.arch) == archs.end()) {
    return fail(ErrorCode::kUnsupported,
                fmt::format("architecture '{}' is not known{}", shape.arch, did_you_mean(shape.arch, archs)),
                "--arch");
  }
  struct Bound {
    std::string_view option;
    std::uint32_t value, low, high;
  };
  for (const Bound& bound :
       {Bound{"--layers", shape.layers, 1, kMaxLayers}, Bound{"--dim", shape.dim, 1, kMaxDim},
        Bound{"--ffn", shape.ffn, 1, kMaxDim}, Bound{"--heads", shape.heads, 1, kMaxDim},
        Bound{"--kv-heads", shape.kv_heads, 1, kMaxDim}, Bound{"--head-dim", shape.head_dim, 2, kMaxDim},
        Bound{"--vocab", shape.vocab, kMinVocabulary, kMaxVocab},
        Bound{"--context", shape.context_tokens, 1, kMaxContext},
        Bound{"--experts", shape.experts, 0, kMaxExperts},
        Bound{"--experts-used", shape.experts_used, shape.experts > 0 ? 1U : 0U,
              std::min(shape.experts, kMaxUsed)},
        Bound{"--expert-ffn", shape.expert_ffn, 0, kMaxDim},
        Bound{"--shared-experts", shape.shared_experts, 0, kMaxUsed}}) {
    if (bound.value >= bound.low && bound.value <= bound.high) continue;
    return bad_option(bound.option,
                      fmt::format("is {}, must be between {} and {}", bound.value, bound.low, bound.high));
  }
  if (shape.heads % shape.kv_heads != 0) {
    return bad_option("--kv-heads",
                      fmt::format("{} does not divide the {} query heads", shape.kv_heads, shape.heads));
  }
  if (shape.head_dim % 2 != 0) {
    return bad_option("--head-dim", fmt::format("is {}, must be even: rope turns pairs", shape.head_dim));
  }
  if (std::uint64_t{shape.heads} * shape.head_dim > kMaxDim) {
    return bad_option("--heads", fmt::format("{} heads of {} values are beyond any model: at most {} in all",
                                             shape.heads, shape.head_dim, kMaxDim));
  }
  if (!std::isfinite(shape.rope_base) || shape.rope_base <= 1) {
    return bad_option("--rope-base", fmt::format("is {}, must be a number above 1", shape.rope_base));
  }
  return {};
}

}  // namespace cistern::engine
