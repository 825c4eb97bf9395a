// The part of the Builder for Mamba 2 and short convolutions.
#include <fmt/format.h>

#include "spec/builder.h"

namespace cistern::spec {

Result<Mamba2Spec> Builder::read_mamba2() const {
  Mamba2Spec m;
  CISTERN_TRY(m.conv_width, require_u32("ssm.conv_kernel", 2, kMaxConvWidth));
  CISTERN_TRY(m.state_dim, require_u32("ssm.state_size", 1, kMaxDim));
  CISTERN_TRY(m.n_heads, require_u32("ssm.time_step_rank", 1, kMaxDim));
  CISTERN_TRY(m.n_groups, require_u32("ssm.group_count", 1, kMaxDim));
  CISTERN_TRY(const std::uint32_t inner, require_u32("ssm.inner_size", 1, kMaxDim));
  if (inner % m.n_heads != 0) {
    return bad_key("ssm.inner_size", fmt::format("{} is no multiple of the {} heads", inner, m.n_heads));
  }
  if (m.n_heads % m.n_groups != 0) {
    return bad_key("ssm.group_count", fmt::format("{} does not divide the {} heads", m.n_groups, m.n_heads));
  }
  m.head_dim = inner / m.n_heads;
  if (std::uint64_t{2} * m.n_groups * m.state_dim > kMaxDim) {
    return bad_key("ssm.state_size", fmt::format("{} values in each of {} groups are beyond any model",
                                                 m.state_dim, m.n_groups));
  }
  return m;
}

void Builder::add_mamba2(std::string_view norm, GatedNorm gated_norm) {
  for (int li = 0; li < static_cast<int>(model.layers.size()); ++li) {
    if (!model.layers[static_cast<std::size_t>(li)].mamba2) continue;
    const Mamba2Spec& m = *model.layers[static_cast<std::size_t>(li)].mamba2;
    const auto name = [li](std::string_view part) { return in_layer(li, part); };
    const std::uint64_t inner = m.inner_dim();
    if (!norm.empty()) add_norm(li, norm, model.dim, Role::kAttnNorm, Role::kAttnNormBias);
    add(name("ssm_in.weight"), Shape(model.dim, m.projected_dim()), Role::kSsmIn, li);
    add(name("ssm_in.bias"), Shape(m.projected_dim()), Role::kSsmInBias, li, true);
    add_f32(name("ssm_conv1d.weight"), Shape(m.conv_width, m.conv_dim()), Role::kSsmConv, li);
    add(name("ssm_conv1d.bias"), Shape(m.conv_dim()), Role::kSsmConvBias, li, true);
    add(name("ssm_dt.bias"), Shape(m.n_heads), Role::kSsmDtBias, li);
    add_f32(name("ssm_a"), Shape(1, m.n_heads), Role::kSsmA, li);
    add_f32(name("ssm_d"), Shape(1, m.n_heads), Role::kSsmD, li);
    add_f32(name("ssm_norm.weight"), Shape(inner / m.n_groups, m.n_groups), Role::kSsmNorm, li,
            gated_norm == GatedNorm::kOptional);
    add(name("ssm_out.weight"), Shape(inner, model.dim), Role::kSsmOut, li);
    add(name("ssm_out.bias"), Shape(model.dim), Role::kSsmOutBias, li, true);
  }
}

void Builder::add_short_conv() {
  for (int li = 0; li < static_cast<int>(model.layers.size()); ++li) {
    if (!model.layers[static_cast<std::size_t>(li)].short_conv) continue;
    const ShortConvSpec& conv = *model.layers[static_cast<std::size_t>(li)].short_conv;
    const auto name = [li](std::string_view part) { return in_layer(li, "shortconv.") + std::string(part); };
    const std::uint64_t dim = model.dim;
    add_norm(li, "attn_norm", dim, Role::kAttnNorm, Role::kAttnNormBias);
    add(name("in_proj.weight"), Shape(dim, 3 * dim), Role::kSsmIn, li);
    add(name("in_proj.bias"), Shape(3 * dim), Role::kSsmInBias, li, true);
    add_f32(name("conv.weight"), Shape(conv.width, dim), Role::kSsmConv, li);
    add(name("conv.bias"), Shape(dim), Role::kSsmConvBias, li, true);
    add(name("out_proj.weight"), Shape(dim, dim), Role::kSsmOut, li);
    add(name("out_proj.bias"), Shape(dim), Role::kSsmOutBias, li, true);
  }
}

}  // namespace cistern::spec
