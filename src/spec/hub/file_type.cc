#include "spec/hub/file_type.h"

#include <algorithm>
#include <string_view>

#include "quant/format.h"

namespace cistern::spec::hub {
namespace {

// What the quantizer tells apart, by a part of the tensor's name.
enum class Kind : std::uint8_t {
  kOther,
  kHead,
  kEmbedding,
  kValues,
  kKeys,
  kQueries,
  kOut,
  kGateOrUp,
  kDown
};

struct NamedKind {
  std::string_view part;
  Kind kind;
};
constexpr NamedKind kKinds[] = {
    {"attn_qkv.weight", Kind::kValues}, {"attn_v.weight", Kind::kValues},   {"attn_k.weight", Kind::kKeys},
    {"attn_q.weight", Kind::kQueries},  {"attn_output.weight", Kind::kOut}, {"ffn_up", Kind::kGateOrUp},
    {"ffn_gate", Kind::kGateOrUp},      {"ffn_down", Kind::kDown},
};

Kind kind_of(const TensorSpec& tensor) {
  if (tensor.name == "output.weight") return Kind::kHead;
  if (tensor.role == Role::kTokenEmbedding || tensor.role == Role::kPerLayerEmbedding)
    return Kind::kEmbedding;
  for (const NamedKind& row : kKinds) {
    if (tensor.name.find(row.part) != std::string::npos) return row.kind;
  }
  return Kind::kOther;
}

// What the rules ask of a model.
struct Traits {
  int layers = 0;
  std::uint32_t sharing = 0;  // query heads of a key-value head
  std::uint32_t experts = 0;
  bool is_70b = false;  // 80 layers whose values are a small part
  bool tied = false;
};

Traits traits_of(const ModelSpec& model, std::span<const TensorSpec> tensors) {
  Traits traits;
  traits.layers = static_cast<int>(model.layers.size() + model.n_further_layers);
  traits.tied = std::ranges::find(tensors, Role::kOutput, &TensorSpec::role) == tensors.end();
  for (const LayerSpec& layer : model.layers) {
    if (layer.attention && traits.sharing == 0)
      traits.sharing = layer.attention->n_heads / layer.attention->n_kv_heads;
    if (layer.ffn && layer.ffn->moe) traits.experts = layer.ffn->moe->n_experts;
  }
  traits.is_70b =
      model.layers.size() == 80 && traits.sharing > 1 && (model.arch == "llama" || model.arch == "qwen2");
  return traits;
}

bool is_there(Where where, int i, int n) {
  switch (where) {
    case Where::kNowhere:
      return false;
    case Where::kFirstTwo:
      return i < 2;
    case Where::kFirstFour:
      return i < 4;
    case Where::kFirstSixteenth:
      return i < n / 16;
    case Where::kFirstEighth:
      return i < n / 8;
    case Where::kMiddle:
      return i >= n / 8 && i < 7 * n / 8;
    case Where::kMoreBits:
      return i < n / 8 || i >= 7 * n / 8 || (i - n / 8) % 3 == 2;
  }
  return false;
}

DType by_rule(const TypeRule& rule, DType base, int i, int n) {
  if (rule.there && is_there(rule.where, i, n)) return *rule.there;
  return rule.type.value_or(base);
}

DType values_type(const FileType& file_type, const Traits& traits, int i, int n) {
  const bool shared = traits.sharing >= 4 || (file_type.few_bits && traits.experts >= 4);
  DType type = by_rule(file_type.values, file_type.base, i, n);
  if (shared && file_type.shared_values) type = *file_type.shared_values;
  if (file_type.few_bits) return type;
  if (traits.is_70b && (type == DType::kQ3_K || type == DType::kQ4_K)) type = DType::kQ5_K;
  return traits.experts == 8 ? DType::kQ8_0 : type;
}

// The types of one kind of tensors with smaller blocks that stand in where a row is no whole number of
// blocks.
DType fitting(DType type, std::uint64_t cols) {
  const auto fits = [cols](DType t) { return cols % quant::format_of(t).block_values == 0; };
  if (fits(type)) return type;
  DType other = DType::kIQ4_NL;
  switch (type) {
    case DType::kQ2_K:
    case DType::kQ3_K:
    case DType::kTQ1_0:
    case DType::kTQ2_0:
      other = DType::kQ4_0;
      break;
    case DType::kQ4_K:
      other = DType::kQ5_0;
      break;
    case DType::kQ5_K:
      other = DType::kQ5_1;
      break;
    case DType::kQ6_K:
      other = DType::kQ8_0;
      break;
    default:
      break;
  }
  return fits(other) ? other : DType::kF16;
}

// The type of one tensor after another: some rules count those of a kind.
class Chooser {
 public:
  Chooser(const FileType& file_type, const Traits& traits, std::span<const TensorSpec> tensors)
      : file_type_(file_type), traits_(traits) {
    for (const TensorSpec& tensor : tensors) n_values_ += kind_of(tensor) == Kind::kValues ? 1 : 0;
  }

  DType choose(const TensorSpec& tensor) {
    const Kind kind = kind_of(tensor);
    const std::uint64_t cols = tensor.shape.cols();
    if (kind == Kind::kHead || (kind == Kind::kEmbedding && traits_.tied)) {
      const bool fits = cols % quant::format_of(file_type_.base).block_values == 0;
      return fitting(fits ? file_type_.head : DType::kQ8_0, cols);
    }
    return fitting(wanted(kind, tensor), cols);
  }

 private:
  DType wanted(Kind kind, const TensorSpec& tensor) {
    const DType base = file_type_.base;
    // Only experts are so; all else is in 8 bits.
    if (base == DType::kMXFP4) return is_expert_stack(tensor.role) ? base : DType::kQ8_0;
    const bool of_8 = traits_.experts == 8;
    const bool counts_layers = traits_.experts > 1 && !file_type_.few_bits;
    switch (kind) {
      case Kind::kEmbedding:
        return file_type_.embedding.value_or(base);
      case Kind::kValues:
        return values_type(file_type_, traits_, i_values_++, n_values_);
      case Kind::kKeys:
        if (of_8 && quant::format_of(base).block_values > 1)
          return file_type_.few_bits ? DType::kQ4_K : DType::kQ8_0;
        return file_type_.keys_and_queries.value_or(base);
      case Kind::kQueries:
        return file_type_.keys_and_queries.value_or(base);
      case Kind::kOut:
        return (of_8 ? file_type_.out_of_8 : file_type_.out).value_or(base);
      case Kind::kGateOrUp:
        return by_rule(file_type_.gate_and_up, base, tensor.layer, traits_.layers);
      case Kind::kDown: {
        const int counted = i_down_++;
        return by_rule(file_type_.down, base, counts_layers ? tensor.layer : counted, traits_.layers);
      }
      default:
        return base;
    }
  }

  const FileType& file_type_;
  Traits traits_;
  int n_values_ = 0;
  int i_values_ = 0;
  int i_down_ = 0;
};

}  // namespace

bool is_packed(const TensorSpec& tensor) noexcept {
  constexpr Role kLeftAlone[] = {Role::kRouter,       Role::kPositionEmbedding, Role::kTokenTypes,
                                 Role::kAltUpRouter,  Role::kAltUpPredict,      Role::kAltUpCorrect,
                                 Role::kAltUpProj,    Role::kAltUpUnembdProj,   Role::kLaurelLeft,
                                 Role::kLaurelRight,  Role::kPerLayerModelProj, Role::kHyperOutFn,
                                 Role::kHyperMixerFn, Role::kHyperFfnFn};
  if (tensor.is_f32 || tensor.is_index || tensor.shape.rows() == 1) return false;
  return std::ranges::find(kLeftAlone, tensor.role) == std::end(kLeftAlone);
}

std::vector<DType> choose_types(const FileType& file_type, const ModelSpec& model,
                                std::span<const TensorSpec> tensors) {
  const bool plain = quant::format_of(file_type.base).block_values == 1;
  Chooser chooser(file_type, traits_of(model, tensors), tensors);
  std::vector<DType> types;
  for (const TensorSpec& tensor : tensors) {
    if (tensor.is_index) {
      types.push_back(DType::kI32);
    } else if (!is_packed(tensor)) {
      // Routers and what is no matrix are kept whole, other small tables in half.
      const bool whole = tensor.is_f32 || tensor.role == Role::kRouter || tensor.shape.rows() == 1;
      types.push_back(whole ? DType::kF32 : DType::kF16);
    } else {
      types.push_back(plain ? file_type.base : chooser.choose(tensor));
    }
  }
  return types;
}

}  // namespace cistern::spec::hub
