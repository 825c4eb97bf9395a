// Mixtures that no rule describes: bits per weight, by name. Read by quant_mix. Pure data.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace cistern::spec::hub {

// Bits per weight of matrices, and of those that have their own.
struct AverageBits {
  double matrices = 16;
  std::optional<double> embedding = {};
  std::optional<double> output = {};
  std::optional<double> experts = {};
  std::optional<double> experts_down = {};  // else as experts
};

// What a row's bits are of.
enum class Scope : std::uint8_t {
  kModel,
  kDynamic,  // the mean over models of mixtures that differ from model to model
  kExperts,  // of experts where there are some, else of the model
};

struct AverageRow {
  std::string_view name;
  AverageBits bits;
  Scope scope = Scope::kModel;
};

std::span<const AverageRow> averages() noexcept;

}  // namespace cistern::spec::hub
