#include "engine/synthetic/weights.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

namespace cistern::engine {
namespace {

using spec::Role;

// Of norms around 1 and of biases around 0: enough that leaving one out is seen.
constexpr float kSmall = 0.1F;

struct RoleDraw {
  Role role;
  float mean, deviation;
};

// Tables that are neither norms nor biases. Decays are -exp(.) of what was trained, and the steps that they
// are taken in softplus of a bias far below 0 (Gu & Dao 2023), so that states remember a dozen tokens.
constexpr std::array kTables = {
    RoleDraw{Role::kSsmA, -4.0F, 0.5F},           RoleDraw{Role::kSsmD, 1.0F, kSmall},
    RoleDraw{Role::kSsmDtBias, -4.0F, 0.5F},      RoleDraw{Role::kSelectionBias, 0.0F, 0.01F},
    RoleDraw{Role::kHyperOutScale, 1.0F, kSmall}, RoleDraw{Role::kHyperMixerScale, 1.0F, kSmall},
    RoleDraw{Role::kHyperFfnScale, 1.0F, kSmall},
};

// Matrices that quantizing tools leave as they are: they are small, and a layer hangs on each value of them.
constexpr std::array kNeverQuantized = {
    Role::kRouter,       Role::kPositionEmbedding, Role::kTokenTypes,   Role::kHyperOutFn,
    Role::kHyperMixerFn, Role::kHyperFfnFn,        Role::kAltUpProj,    Role::kAltUpUnembdProj,
    Role::kAltUpRouter,  Role::kAltUpPredict,      Role::kAltUpCorrect, Role::kLaurelLeft,
    Role::kLaurelRight,  Role::kPerLayerModelProj,
};

// Matrices with rows as long as a head or the like, which the blocks of many types do not divide.
constexpr std::array kNarrowRows = {Role::kWkB, Role::kWvB, Role::kSsmFB, Role::kSsmGB, Role::kPerLayerProj};

// Matrices whose product is added to the residual stream.
constexpr std::array kAdded = {Role::kWo, Role::kWDown, Role::kSsmOut, Role::kExpertsDown, Role::kSharedDown};

bool is_in(std::span<const Role> roles, Role role) {
  return std::ranges::find(roles, role) != roles.end();
}

// A product with 1/sqrt(columns) keeps the size of its input. What is added to the residual stream is divided
// by the number of additions, as GPT-2 began (Radford et al. 2019), so that no layer drowns the ones before
// it. Embeddings have the size of a normed vector, unless they are the output head too, which wants
// 1/sqrt(columns). The keys' half of latent attention stands for its transpose, which widens the latent.
float matrix_deviation(const spec::TensorSpec& tensor, const ModelShape& shape) {
  const double narrow = 1.0 / std::sqrt(static_cast<double>(tensor.shape.cols()));
  if (tensor.role == Role::kTokenEmbedding) return static_cast<float>(shape.tied ? narrow : 1.0);
  if (tensor.role == Role::kWkB)
    return static_cast<float>(1.0 / std::sqrt(static_cast<double>(tensor.shape.dim(1))));
  if (tensor.role == Role::kPerLayerEmbedding) {  // of all layers, each multiplied by the root of its size
    return static_cast<float>(narrow * std::sqrt(static_cast<double>(shape.layers)));
  }
  if (is_in(kAdded, tensor.role)) return static_cast<float>(narrow / std::sqrt(2.0 * shape.layers));
  return static_cast<float>(narrow);
}

}  // namespace

WeightDraw weight_draw(const spec::TensorSpec& tensor, const ModelShape& shape) {
  if (tensor.is_index)
    return {.kind = WeightKind::kIndices, .mean = 0, .deviation = 0, .bound = shape.experts};
  if (tensor.role == Role::kRouterBias && shape.router_skew > 0)
    return {.kind = WeightKind::kRanks, .mean = 0, .deviation = shape.router_skew};
  const auto table = std::ranges::find(kTables, tensor.role, &RoleDraw::role);
  if (table != kTables.end())
    return {.kind = WeightKind::kFloats, .mean = table->mean, .deviation = table->deviation};
  if (tensor.role == Role::kSharedRouter)  // one row, but that of a product
    return {.kind = WeightKind::kFloats, .mean = 0, .deviation = matrix_deviation(tensor, shape)};
  if (tensor.shape.rows() == 1 || spec::is_norm(tensor.role)) {
    const float mean = spec::is_norm(tensor.role) ? 1.0F : 0.0F;
    return {.kind = WeightKind::kFloats, .mean = mean, .deviation = kSmall};
  }
  WeightKind kind = WeightKind::kMatrix;
  if (is_in(kNarrowRows, tensor.role)) kind = WeightKind::kNarrow;
  if (tensor.is_f32 || is_in(kNeverQuantized, tensor.role)) kind = WeightKind::kFloats;
  return {.kind = kind, .mean = 0, .deviation = matrix_deviation(tensor, shape)};
}

}  // namespace cistern::engine
