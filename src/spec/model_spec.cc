#include "spec/model_spec.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "file/printable.h"
#include "quant/format.h"
#include "spec/registry.h"

namespace cistern::spec {
namespace {

std::string describe_shape(const Shape& shape) {
  return shape.rows() == 1 ? fmt::format("[{}]", shape.cols())
                           : fmt::format("[{}, {}]", shape.cols(), shape.rows());
}

Result<void> check_tensor(const file::Inventory& inventory, const TensorSpec& expected) {
  const file::TensorInfo* info = inventory.find(expected.name);
  const std::string where = fmt::format("{}: tensor '{}'", inventory.metadata.where(), expected.name);
  if (info == nullptr) {
    if (expected.optional) return {};
    return fail(ErrorCode::kFormat, "is missing; the file is incomplete or of another architecture", where);
  }
  const std::string at = fmt::format("{} at byte {}", where, info->offset);
  if (info->shape != expected.shape) {
    return fail(ErrorCode::kFormat,
                fmt::format("has shape {}, must be {} by the metadata; the file is damaged",
                            describe_shape(info->shape), describe_shape(expected.shape)),
                at);
  }
  const quant::Format& format = quant::format_of(info->dtype);
  if (expected.is_index) {
    if (info->dtype == DType::kI32) return {};
    return fail(ErrorCode::kUnsupported, fmt::format("is of type {}; a table must be I32", format.name), at);
  }
  if (format.dequantize == nullptr) {
    return fail(ErrorCode::kUnsupported, fmt::format("is of type {}, which is no weight type", format.name),
                at);
  }
  if (expected.is_f32 && info->dtype != DType::kF32) {
    return fail(ErrorCode::kUnsupported,
                fmt::format("is of type {}; norms and biases must be F32", format.name), at);
  }
  return {};
}

// Whether the tensor is of a layer that is no part of the plain forward pass.
bool is_further(std::string_view name, const ModelSpec& model) {
  constexpr std::string_view kPrefix = "blk.";
  if (!name.starts_with(kPrefix)) return false;
  std::size_t layer = 0;
  const auto parsed = std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), layer);
  return parsed.ec == std::errc() && layer >= model.layers.size() &&
         layer < model.layers.size() + model.n_further_layers;
}

// A tensor that the architecture has no use for would silently change what the model is (contract 5).
Result<void> check_no_strangers(const file::Inventory& inventory, const ModelSpec& model) {
  std::set<std::string_view> known;
  for (const TensorSpec& tensor : model.tensors) known.insert(tensor.name);
  for (const file::TensorInfo& info : inventory.tensors()) {
    if (known.contains(info.name) || is_further(info.name, model)) continue;
    return fail(
        ErrorCode::kUnsupported,
        fmt::format("is not part of the architecture '{}' as Cistern knows it; running without it could give "
                    "wrong answers",
                    model.arch),
        fmt::format("{}: tensor '{}' at byte {}", inventory.metadata.where(), file::printable(info.name),
                    info.offset));
  }
  return {};
}

// A decoder turned encoder says so by a key alone.
Result<void> check_causality(Builder& builder) {
  CISTERN_TRY(const bool causal, builder.flag_or("attention.causal", builder.model.causal));
  if (causal == builder.model.causal) return {};
  bool has_windows = false;
  builder.for_attention([&](const AttentionSpec& a) { has_windows = has_windows || a.window > 0; });
  if (has_windows) {
    return builder.unsupported("attention.causal", "false is not supported for windows of this architecture");
  }
  return builder.set_bidirectional();
}

Result<ModelSpec> build(const file::Inventory& inventory, Source source) {
  CISTERN_TRY(const std::string_view arch, inventory.metadata.string("general.architecture"));
  for (const Architecture& architecture : architectures()) {
    if (architecture.name != arch) continue;
    CISTERN_TRY(Builder builder,
                Builder::create(inventory, std::string(arch), source, architecture.mtp == Mtp::kKnown));
    CISTERN_TRY_VOID(architecture.build(builder));
    CISTERN_TRY_VOID(check_causality(builder));
    builder.split_mtp();
    return std::move(builder.model);
  }
  std::vector<std::string_view> known;
  for (const Architecture& architecture : architectures()) known.push_back(architecture.name);
  return fail(ErrorCode::kUnsupported,
              fmt::format("architecture '{}' is not known; known are {}", file::printable(arch),
                          fmt::join(known, ", ")),
              fmt::format("{}: key 'general.architecture'", inventory.metadata.where()));
}

Result<ModelSpec> read_checked(const file::Inventory& inventory, Source source) {
  CISTERN_TRY(ModelSpec model, build(inventory, source));
  for (const TensorSpec& tensor : model.tensors) CISTERN_TRY_VOID(check_tensor(inventory, tensor));
  if (model.mtp) {
    for (const TensorSpec& tensor : model.mtp->tensors) CISTERN_TRY_VOID(check_tensor(inventory, tensor));
  }
  CISTERN_TRY_VOID(check_no_strangers(inventory, model));
  return model;
}

}  // namespace

bool is_expert_stack(Role role) noexcept {
  return role == Role::kExpertsGate || role == Role::kExpertsUp || role == Role::kExpertsGateUp ||
         role == Role::kExpertsDown;
}

bool is_looked_up(const ModelSpec& model, Role role) noexcept {
  return role == Role::kPerLayerEmbedding || (role == Role::kTokenEmbedding && !model.tied_output);
}

bool is_norm(Role role) noexcept {
  constexpr std::array kNorms = {Role::kEmbeddingNorm,
                                 Role::kOutputNorm,
                                 Role::kAttnNorm,
                                 Role::kQNorm,
                                 Role::kKNorm,
                                 Role::kPostAttnNorm,
                                 Role::kAttnOutNorm,
                                 Role::kQANorm,
                                 Role::kKvANorm,
                                 Role::kIndexKNorm,
                                 Role::kCompressNorm,
                                 Role::kIndexCompressNorm,
                                 Role::kSsmNorm,
                                 Role::kFfnNorm,
                                 Role::kPostFfnNorm,
                                 Role::kFfnOutNorm,
                                 Role::kPerLayerProjNorm,
                                 Role::kPerLayerNorm,
                                 Role::kLayerScale,
                                 Role::kRouterScale,
                                 Role::kExpertsDownScale,
                                 Role::kDensePostNorm,
                                 Role::kExpertsNorm,
                                 Role::kExpertsPostNorm,
                                 Role::kAltUpRouterNorm,
                                 Role::kAltUpScale,
                                 Role::kLaurelNorm,
                                 Role::kMtpTokenNorm,
                                 Role::kMtpHiddenNorm};
  return std::ranges::find(kNorms, role) != kNorms.end();
}

bool ModelSpec::needs_long_rope(std::uint64_t tokens) const {
  return std::ranges::any_of(ropes, [tokens](const RopeSpec& rope) {
    return !rope.inv_freq_long.empty() && tokens > rope.original_context;
  });
}

Result<ModelSpec> read_model_spec(const file::Inventory& inventory) {
  return read_checked(inventory, Source::kFile);
}

Result<ModelSpec> read_dataless_spec(const file::Inventory& inventory) {
  return read_checked(inventory, Source::kNoData);
}

Result<ModelSpec> plan_model_spec(const file::Inventory& metadata_only) {
  return build(metadata_only, Source::kMetadata);
}

}  // namespace cistern::spec
