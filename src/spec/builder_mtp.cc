// The part of the Builder that knows layers which predict further tokens: what such a layer has beside the
// tensors of its kind. Names as converters write them; a deeper one of several is never used.
#include <algorithm>
#include <memory>
#include <utility>

#include "spec/builder.h"

namespace cistern::spec {

// The model of the last layer. What several models have in common keeps its name, so that it is counted once.
ModelSpec Builder::mtp_model(int layer) const {
  ModelSpec mtp = model;
  mtp.joins_hidden = true;
  mtp.n_further_layers = 0;
  mtp.layers = {model.layers.back()};
  if (mtp.layers[0].attention) mtp.layers[0].attention->kv_layer = 0;
  mtp.tensors.clear();
  for (const TensorSpec& tensor : model.tensors) {
    if (tensor.layer != layer) continue;
    mtp.tensors.push_back(tensor);
    mtp.tensors.back().layer = 0;
  }
  const auto add = [&](std::string name, Shape shape, Role role) {
    mtp.tensors.push_back(
        {.name = std::move(name), .shape = shape, .role = role, .is_f32 = shape.rows() == 1});
  };
  const auto own_or = [&](std::string_view own, const char* of_the_model) {
    std::string name = in_layer(layer, own);
    return has_tensor(name, false) ? name : std::string(of_the_model);
  };
  const std::uint64_t dim = model.dim;
  add(in_layer(layer, "nextn.enorm.weight"), Shape(dim), Role::kMtpTokenNorm);
  add(in_layer(layer, "nextn.hnorm.weight"), Shape(dim), Role::kMtpHiddenNorm);
  add(in_layer(layer, "nextn.eh_proj.weight"), Shape(2 * dim, dim), Role::kMtpProj);
  add(own_or("nextn.embed_tokens.weight", "token_embd.weight"), Shape(dim, model.n_vocab),
      Role::kTokenEmbedding);
  add(own_or("nextn.shared_head_norm.weight", "output_norm.weight"), Shape(dim), Role::kOutputNorm);
  const char* head = model.tied_output ? "token_embd.weight" : "output.weight";
  add(own_or("nextn.shared_head_head.weight", head), Shape(dim, model.n_vocab), Role::kOutput);
  mtp.tied_output = false;
  return mtp;
}

void Builder::split_mtp() {
  if (!has_mtp_) return;
  const int layer = static_cast<int>(model.layers.size()) - 1;
  auto mtp = std::make_shared<ModelSpec>(mtp_model(layer));
  model.layers.pop_back();
  std::erase_if(model.tensors, [layer](const TensorSpec& tensor) { return tensor.layer == layer; });
  has_mtp_ = false;
  const bool complete = std::ranges::all_of(mtp->tensors, [this](const TensorSpec& tensor) {
    return tensor.optional || has_tensor(tensor.name, true);
  });
  if (complete) model.mtp = std::move(mtp);
}

}  // namespace cistern::spec
