// The part of the Decoder that follows the pooling of a text: dense layers of an embedding, and classifiers
// of rerankers.
#include "base/check.h"
#include "model/blocks.h"
#include "model/decoder.h"

namespace cistern::model {
namespace {

using spec::Role;

TensorView as_row(std::span<float> values) {
  return {.dtype = DType::kF32,
          .shape = Shape(values.size(), 1),
          .data = reinterpret_cast<std::byte*>(values.data())};
}

}  // namespace

bool Decoder::has_classifier() const {
  return weights_.global.has(Role::kClassifier) && weights_.global.has(Role::kClassifierOut);
}

Result<void> Decoder::run_dense_layers(std::span<float> pooled) {
  const std::uint32_t dense_dim = parts_.model.dense_dim;
  if (dense_dim == 0) return {};
  const Step step = step_of(1);
  Workspace memory(step);
  const TensorView row = memory.take(parts_.model.dim, 1);
  const TensorView wide = memory.take(dense_dim, 1);
  ops::copy(step.exec, as_row(pooled), row);
  CISTERN_TRY_VOID(project(step, weights_.global, row, {Role::kDense2, wide}));
  CISTERN_TRY_VOID(project(step, weights_.global, wide, {Role::kDense3, row}));
  ops::copy(step.exec, row, as_row(pooled));
  return {};
}

Result<std::span<const float>> Decoder::classify(std::span<float> pooled) {
  CISTERN_CHECK(has_classifier());
  const Step step = step_of(1);
  Workspace memory(step);
  const TensorView row = memory.take(parts_.model.dim, 1);
  const TensorView hidden = memory.take(parts_.model.dim, 1);
  const TensorView scores = memory.take(parts_.model.n_labels, 1);
  ops::copy(step.exec, as_row(pooled), row);
  CISTERN_TRY_VOID(project(step, weights_.global, row, {Role::kClassifier, hidden, Role::kClassifierBias}));
  ops::softcap(step.exec, 1.0F, hidden);  // tanh
  CISTERN_TRY_VOID(
      project(step, weights_.global, hidden, {Role::kClassifierOut, scores, Role::kClassifierOutBias}));
  return std::span<const float>(scores.f32(), scores.shape.elements());
}

}  // namespace cistern::model
