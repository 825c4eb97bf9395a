#include "spec/rope.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

namespace cistern::spec {
namespace {

constexpr float kDefaultBase = 10000.0F;

// Peng et al. 2023, equations 19 to 23, with the rounding of the published implementation.
struct Yarn {
  float base, factor, beta_fast, beta_slow;
  bool truncate;
};

void apply_yarn(RopeSpec& rope, const Yarn& yarn) {
  const double dims = rope.dims;
  const auto pair_that_turns = [&](double rotations) {
    return dims * std::log(rope.original_context / (rotations * 2 * std::numbers::pi)) /
           (2 * std::log(double{yarn.base}));
  };
  const double first = pair_that_turns(yarn.beta_fast);
  const double last = pair_that_turns(yarn.beta_slow);
  const double low = std::max(yarn.truncate ? std::floor(first) : first, 0.0);
  double high = std::min(yarn.truncate ? std::ceil(last) : last, dims - 1);
  if (high <= low) high = low + 0.001;
  for (std::size_t i = 0; i < rope.inv_freq.size(); ++i) {
    const double ramp = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    const double original = rope.inv_freq[i];
    rope.inv_freq[i] = static_cast<float>(original / yarn.factor * ramp + original * (1 - ramp));
  }
}

// A factor tensor divides the frequencies.
Result<void> divide_by_tensor(const Builder& builder, std::string_view name, std::vector<float>& inv_freq) {
  const file::TensorInfo* info = builder.inventory().find(name);
  if (info == nullptr) return {};
  const std::string where =
      fmt::format("{}: tensor '{}' at byte {}", builder.metadata().where(), name, info->offset);
  if (info->dtype != DType::kF32 || info->shape != Shape(inv_freq.size())) {
    return fail(ErrorCode::kFormat,
                fmt::format("must be {} values of type F32, one per rotated pair", inv_freq.size()), where);
  }
  for (std::size_t i = 0; i < inv_freq.size(); ++i) {
    float factor = 0;
    std::memcpy(&factor, info->bytes.data() + i * sizeof(float), sizeof(float));
    if (!std::isfinite(factor) || factor <= 0) {
      return fail(ErrorCode::kFormat, fmt::format("value {} is {}, must be positive", i, factor), where);
    }
    inv_freq[i] /= factor;
  }
  return {};
}

void expect_tensor(Builder& builder, std::string name, std::uint64_t size) {
  builder.add(std::move(name), Shape(size), Role::kRopeFactors, kNoLayer, true);
}

Result<std::string> scaling_type(const Builder& builder) {
  const std::string key = builder.key("rope.scaling.type");
  CISTERN_TRY(const std::optional<std::string_view> type, builder.metadata().find_string(key));
  if (type) return std::string(*type);
  const bool has_long = builder.inventory().find("rope_factors_long.weight") != nullptr;
  if (has_long) return std::string("longrope");
  // Files from before rope.scaling.* say only rope.scale_linear.
  return std::string(builder.metadata().has(builder.key("rope.scale_linear")) ? "linear" : "none");
}

Result<void> scale(Builder& builder, RopeSpec& rope, float base, const RopeOptions& options) {
  CISTERN_TRY(const std::string type, scaling_type(builder));
  CISTERN_TRY(float factor, builder.positive_or("rope.scale_linear", 1.0F));
  CISTERN_TRY(factor, builder.positive_or("rope.scaling.factor", factor));
  CISTERN_TRY(const auto original, builder.find_u32("rope.scaling.original_context_length", 1, ~0U));
  CISTERN_TRY(const auto attention_factor, builder.find_positive("rope.scaling.attn_factor"));
  rope.original_context = original.value_or(builder.model.context_tokens);
  rope.attention_factor = attention_factor.value_or(1.0F);

  if (type == "none") return {};
  if (type == "linear") {
    for (float& f : rope.inv_freq) f /= factor;
    return {};
  }
  if (type == "yarn") {
    CISTERN_TRY(const float beta_fast, builder.positive_or("rope.scaling.yarn_beta_fast", 32.0F));
    CISTERN_TRY(const float beta_slow, builder.positive_or("rope.scaling.yarn_beta_slow", 1.0F));
    CISTERN_TRY(const auto yarn_factor, builder.find_positive("rope.scaling.yarn_attn_factor"));
    const float computed = factor > 1 ? 0.1F * std::log(factor) + 1.0F : 1.0F;
    rope.attention_factor = attention_factor.value_or(yarn_factor.value_or(computed));
    apply_yarn(rope, {.base = base,
                      .factor = factor,
                      .beta_fast = beta_fast,
                      .beta_slow = beta_slow,
                      .truncate = options.yarn_truncate});
    return {};
  }
  if (type == "longrope") {
    rope.inv_freq_long = rope.inv_freq;
    CISTERN_TRY_VOID(divide_by_tensor(builder, "rope_factors_short.weight", rope.inv_freq));
    return divide_by_tensor(builder, "rope_factors_long.weight", rope.inv_freq_long);
  }
  auto error =
      builder.bad_key("rope.scaling.type",
                      fmt::format("'{}' is not supported; known are none, linear, yarn, longrope", type));
  error.error().code = ErrorCode::kUnsupported;
  return error;
}

}  // namespace

RopeSpec plain_rope(RopeStyle style, std::uint32_t dims, float base) {
  RopeSpec rope{.style = style, .dims = dims};
  for (std::uint32_t i = 0; i < dims; i += 2) {
    rope.inv_freq.push_back(static_cast<float>(1.0 / std::pow(double{base}, static_cast<double>(i) / dims)));
  }
  return rope;
}

Result<RopeSpec> read_rope(Builder& builder, RopeStyle style, const RopeOptions& options) {
  std::uint32_t head_dim = kMaxDim;
  builder.for_attention([&](const AttentionSpec& a) { head_dim = std::min(head_dim, a.head_dim); });
  CISTERN_TRY(const auto dims,
              builder.find_u32("rope.dimension_count", 2, options.dims > 0 ? kMaxDim : head_dim));
  const std::uint32_t rotated = options.dims > 0 ? options.dims : dims.value_or(head_dim);
  if (rotated % 2 != 0) {
    return builder.bad_key("rope.dimension_count", fmt::format("is {}, must be even", rotated));
  }
  CISTERN_TRY(const float file_base, builder.positive_or("rope.freq_base", kDefaultBase));
  const float base = options.base > 0 ? options.base : file_base;
  if (base <= 1) return builder.bad_key("rope.freq_base", fmt::format("is {}, must be above 1", base));

  RopeSpec rope = plain_rope(style, rotated, base);
  CISTERN_TRY_VOID(scale(builder, rope, base, options));
  CISTERN_TRY_VOID(divide_by_tensor(builder, "rope_freqs.weight", rope.inv_freq));
  for (const char* name : {"rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"}) {
    expect_tensor(builder, name, rotated / 2);
  }
  return rope;
}

}  // namespace cistern::spec
