#include "tools/model_report.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "quant/format.h"

namespace cistern::tools {
namespace {

constexpr std::array<std::string_view, 7> kRoles = {"embedding", "attention", "ffn",  "experts",
                                                    "norm",      "output",    "other"};

struct RoleRule {
  std::string_view part;  // of the name, without "blk.N."
  std::string_view role;
};
// The first that fits. Recurrent layers (ssm_, time_mix_, shortconv) take the place of attention.
constexpr std::array kRules = {
    RoleRule{"_norm", "norm"},
    RoleRule{"norm.", "norm"},
    RoleRule{"token_embd", "embedding"},
    RoleRule{"position_embd", "embedding"},
    RoleRule{"token_types", "embedding"},
    RoleRule{"per_layer_token_embd", "embedding"},
    RoleRule{"_exps", "experts"},
    RoleRule{"_exp.", "experts"},
    RoleRule{"exp_probs", "experts"},
    RoleRule{"ffn_gate_inp", "experts"},
    RoleRule{"ffn_", "ffn"},
    RoleRule{"attn", "attention"},
    RoleRule{"ssm_", "attention"},
    RoleRule{"time_mix", "attention"},
    RoleRule{"shortconv", "attention"},
    RoleRule{"output", "output"},
    RoleRule{"cls", "output"},
};

void count(ByteSum& sum, const file::TensorInfo& tensor) {
  ++sum.tensors;
  sum.bytes += tensor.size_bytes;
  sum.values += tensor.shape.elements();
}

ByteSum& sum_of(std::vector<ByteSum>& sums, std::string_view name) {
  const auto found = std::ranges::find(sums, name, &ByteSum::name);
  if (found != sums.end()) return *found;
  return sums.emplace_back(ByteSum{.name = std::string(name)});
}

}  // namespace

std::optional<std::uint32_t> layer_of(std::string_view tensor_name) {
  constexpr std::string_view kPrefix = "blk.";
  if (!tensor_name.starts_with(kPrefix)) return std::nullopt;
  std::uint32_t layer = 0;
  const char* begin = tensor_name.data() + kPrefix.size();
  const char* end = tensor_name.data() + tensor_name.size();
  const auto parsed = std::from_chars(begin, end, layer);
  if (parsed.ec != std::errc() || parsed.ptr == end || *parsed.ptr != '.') return std::nullopt;
  return layer;
}

std::string_view role_of(std::string_view tensor_name) {
  if (layer_of(tensor_name)) tensor_name.remove_prefix(tensor_name.find('.', 4) + 1);
  for (const RoleRule& rule : kRules) {
    if (tensor_name.find(rule.part) != std::string_view::npos) return rule.role;
  }
  return "other";
}

std::string main_type_name(const file::Inventory& inventory) {
  const auto type = inventory.main_type();
  return type ? std::string(quant::format_of(*type).name) : "";
}

ModelReport make_report(const file::ModelFiles& files, std::string path) {
  ModelReport report;
  report.path = std::move(path);
  for (const std::string_view role : kRoles) sum_of(report.by_role, role);
  std::vector<std::pair<std::uint32_t, ByteSum>> layers;  // sorted by layer
  ByteSum no_layer{.name = "none"};
  for (const file::TensorInfo& tensor : files.inventory.tensors()) {
    count(report.all, tensor);
    count(sum_of(report.by_type, quant::format_of(tensor.dtype).name), tensor);
    count(sum_of(report.by_role, role_of(tensor.name)), tensor);
    const auto layer = layer_of(tensor.name);
    if (!layer) {
      count(no_layer, tensor);
      continue;
    }
    auto place = std::ranges::lower_bound(layers, *layer, {}, &std::pair<std::uint32_t, ByteSum>::first);
    if (place == layers.end() || place->first != *layer) {
      place = layers.insert(place, {*layer, ByteSum{.name = std::to_string(*layer)}});
    }
    count(place->second, tensor);
  }
  std::erase_if(report.by_role, [](const ByteSum& sum) { return sum.tensors == 0; });
  for (auto& [layer, sum] : layers) report.by_layer.push_back(std::move(sum));
  if (no_layer.tensors > 0) report.by_layer.push_back(std::move(no_layer));
  return report;
}

}  // namespace cistern::tools
