#include "engine/synthetic/shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/nearest.h"
#include "engine/synthetic/vocabulary.h"
#include "spec/registry.h"

namespace cistern::engine {
namespace {

constexpr std::uint32_t kMaxLayers = 4096;
constexpr std::uint32_t kMaxDim = 1U << 20U;
constexpr std::uint32_t kMaxVocab = 1U << 20U;  // every token is held in memory while the file is written
constexpr std::uint32_t kMaxContext = 1U << 30U;

// What an architecture always has, whoever's dimensions it is given.
struct Habit {
  std::string_view arch;
  bool tied;
  std::uint32_t window;
};
constexpr Habit kHabits[] = {
    {"gemma", true, 0}, {"gemma2", true, 4096}, {"gemma3", true, 1024}, {"gemma4", true, 1024}};

// Shapes that are spoken of and cannot be made yet.
struct Later {
  std::string_view name;
  std::string_view arch;
};
constexpr Later kLater[] = {{"M", "qwen3moe"}};

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
  const auto later = std::ranges::find(kLater, name, &Later::name);
  if (later != std::end(kLater)) {
    return fail(
        ErrorCode::kUnsupported,
        fmt::format("shape {} is of the architecture {}, which is not supported yet", name, later->arch),
        "--shape");
  }
  std::vector<std::string> names;
  for (const ModelShape& shape : model_shapes()) names.emplace_back(shape.name);
  return bad_option("--shape",
                    fmt::format("unknown shape '{}'{} (--list has them)", name, did_you_mean(name, names)));
}

void set_architecture(ModelShape& shape, std::string_view arch) {
  if (shape.arch == arch) return;
  shape.arch = arch;
  const auto habit = std::ranges::find(kHabits, arch, &Habit::arch);
  const bool has_habit = habit != std::end(kHabits);
  if (has_habit) shape.tied = habit->tied;
  shape.window = has_habit ? habit->window : 0;
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
        Bound{"--context", shape.context_tokens, 1, kMaxContext}}) {
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
