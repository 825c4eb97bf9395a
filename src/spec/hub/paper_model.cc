#include "spec/hub/paper_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "spec/builder.h"
#include "spec/hub/hub_config.h"
#include "spec/hub/known_models.h"

namespace cistern::spec::hub {
namespace {

constexpr std::uint64_t kAlignment = 32;  // of tensors in a file

// Of the architecture's optional tensors those that the model has.
bool is_wanted(const TensorSpec& tensor, const HubModel& hub, const ModelSpec& model) {
  if (!tensor.optional) return true;
  if (std::ranges::find(hub.also, tensor.role) == hub.also.end()) return false;
  if (tensor.layer == kNoLayer || static_cast<std::size_t>(tensor.layer) >= model.layers.size()) return true;
  const auto& attention = model.layers[static_cast<std::size_t>(tensor.layer)].attention;
  if (tensor.role != Role::kWv || !attention) return true;
  return !hub.keys_are_values || attention->window > 0;
}

// The layer that predicts a further token, behind the others, and what it does not share with them.
void add_further_layer(const ModelSpec& model, const HubModel& hub, std::vector<TensorSpec>& tensors) {
  if (!model.mtp) return;
  const int layer = static_cast<int>(model.layers.size());
  const auto is_there = [&model](const TensorSpec& tensor) {
    return std::ranges::find(model.tensors, tensor.name, &TensorSpec::name) != model.tensors.end();
  };
  for (TensorSpec tensor : model.mtp->tensors) {
    if (is_there(tensor) || (tensor.optional && std::ranges::find(hub.also, tensor.role) == hub.also.end()))
      continue;
    tensor.layer = layer;
    tensors.push_back(std::move(tensor));
  }
  if (!hub.own_further_embeddings) return;
  for (const char* name : {"nextn.embed_tokens.weight", "nextn.shared_head_head.weight"}) {
    tensors.push_back({.name = Builder::in_layer(layer, name),
                       .shape = Shape(model.dim, model.n_vocab),
                       .role = Role::kMtpProj,
                       .layer = layer});
  }
}

std::vector<TensorSpec> tensors_of(const ModelSpec& model, const HubModel& hub) {
  std::vector<TensorSpec> tensors;
  std::ranges::copy_if(model.tensors, std::back_inserter(tensors),
                       [&](const TensorSpec& tensor) { return is_wanted(tensor, hub, model); });
  add_further_layer(model, hub, tensors);
  std::ranges::stable_sort(tensors, {}, &TensorSpec::layer);
  return tensors;
}

Result<void> lay_out(PaperModel& paper, const std::vector<TensorSpec>& tensors,
                     const std::vector<Packing>& packings) {
  std::uint64_t offset = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const Shape& shape = tensors[i].shape;
    int n_dims = Shape::kMaxDims;
    while (n_dims > 1 && shape.dim(n_dims - 1) == 1) --n_dims;
    paper.names.push_back(tensors[i].name);
    const bool is_new = paper.inventory.insert(file::TensorInfo{.name = paper.names.back(),
                                                                .dtype = packings[i].dtype,
                                                                .shape = shape,
                                                                .n_dims = n_dims,
                                                                .offset = offset,
                                                                .size_bytes = packings[i].size_bytes});
    if (!is_new) {
      return fail(ErrorCode::kFormat, "is there twice", fmt::format("tensor '{}'", tensors[i].name));
    }
    if (packings[i].size_bytes > (std::uint64_t{1} << 61U) - offset)
      return fail(ErrorCode::kFormat, "is larger than any model", paper.name);
    offset += (packings[i].size_bytes + kAlignment - 1) / kAlignment * kAlignment;
  }
  return {};
}

Result<PaperModel> make(HubModel hub, const QuantMix& mix, std::string name) {
  PaperModel paper;
  paper.name = std::move(name);
  paper.quant = mix.name;
  paper.is_average = mix.file_type == nullptr;
  paper.header = std::move(hub.header);
  CISTERN_TRY(const file::ModelFiles files, file::open_model(paper.header, paper.name));
  paper.inventory.metadata = files.inventory.metadata;
  paper.inventory.version = files.inventory.version;
  CISTERN_TRY(const ModelSpec usual, plan_model_spec(paper.inventory));
  const std::vector<TensorSpec> tensors = tensors_of(usual, hub);
  CISTERN_TRY(const std::vector<Packing> packings, pack(mix, usual, tensors));
  CISTERN_TRY_VOID(lay_out(paper, tensors, packings));
  CISTERN_TRY(paper.spec, read_dataless_spec(paper.inventory));
  return paper;
}

}  // namespace

std::uint64_t PaperModel::n_parameters() const {
  std::uint64_t sum = 0;
  for (const file::TensorInfo& tensor : inventory.tensors()) sum += tensor.shape.elements();
  return sum;
}

Result<PaperModel> paper_model_of_config(std::string_view text, const std::string& where,
                                         std::string_view quant) {
  CISTERN_TRY(HubModel hub, read_hub_config(text, where));
  QuantMix mix = hub.quant.value_or(unquantized());
  if (!quant.empty()) {
    CISTERN_TRY(mix, find_quant(quant));
  }
  return make(std::move(hub), mix, where);
}

Result<PaperModel> paper_model_of_name(std::string_view name, std::string_view quant) {
  CISTERN_TRY(const KnownModel* known, find_known_model(name));
  CISTERN_TRY(HubModel hub, read_hub_config(known->config, known->name));
  QuantMix mix = hub.quant.value_or(unquantized());
  if (!quant.empty()) {
    CISTERN_TRY(mix, find_quant(quant));
  }
  // A dynamic mix differs from model to model: what was published of this one is nearer than a mean.
  const auto published = known->published_gb.find(mix.name);
  if (mix.scope == Scope::kDynamic && published != known->published_gb.end()) {
    constexpr double kGb = 1e9;
    mix.total_bytes = published->second * kGb;
  }
  CISTERN_TRY(PaperModel paper, make(std::move(hub), mix, known->name));
  paper.source = known->source;
  return paper;
}

NameAndQuant split_quant(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return {.name = text, .quant = {}};
  return {.name = text.substr(0, colon), .quant = text.substr(colon + 1)};
}

}  // namespace cistern::spec::hub
