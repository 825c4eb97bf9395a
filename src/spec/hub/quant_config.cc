#include "spec/hub/quant_config.h"

#include <fmt/format.h>

#include <algorithm>

namespace cistern::spec::hub {
namespace {

constexpr double kHalf = 16;
constexpr double kMaxBits = 32;

Result<double> bits_in(const Fields& config, Names names, double usual) {
  CISTERN_TRY(const auto bits, config.find_number(names));
  if (bits && (*bits < 0.5 || *bits > kMaxBits)) {
    return config.bad(*names.begin(), fmt::format("is {}, must be between 0.5 and {}", *bits, kMaxBits));
  }
  return bits.value_or(usual);
}

Result<std::optional<QuantMix>> named(std::string_view name) {
  CISTERN_TRY(QuantMix mix, find_quant(name));
  return mix;
}

QuantMix leaving_ends(std::string name, double bits) {
  QuantMix mix = bits_per_weight(bits);
  mix.name = std::move(name);
  mix.bits.embedding = kHalf;
  mix.bits.output = kHalf;
  return mix;
}

// A scale of 16 bits and, where there is one, a zero point of as many bits as a weight for each group; a
// group of 0 or less is a whole row.
Result<QuantMix> grouped(const Fields& config, const std::string& method, bool zero_points) {
  CISTERN_TRY(const double bits, bits_in(config, {"bits", "w_bit", "num_bits"}, 4));
  CISTERN_TRY(const auto group, config.find_number({"group_size", "q_group_size"}));
  const double size = group && *group >= 8 ? *group : 4096;
  return leaving_ends(fmt::format("{} {:.4g}bit", method, bits),
                      bits + (16 + (zero_points ? bits : 0)) / size);
}

// MLX packs embedding and head too.
Result<std::optional<QuantMix>> of_mlx(const Fields& config) {
  CISTERN_TRY(const double bits, bits_in(config, {"bits"}, 4));
  CISTERN_TRY(const auto group, config.find_number({"group_size"}));
  CISTERN_TRY(const auto mode, config.find_string("mode"));
  const double size = group && *group >= 8 ? *group : 64;
  const bool affine = !mode || *mode == "affine";
  QuantMix mix = bits_per_weight(bits + (affine ? 32 : 8) / size);
  mix.name = fmt::format("MLX {:.4g}bit", bits);
  return mix;
}

Result<std::optional<QuantMix>> of_bitsandbytes(const Fields& config) {
  constexpr double kDoubleQuant = 4 + 8.0 / 64 + 32.0 / (64 * 256);
  CISTERN_TRY(const bool in_8, config.flag_or("load_in_8bit", false));
  if (in_8) return named("INT8");
  CISTERN_TRY(const bool twice, config.flag_or("bnb_4bit_use_double_quant", false));
  if (twice) return leaving_ends("NF4", kDoubleQuant);
  return named("NF4");
}

Result<std::optional<QuantMix>> of_compressed_tensors(const Fields& config) {
  const auto groups = config.find_object("config_groups");
  const auto group = groups ? groups->find_object("group_0") : std::nullopt;
  const auto weights = group ? group->find_object("weights") : std::nullopt;
  if (!weights) return std::nullopt;
  CISTERN_TRY(const auto type, weights->find_string("type"));
  CISTERN_TRY(const auto bits, weights->find_number({"num_bits"}));
  if (type == "float" && bits == 4.0) return leaving_ends("NVFP4", 4.5);
  CISTERN_TRY(const bool symmetric, weights->flag_or("symmetric", true));
  CISTERN_TRY(QuantMix mix, grouped(*weights, "compressed-tensors", !symmetric));
  CISTERN_TRY(const auto ignored, config.find_strings("ignore"));
  const bool only_experts = ignored && std::ranges::any_of(*ignored, [](const std::string& name) {
                              return name.find("self_attn") != std::string::npos;
                            });
  if (only_experts) mix.bits = {.matrices = kHalf, .experts = mix.bits.matrices};
  return mix;
}

Result<std::optional<QuantMix>> of_exl(const Fields& config) {
  CISTERN_TRY(const double bits, bits_in(config, {"bits"}, 4));
  CISTERN_TRY(const double head_bits, bits_in(config, {"head_bits"}, 6));
  QuantMix mix = leaving_ends(fmt::format("EXL {:.4g}bpw", bits), bits);
  mix.bits.output = head_bits;
  return mix;
}

// FP8, but experts may be in half as many bits, with a scale of 8 bits for each 32.
Result<std::optional<QuantMix>> of_fp8(const Fields& config) {
  CISTERN_TRY(QuantMix mix, find_quant("FP8"));
  CISTERN_TRY(const auto experts, config.find_string("expert_dtype"));
  if (experts == "fp4") {
    mix.name = "FP8, experts FP4";
    mix.bits.experts = 4.25;
  }
  return mix;
}

// Experts in MXFP4, all else as it was trained.
QuantMix of_mxfp4() {
  QuantMix mix = bits_per_weight(kHalf);
  mix.name = "MXFP4 experts";
  mix.bits.experts = 4.25;
  return mix;
}

}  // namespace

Result<std::optional<QuantMix>> quant_of_config(const Fields& config) {
  auto quant = config.find_object("quantization_config");
  if (!quant) quant = config.find_object("quantization");
  if (!quant) return std::nullopt;
  CISTERN_TRY(const auto method, quant->find_string("quant_method"));
  if (!method) {
    if (quant->has("bits")) return of_mlx(*quant);
    return std::nullopt;
  }
  if (*method == "awq") {
    CISTERN_TRY(QuantMix mix, grouped(*quant, "AWQ", true));
    return mix;
  }
  if (method->starts_with("gptq") || *method == "auto-round" || *method == "intel/auto-round") {
    CISTERN_TRY(QuantMix mix, grouped(*quant, "GPTQ", true));
    return mix;
  }
  if (*method == "bitsandbytes") return of_bitsandbytes(*quant);
  if (*method == "compressed-tensors") return of_compressed_tensors(*quant);
  if (*method == "exl2" || *method == "exl3") return of_exl(*quant);
  if (*method == "mxfp4") return of_mxfp4();
  if (method->find("fp8") != std::string::npos) return of_fp8(config);
  if (*method == "modelopt") {
    CISTERN_TRY(const auto algorithm, quant->find_string("quant_algo"));
    if (algorithm == "NVFP4") return leaving_ends("NVFP4", 4.5);
    return named("FP8");
  }
  return std::nullopt;
}

}  // namespace cistern::spec::hub
