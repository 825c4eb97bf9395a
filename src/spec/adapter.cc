#include "spec/adapter.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "file/printable.h"
#include "quant/format.h"

namespace cistern::spec {
namespace {

constexpr std::uint64_t kMostRank = 1U << 14U;
constexpr std::string_view kSuffixA = ".lora_a";
constexpr std::string_view kSuffixB = ".lora_b";

std::string describe_shape(const Shape& shape) {
  return shape.dim(2) == 1 ? fmt::format("[{}, {}]", shape.cols(), shape.dim(1))
                           : fmt::format("[{}, {}, {}]", shape.cols(), shape.dim(1), shape.dim(2));
}

// Matrices of the tensor that each token meets.
std::uint64_t matrices_per_token(const ModelSpec& model, const TensorSpec& tensor) {
  const bool of_layer = tensor.layer != kNoLayer;
  const LayerSpec layer = of_layer ? model.layers[static_cast<std::size_t>(tensor.layer)] : LayerSpec();
  switch (adapter_use(tensor.role)) {
    case AdapterUse::kExperts:
      return layer.ffn->moe->n_used;
    case AdapterUse::kHeads:
      if (tensor.role == Role::kWoA) return layer.compressed->out_groups;
      return tensor.shape.dim(2);
    case AdapterUse::kNone:
    case AdapterUse::kProduct:
    case AdapterUse::kLookup:
      break;
  }
  return 1;
}

class AdapterReader {
 public:
  AdapterReader(const file::Inventory& adapter, const ModelSpec& model, const file::Inventory& base,
                float scale)
      : adapter_(adapter), model_(model), base_(base), scale_(scale) {}

  Result<AdapterSpec> read() {
    CISTERN_TRY_VOID(check_metadata());
    CISTERN_TRY_VOID(collect());
    AdapterSpec spec;
    for (const auto& [name, sides] : sides_) {
      CISTERN_TRY(const LowRankPair pair, pair_of(name, sides));
      if (scale_ != 0) spec.pairs.push_back(pair);
    }
    return spec;
  }

 private:
  // Positions of the two tensors of a pair.
  struct Sides {
    std::optional<std::size_t> a, b;
  };

  const file::TensorInfo& tensor(std::size_t i) const { return adapter_.tensors()[i]; }

  std::string where(std::string_view name) const {
    return fmt::format("{}: tensor '{}'", adapter_.metadata.where(), file::printable(name));
  }

  std::unexpected<Error> refuse(std::string_view name, std::string message) const {
    return fail(ErrorCode::kUnsupported, std::move(message), where(name));
  }
  std::unexpected<Error> malformed(std::string_view name, std::string message) const {
    return fail(ErrorCode::kFormat, std::move(message), where(name));
  }

  Result<void> check_metadata() {
    const file::Metadata& metadata = adapter_.metadata;
    CISTERN_TRY(const auto type, metadata.find_string("general.type"));
    if (type != "adapter") {
      return fail(ErrorCode::kFormat,
                  fmt::format("is no adapter: general.type is {}",
                              type ? fmt::format("'{}'", file::printable(*type)) : "not there"),
                  metadata.where());
    }
    CISTERN_TRY(const std::string_view kind, metadata.string("adapter.type"));
    if (kind != "lora") {
      return fail(ErrorCode::kUnsupported,
                  fmt::format("is '{}'; Cistern knows adapters of type 'lora' only", file::printable(kind)),
                  metadata.where("adapter.type"));
    }
    CISTERN_TRY(const std::string_view arch, metadata.string("general.architecture"));
    if (arch != model_.arch) {
      return fail(ErrorCode::kFormat,
                  fmt::format("is for models of architecture '{}', but {} is '{}'", file::printable(arch),
                              base_.metadata.where(), model_.arch),
                  metadata.where());
    }
    // Adapters that act on part of a text, or want a prefix before it, say so by keys of their own.
    for (const std::string_view key : metadata.keys()) {
      if (!key.starts_with("adapter.") || key == "adapter.type" || key == "adapter.lora.alpha") continue;
      return fail(ErrorCode::kUnsupported,
                  "is a kind of adapter that Cistern does not know; only plain LoRA is applied",
                  metadata.where(key));
    }
    CISTERN_TRY(const auto alpha, metadata.find_number("adapter.lora.alpha"));
    alpha_ = alpha.value_or(0);
    if (!std::isfinite(alpha_) || !std::isfinite(static_cast<float>(alpha_))) {
      return fail(ErrorCode::kFormat, "is no finite number", metadata.where("adapter.lora.alpha"));
    }
    return {};
  }

  Result<void> collect() {
    for (std::size_t i = 0; i < adapter_.tensors().size(); ++i) {
      const std::string_view name = tensor(i).name;
      if (name.ends_with(kSuffixA)) {
        sides_[name.substr(0, name.size() - kSuffixA.size())].a = i;
      } else if (name.ends_with(kSuffixB)) {
        sides_[name.substr(0, name.size() - kSuffixB.size())].b = i;
      } else {
        return refuse(name, "is no lora_a or lora_b; whole tensors in an adapter are not applied");
      }
      if (quant::format_of(tensor(i).dtype).dequantize == nullptr) {
        return refuse(name, fmt::format("is of type {}, which is no weight type",
                                        quant::format_of(tensor(i).dtype).name));
      }
    }
    if (sides_.empty()) {
      return fail(ErrorCode::kFormat, "has no tensors: it changes nothing", adapter_.metadata.where());
    }
    return {};
  }

  Result<const TensorSpec*> target_of(std::string_view name) const {
    for (const TensorSpec& target : model_.tensors) {
      if (target.name != name || base_.find(name) == nullptr) continue;
      if (adapter_use(target.role) != AdapterUse::kNone) return &target;
      return refuse(name, "is no matrix of a product; an adapter of it is not applied");
    }
    return refuse(name, fmt::format("is changed by the adapter, but {} has no such tensor; it may be for "
                                    "another model",
                                    base_.metadata.where()));
  }

  Result<LowRankPair> pair_of(std::string_view name, const Sides& sides) const {
    if (!sides.a || !sides.b) {
      const std::string_view there = sides.a ? kSuffixA : kSuffixB;
      const std::string_view missing = sides.a ? kSuffixB : kSuffixA;
      return malformed(name, fmt::format("has a {} but no {}", there.substr(1), missing.substr(1)));
    }
    CISTERN_TRY(const TensorSpec* target, target_of(name));
    const file::TensorInfo& a = tensor(*sides.a);
    const file::TensorInfo& b = tensor(*sides.b);
    const std::uint64_t rank = b.shape.cols();
    if (rank > kMostRank) return malformed(name, fmt::format("has rank {}, over {}", rank, kMostRank));
    CISTERN_TRY_VOID(check_shapes(*target, rank, a, b));
    LowRankPair pair{.role = target->role,
                     .layer = target->layer,
                     .a = *sides.a,
                     .b = *sides.b,
                     .rank = rank,
                     .cols = a.shape.cols(),
                     .per_token = matrices_per_token(model_, *target),
                     .bytes = a.size_bytes + b.size_bytes};
    // Without an alpha the pair is as strong as it is trained.
    pair.scale = alpha_ == 0 ? scale_ : static_cast<float>(scale_ * alpha_ / static_cast<double>(rank));
    if (!std::isfinite(pair.scale)) return malformed(name, "gets a scale that is no finite number");
    return pair;
  }

  Result<void> check_shapes(const TensorSpec& target, std::uint64_t rank, const file::TensorInfo& a,
                            const file::TensorInfo& b) const {
    const Shape& base = target.shape;
    const AdapterUse use = adapter_use(target.role);
    Shape wanted_a(base.cols(), rank, base.dim(2));
    Shape wanted_b(rank, base.dim(1), base.dim(2));
    if (use == AdapterUse::kLookup) {
      wanted_a = Shape(rank, base.dim(1));
      wanted_b = Shape(rank, base.cols());
    }
    const auto check = [&](const file::TensorInfo& info, const Shape& wanted) -> Result<void> {
      const bool shared = use == AdapterUse::kHeads && info.shape == Shape(wanted.cols(), wanted.dim(1));
      if (info.shape == wanted || shared) return {};
      return malformed(info.name, fmt::format("has shape {}, must be {} at rank {} for a tensor of {}; the "
                                              "adapter may be for another model",
                                              describe_shape(info.shape), describe_shape(wanted), rank,
                                              describe_shape(base)));
    };
    CISTERN_TRY_VOID(check(a, wanted_a));
    return check(b, wanted_b);
  }

  const file::Inventory& adapter_;
  const ModelSpec& model_;
  const file::Inventory& base_;
  float scale_;
  double alpha_ = 0;
  std::map<std::string_view, Sides> sides_;  // by the name of the model's tensor
};

struct UseRow {
  Role role;
  AdapterUse use;
};
// Every role here has its products in model/ go through the functions of model/adapters.h.
constexpr std::array kUses = {
    UseRow{Role::kTokenEmbedding, AdapterUse::kLookup},
    UseRow{Role::kPerLayerEmbedding, AdapterUse::kLookup},
    UseRow{Role::kExpertsGate, AdapterUse::kExperts},
    UseRow{Role::kExpertsUp, AdapterUse::kExperts},
    UseRow{Role::kExpertsGateUp, AdapterUse::kExperts},
    UseRow{Role::kExpertsDown, AdapterUse::kExperts},
    UseRow{Role::kWkB, AdapterUse::kHeads},
    UseRow{Role::kWvB, AdapterUse::kHeads},
    UseRow{Role::kWoA, AdapterUse::kHeads},
    UseRow{Role::kAltUpProj, AdapterUse::kHeads},
    UseRow{Role::kAltUpUnembdProj, AdapterUse::kHeads},
    UseRow{Role::kOutput, AdapterUse::kProduct},
    UseRow{Role::kClassifier, AdapterUse::kProduct},
    UseRow{Role::kClassifierOut, AdapterUse::kProduct},
    UseRow{Role::kDense2, AdapterUse::kProduct},
    UseRow{Role::kDense3, AdapterUse::kProduct},
    UseRow{Role::kPerLayerModelProj, AdapterUse::kProduct},
    UseRow{Role::kPerLayerGate, AdapterUse::kProduct},
    UseRow{Role::kPerLayerProj, AdapterUse::kProduct},
    UseRow{Role::kAltUpRouter, AdapterUse::kProduct},
    UseRow{Role::kAltUpPredict, AdapterUse::kProduct},
    UseRow{Role::kAltUpCorrect, AdapterUse::kProduct},
    UseRow{Role::kLaurelLeft, AdapterUse::kProduct},
    UseRow{Role::kLaurelRight, AdapterUse::kProduct},
    UseRow{Role::kWq, AdapterUse::kProduct},
    UseRow{Role::kWk, AdapterUse::kProduct},
    UseRow{Role::kWv, AdapterUse::kProduct},
    UseRow{Role::kWqkv, AdapterUse::kProduct},
    UseRow{Role::kWo, AdapterUse::kProduct},
    UseRow{Role::kWqA, AdapterUse::kProduct},
    UseRow{Role::kWqB, AdapterUse::kProduct},
    UseRow{Role::kWkvA, AdapterUse::kProduct},
    UseRow{Role::kIndexWk, AdapterUse::kProduct},
    UseRow{Role::kIndexWq, AdapterUse::kProduct},
    UseRow{Role::kIndexWeights, AdapterUse::kProduct},
    UseRow{Role::kCompressGate, AdapterUse::kProduct},
    UseRow{Role::kCompressKv, AdapterUse::kProduct},
    UseRow{Role::kIndexCompressGate, AdapterUse::kProduct},
    UseRow{Role::kIndexCompressKv, AdapterUse::kProduct},
    UseRow{Role::kSsmIn, AdapterUse::kProduct},
    UseRow{Role::kSsmOut, AdapterUse::kProduct},
    UseRow{Role::kSsmGate, AdapterUse::kProduct},
    UseRow{Role::kSsmAlpha, AdapterUse::kProduct},
    UseRow{Role::kSsmBeta, AdapterUse::kProduct},
    UseRow{Role::kSsmBetaAlpha, AdapterUse::kProduct},
    UseRow{Role::kSsmFA, AdapterUse::kProduct},
    UseRow{Role::kSsmFB, AdapterUse::kProduct},
    UseRow{Role::kSsmGA, AdapterUse::kProduct},
    UseRow{Role::kSsmGB, AdapterUse::kProduct},
    UseRow{Role::kWGate, AdapterUse::kProduct},
    UseRow{Role::kWUp, AdapterUse::kProduct},
    UseRow{Role::kWGateUp, AdapterUse::kProduct},
    UseRow{Role::kWDown, AdapterUse::kProduct},
    UseRow{Role::kRouter, AdapterUse::kProduct},
    UseRow{Role::kSharedRouter, AdapterUse::kProduct},
    UseRow{Role::kSharedGate, AdapterUse::kProduct},
    UseRow{Role::kSharedUp, AdapterUse::kProduct},
    UseRow{Role::kSharedDown, AdapterUse::kProduct},
};

}  // namespace

AdapterUse adapter_use(Role role) noexcept {
  for (const UseRow& row : kUses) {
    if (row.role == role) return row.use;
  }
  return AdapterUse::kNone;
}

Result<AdapterSpec> read_adapter(const file::Inventory& adapter, const ModelSpec& model,
                                 const file::Inventory& base, float scale) {
  return AdapterReader(adapter, model, base, scale).read();
}

}  // namespace cistern::spec
