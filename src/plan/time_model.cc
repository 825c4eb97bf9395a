#include "plan/time_model.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/check.h"
#include "base/csv.h"
#include "plan/catalogue/tables.h"
#include "plan/hardware_text.h"

namespace cistern::plan {
namespace {

constexpr double kMostValue = 1e3;      // of a parameter, which is a logarithm
constexpr double kUsualWidth = 0.5;     // of an interval, where the table has none
constexpr double kLeastExponent = -30;  // so that no table makes a time 0 or infinite
constexpr double kMostExponent = 30;

// The first name that a text contains.
struct RuntimeName {
  std::string_view text;
  Runtime runtime;
};
constexpr std::array<RuntimeName, 8> kRuntimes = {{
    {"ik_llama", Runtime::kIkLlama},
    {"localscore", Runtime::kLlamafile},
    {"llamafile", Runtime::kLlamafile},
    {"ollama", Runtime::kOllama},
    {"mlx", Runtime::kMlx},
    {"exllama", Runtime::kExllama},
    {"ktransformers", Runtime::kKtransformers},
    {"llama.cpp", Runtime::kLlamaCpp},
}};

struct InterfaceName {
  std::string_view text;
  Interface interface;
};
constexpr std::array<InterfaceName, 10> kInterfaces = {{
    {"hybrid", Interface::kAutomatic},
    {"cuda", Interface::kCuda},
    {"rocm", Interface::kRocm},
    {"hip", Interface::kRocm},
    {"vulkan", Interface::kVulkan},
    {"sycl", Interface::kVulkan},
    {"metal", Interface::kMetal},
    {"mlx", Interface::kMetal},
    {"exllama", Interface::kCuda},
    {"cpu", Interface::kCpu},
}};

struct ClassName {
  std::string_view text;
  WeightClass weights;
};
// The first that the name contains.
constexpr std::array<ClassName, 33> kClasses = {{
    {"bf16", WeightClass::kBfloat16}, {"f16", WeightClass::kFloat16}, {"f32", WeightClass::kFloat16},
    {"mxfp4", WeightClass::kMxfp4},   {"nvfp4", WeightClass::kMxfp4}, {"q8", WeightClass::kQ8},
    {"8bit", WeightClass::kQ8},       {"8-bit", WeightClass::kQ8},    {"_r4", WeightClass::kIk},
    {"_r8", WeightClass::kIk},        {"iq4", WeightClass::kBlock4},  {"iq2_k", WeightClass::kIk},
    {"iq3_k", WeightClass::kIk},      {"iq5_k", WeightClass::kIk},    {"iq6_k", WeightClass::kIk},
    {"iq2/3", WeightClass::kIk},      {"iq1", WeightClass::kTable},   {"iq2", WeightClass::kTable},
    {"iq3", WeightClass::kTable},     {"q4_0", WeightClass::kBlock4}, {"q4_1", WeightClass::kBlock4},
    {"q5_0", WeightClass::kBlock4},   {"q5_1", WeightClass::kBlock4}, {"q2_k", WeightClass::kK},
    {"q3_k", WeightClass::kK},        {"q4_k", WeightClass::kK},      {"q5_k", WeightClass::kK},
    {"q6_k", WeightClass::kK},        {"q2k", WeightClass::kK},       {"q3k", WeightClass::kK},
    {"q4k", WeightClass::kK},         {"q5k", WeightClass::kK},       {"q6k", WeightClass::kK},
}};

template <class Table>
const auto* first_in(const Table& table, std::string_view text) {
  const auto found = std::ranges::find_if(
      table, [&](const auto& row) { return text.find(row.text) != std::string_view::npos; });
  return found == table.end() ? nullptr : &*found;
}

}  // namespace

Backend backend_of(std::string_view text) {
  const std::string name = lower_case(text);
  Backend backend;
  if (const auto* runtime = first_in(kRuntimes, name)) backend.runtime = runtime->runtime;
  if (const auto* interface = first_in(kInterfaces, name)) backend.interface = interface->interface;
  return backend;
}

WeightClass weight_class_of(std::string_view quant) {
  const auto* found = first_in(kClasses, lower_case(quant));
  return found == nullptr ? WeightClass::kBlock4 : found->weights;
}

TimeModel TimeModel::built_in() {
  Result<TimeModel> model = parse(time_parameter_table(), "time_parameters.csv");
  CISTERN_CHECK(model.has_value());
  return *std::move(model);
}

Result<TimeModel> TimeModel::parse(std::string_view text, std::string name) {
  CISTERN_TRY(const CsvTable table, CsvTable::parse(text, std::move(name)));
  CISTERN_TRY(const std::size_t name_column, table.required_column("name"));
  CISTERN_TRY(const std::size_t value_column, table.required_column("value"));
  TimeModel model;
  for (const CsvRow& row : table.rows()) {
    CISTERN_TRY(const double value, table.number(row, value_column, 0, -kMostValue, kMostValue));
    model.parameters_[row.fields[name_column]] = value;
  }
  return model;
}

double TimeModel::parameter(const std::string& name) const {
  const auto found = parameters_.find(name);
  return found == parameters_.end() ? 0 : found->second;
}

double TimeModel::seconds(const std::vector<Term>& terms) const {
  double sum = 0;
  for (const Term& term : terms) {
    double exponent = 0;
    for (const Factor& factor : term.factors) exponent += factor.weight * parameter(factor.parameter);
    sum += term.seconds * std::exp(std::clamp(exponent, kLeastExponent, kMostExponent));
  }
  return sum;
}

Interval TimeModel::speed(const std::vector<Term>& terms, std::string_view phase,
                          const std::vector<std::string>& groups) const {
  double width = kUsualWidth;
  for (const std::string& group : groups) {
    const auto found = parameters_.find(std::string(phase) + ".width." + group);
    if (found == parameters_.end()) continue;
    width = found->second;
    break;
  }
  const double mid = 1 / seconds(terms);
  const double factor = std::exp(std::clamp(width, 0.0, kMostExponent));
  return {.low = mid / factor, .mid = mid, .high = mid * factor};
}

Result<Interval> TimeModel::decode(const Work& work, const System& system, const Backend& backend) const {
  CISTERN_TRY(const std::vector<Term> terms, decode_terms(work, system, backend));
  return speed(terms, "decode", width_groups(work, system, backend));
}

Result<Interval> TimeModel::prompt(const Work& work, const System& system, const Backend& backend) const {
  CISTERN_TRY(const std::vector<Term> terms, prompt_terms(work, system, backend));
  return speed(terms, "prompt", width_groups(work, system, backend));
}

}  // namespace cistern::plan
