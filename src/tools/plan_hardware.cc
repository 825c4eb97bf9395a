#include "tools/plan_hardware.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <utility>

#include "spec/hub/known_models.h"
#include "sys/user_folders.h"
#include "tools/input.h"

namespace cistern::tools {
namespace {

using plan::PlanRow;

constexpr std::uint64_t kMaxCatalogueBytes = 4ULL << 20U;
// How many GPUs people put into one machine.
constexpr std::array<int, 2> kSeveral = {2, 4};
// From the best to the smallest that is of use.
constexpr std::array<const char*, 6> kQuants = {"Q8_0", "Q6_K", "Q4_K_M", "Q3_K_M", "IQ3_XXS", "IQ2_XXS"};

// Every row as a machine of its own, and several of each GPU.
Result<std::vector<plan::System>> every_system(const plan::Catalogue& catalogue) {
  CISTERN_TRY(std::vector<plan::System> systems, catalogue.resolve_all("all"));
  const std::size_t n = systems.size();
  for (std::size_t i = 0; i < n; ++i) {
    if (systems[i].devices.empty() || systems[i].devices.front().hardware.kind != plan::HardwareKind::kGpu)
      continue;
    for (const int count : kSeveral) {
      plan::System several = systems[i];
      several.devices.front().count = count;
      several.name = fmt::format("{}x {}", count, several.name);
      systems.push_back(std::move(several));
    }
  }
  return systems;
}

// Of a machine that is sold with several sizes of memory and named without one: the smallest with which the
// model fits, else the largest. A card that is named has the size that it usually has.
PlanRow best_row(const plan::HardwarePlanner& planner, const plan::System& system) {
  const bool sized = system.devices.size() == 1 && !system.devices.front().memory_stated &&
                     system.devices.front().hardware.kind == plan::HardwareKind::kSoc &&
                     system.devices.front().hardware.memory_gb.size() > 1;
  if (!sized) return planner.row(system);
  std::vector<double> sizes = system.devices.front().hardware.memory_gb;
  std::ranges::sort(sizes);
  PlanRow row;
  for (const double size : sizes) {
    plan::System one = system;
    one.devices.front().memory_bytes = static_cast<std::uint64_t>(size * (1ULL << 30U));
    const std::string gb = fmt::format(" {:g}GB", size);
    if (!system.name.ends_with(gb)) one.name = system.name + gb;
    row = planner.row(one);
    if (row.verdict == plan::Verdict::kFits) break;
  }
  return row;
}

double rate_of(const PlanRow& row) {
  return row.forecast ? row.forecast->decode_tok_s.mid : 0;
}

bool is_chosen(const PlanRow& row, const HardwareChoice& choice) {
  const auto within = [](const std::optional<double>& most, double value) {
    return !most || (value > 0 && value <= *most);
  };
  return within(choice.budget_usd, row.price_usd) && within(choice.power_w, row.power_w);
}

}  // namespace

Result<double> parse_amount(const std::string& text, const std::string& unit, const std::string& option) {
  std::string number = text;
  std::ranges::transform(number, number.begin(), [](unsigned char c) { return std::tolower(c); });
  if (unit == "usd" && number.starts_with('$')) number.erase(0, 1);
  if (number.ends_with(unit)) number.resize(number.size() - unit.size());
  while (number.ends_with(' ')) number.pop_back();
  double value = 0;
  const auto parsed = std::from_chars(number.data(), number.data() + number.size(), value);
  if (parsed.ec == std::errc() && parsed.ptr == number.data() + number.size() && value > 0 && value < 1e12)
    return value;
  return fail(ErrorCode::kUsage, fmt::format("'{}' is no amount: use a number such as 1000{}", text, unit),
              option);
}

Result<plan::Catalogue> load_catalogue(const std::string& path) {
  plan::Catalogue catalogue = plan::Catalogue::built_in();
  const std::string own = path.empty() ? sys::user_file(sys::UserFolder::kConfig, "hardware.csv") : path;
  std::error_code error;
  if (own.empty() || (path.empty() && !std::filesystem::exists(own, error))) return catalogue;
  CISTERN_TRY(const std::string text, read_file(own, kMaxCatalogueBytes));
  CISTERN_TRY(plan::Catalogue users, plan::Catalogue::parse(text, own));
  catalogue.prefer(std::move(users));
  return catalogue;
}

Result<std::vector<PlanRow>> hardware_rows(const PlanModel& model, const plan::HardwareQuestion& question,
                                           const plan::Catalogue& catalogue, const HardwareChoice& choice) {
  std::vector<plan::System> systems;
  for (const std::string& text : choice.on) {
    if (text == "all") continue;
    CISTERN_TRY(std::vector<plan::System> some, catalogue.resolve_all(text));
    systems.insert(systems.end(), some.begin(), some.end());
  }
  const bool all = choice.on.empty() || std::ranges::find(choice.on, "all") != choice.on.end();
  if (all) {
    CISTERN_TRY(std::vector<plan::System> every, every_system(catalogue));
    systems.insert(systems.end(), every.begin(), every.end());
  }
  const plan::TimeModel time = plan::TimeModel::built_in();
  const plan::HardwarePlanner planner(model.spec, model.inventory(), model.type, question, time);
  CISTERN_TRY_VOID(planner.check());
  std::vector<PlanRow> rows;
  for (const plan::System& system : systems) {
    PlanRow row = best_row(planner, system);
    if (is_chosen(row, choice)) rows.push_back(std::move(row));
  }
  std::ranges::stable_sort(rows, [](const PlanRow& a, const PlanRow& b) {
    return std::pair(a.verdict, -rate_of(a)) < std::pair(b.verdict, -rate_of(b));
  });
  return rows;
}

Result<std::vector<Fitting>> fitting_models(const plan::System& system,
                                            const plan::HardwareQuestion& question, double least_tok_s) {
  const plan::TimeModel time = plan::TimeModel::built_in();
  std::vector<std::pair<double, Fitting>> found;
  for (const spec::hub::KnownModel& known : spec::hub::known_models()) {
    for (const char* quant : kQuants) {
      const auto paper = spec::hub::paper_model_of_name(known.name, quant);
      if (!paper) continue;
      const plan::HardwarePlanner planner(paper->spec, paper->inventory, paper->quant, question, time);
      if (!planner.check()) continue;
      PlanRow row = planner.row(system);
      // In the memory that was named; a host around a GPU is assumed in rows only.
      const bool fits = row.verdict == plan::Verdict::kFits && (row.tiers.size() == 1 || system.host);
      if (!fits || rate_of(row) < least_tok_s) continue;
      found.emplace_back(known.params_b, Fitting{.model = known.name, .quant = quant, .row = std::move(row)});
      break;
    }
  }
  std::ranges::stable_sort(found, std::greater(), [](const auto& entry) { return entry.first; });
  std::vector<Fitting> models;
  for (auto& [size, fitting] : found) models.push_back(std::move(fitting));
  return models;
}

}  // namespace cistern::tools
