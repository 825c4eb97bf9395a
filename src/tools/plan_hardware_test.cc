#include "tools/plan_hardware.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "spec/hub/known_models.h"
#include "support/temp_dir.h"

namespace cistern::tools {
namespace {

using testing::TempDir;

TEST(PlanHardware, AmountsAreReadWithAndWithoutUnit) {
  for (const char* text : {"5000", "5000usd", "5000 usd", "5000USD", "$5000", "5e3usd"}) {
    const auto amount = parse_amount(text, "usd", "--budget");
    ASSERT_TRUE(amount) << text;
    EXPECT_EQ(*amount, 5000) << text;
  }
  EXPECT_EQ(*parse_amount("300w", "w", "--power"), 300);
  EXPECT_EQ(*parse_amount("0.5 W", "w", "--power"), 0.5);
  for (const char* text :
       {"", "usd", "$", "-5", "0", "nan", "inf", "1e300", "5000eur", "5,000", "12 34", "w"}) {
    const auto amount = parse_amount(text, "usd", "--budget");
    ASSERT_FALSE(amount) << text;
    EXPECT_EQ(amount.error().code, ErrorCode::kUsage);
    EXPECT_NE(describe(amount.error()).find("--budget"), std::string::npos);
  }
  EXPECT_FALSE(parse_amount("$300", "w", "--power"));
}

TEST(PlanHardware, OnesOwnTableComesFirst) {
  const TempDir dir;
  const std::string path =
      dir.write("own.csv",
                "name,kind,memory_gb,bandwidth_gbps,tdp_w\nRTX 4090,gpu,96,2000,600\nMy Box,gpu,7,123,\n")
          .string();
  const auto catalogue = load_catalogue(path);
  ASSERT_TRUE(catalogue) << describe(catalogue.error());
  EXPECT_EQ(catalogue->resolve("RTX 4090")->devices[0].bandwidth_gbps, 2000);
  EXPECT_EQ(catalogue->resolve("My Box")->devices[0].memory_bytes, 7ULL << 30U);
  EXPECT_EQ(catalogue->resolve("RTX 3090")->devices[0].hardware.vendor, "NVIDIA") << "the others are there";
}

// A variable of the environment for the time of a test.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    const char* before = std::getenv(name);
    if (before != nullptr) before_ = before;
    setenv(name, value.c_str(), 1);
  }
  ~Variable() { before_.empty() ? unsetenv(name_) : setenv(name_, before_.c_str(), 1); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::string before_;
};

TEST(PlanHardware, TheTableInTheConfigurationFolder) {
  const TempDir dir;
  const Variable config("XDG_CONFIG_HOME", dir.path().string());
  ASSERT_TRUE(load_catalogue("")) << "none is there";
  EXPECT_FALSE(load_catalogue("")->resolve("My Box"));
  dir.write("cistern/hardware.csv", "name,kind,memory_gb,bandwidth_gbps\nMy Box,gpu,7,123\n");
  EXPECT_TRUE(load_catalogue("")->resolve("My Box"));
  dir.write("cistern/hardware.csv", "name,kind,memory_gb,bandwidth_gbps\nMy Box,gpu,seven,123\n");
  EXPECT_FALSE(load_catalogue("")) << "what is there and wrong is not passed over";
}

TEST(PlanHardware, DamageHasAPlace) {
  const TempDir dir;
  struct Case {
    const char* text;
    const char* place;
  };
  for (const Case& c : {Case{"name,kind,memory_gb,bandwidth_gbps\nA,gpu,8,100\nB,gpu,8,fast\n", "line 3"},
                        Case{"name,kind,memory_gb,bandwidth_gbps\nA,toaster,8,100\n", "line 2"},
                        Case{"name,kind,memory_gb\nA,gpu,8\n", "bandwidth_gbps"}, Case{"", "empty"}}) {
    const std::string path = dir.write("own.csv", std::string(c.text)).string();
    const auto catalogue = load_catalogue(path);
    ASSERT_FALSE(catalogue) << c.text;
    const std::string message = describe(catalogue.error());
    EXPECT_NE(message.find(path), std::string::npos) << message;
    EXPECT_NE(message.find(c.place), std::string::npos) << message;
  }
  const auto number =
      load_catalogue(dir.write("own.csv", "name,kind,memory_gb,bandwidth_gbps\nB,gpu,8,fast\n").string());
  EXPECT_NE(describe(number.error()).find("bandwidth_gbps"), std::string::npos) << "the column";
  EXPECT_FALSE(load_catalogue((dir.path() / "missing.csv").string()));
}

std::vector<plan::PlanRow> rows(const char* model_name, const HardwareChoice& choice) {
  const auto model = open_plan_model(model_name);
  EXPECT_TRUE(model);
  auto found = hardware_rows(*model, {}, plan::Catalogue::built_in(), choice);
  EXPECT_TRUE(found) << describe(found.error());
  return found ? *std::move(found) : std::vector<plan::PlanRow>();
}

TEST(PlanHardware, BudgetAndPowerLeaveWhatIsKnownToBeWithin) {
  const auto cheap = rows("llama-3.1-8b:Q4_K_M", {.on = {}, .budget_usd = 700, .power_w = {}});
  EXPECT_GT(cheap.size(), 10U);
  for (const plan::PlanRow& row : cheap) {
    EXPECT_GT(row.price_usd, 0) << row.hardware;
    EXPECT_LE(row.price_usd, 700) << row.hardware;
  }
  const auto cool = rows("llama-3.1-8b:Q4_K_M", {.on = {}, .budget_usd = {}, .power_w = 75});
  EXPECT_GT(cool.size(), 3U);
  for (const plan::PlanRow& row : cool) {
    EXPECT_GT(row.power_w, 0) << row.hardware;
    EXPECT_LE(row.power_w, 75) << row.hardware;
  }
  EXPECT_TRUE(rows("llama-3.1-8b:Q4_K_M", {.on = {}, .budget_usd = 0.01, .power_w = {}}).empty());
  const auto named =
      rows("llama-3.1-8b:Q4_K_M", {.on = {"RTX 4090", "RTX 3060"}, .budget_usd = 700, .power_w = {}});
  ASSERT_EQ(named.size(), 1U) << "of the named, too";
  EXPECT_EQ(named[0].hardware, "RTX 3060");
}

TEST(PlanHardware, FittingFirstThenTheFastest) {
  const auto all = rows("llama-3.3-70b:Q4_K_M", {.on = {"all"}, .budget_usd = {}, .power_w = {}});
  EXPECT_GT(all.size(), 300U);
  bool several = false;
  for (std::size_t i = 1; i < all.size(); ++i) {
    ASSERT_LE(all[i - 1].verdict, all[i].verdict);
    if (all[i - 1].verdict != all[i].verdict || !all[i].forecast) continue;
    EXPECT_GE(all[i - 1].forecast->decode_tok_s.mid, all[i].forecast->decode_tok_s.mid);
    several = several || all[i].hardware.starts_with("4x ");
  }
  EXPECT_TRUE(several) << "GPUs also by twos and fours";
}

TEST(PlanHardware, MachinesOfSeveralSizesAreTakenAsLargeAsNeeded) {
  const auto small = rows("llama-3.1-8b:Q4_K_M", {.on = {"M4 Max"}, .budget_usd = {}, .power_w = {}});
  const auto large = rows("llama-3.3-70b:Q8_0", {.on = {"M4 Max"}, .budget_usd = {}, .power_w = {}});
  ASSERT_EQ(small.size(), 1U);
  EXPECT_EQ(small[0].hardware, "M4 Max 48GB");
  EXPECT_EQ(large.at(0).hardware, "M4 Max 128GB");
  EXPECT_EQ(large[0].verdict, plan::Verdict::kFits);
  const auto stated = rows("llama-3.3-70b:Q8_0", {.on = {"M4 Max 36GB"}, .budget_usd = {}, .power_w = {}});
  EXPECT_NE(stated.at(0).verdict, plan::Verdict::kFits);
  const auto same = rows("llama-3.3-70b:Q8_0", {.on = {"M4 Max 128GB"}, .budget_usd = {}, .power_w = {}});
  EXPECT_EQ(same.at(0).tiers.at(0).capacity_bytes, large[0].tiers.at(0).capacity_bytes);
  // A card is as it is usually sold, not as some workshops make it.
  const auto card = rows("llama-3.3-70b:Q4_K_M", {.on = {"RTX 4090"}, .budget_usd = {}, .power_w = {}});
  EXPECT_LE(card.at(0).tiers.at(0).capacity_bytes, 24ULL << 30U);
  // Nor is a size said twice.
  for (const plan::PlanRow& row :
       rows("llama-3.1-8b:Q4_K_M", {.on = {"Jetson Orin Nano 8GB"}, .budget_usd = {}, .power_w = {}}))
    EXPECT_EQ(row.hardware.find("8GB 8GB"), std::string::npos) << row.hardware;
}

TEST(PlanHardware, UnknownNamesHaveNeighbours) {
  const auto model = open_plan_model("llama-3.1-8b:Q4_K_M");
  ASSERT_TRUE(model);
  const auto found = hardware_rows(*model, {}, plan::Catalogue::built_in(),
                                   {.on = {"RTX 4900"}, .budget_usd = {}, .power_w = {}});
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().message.find("'RTX 4090'"), std::string::npos) << found.error().message;
  const auto other = open_plan_model("llama-3.3-71b");
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().message.find("llama-3.3-70b"), std::string::npos) << other.error().message;
}

TEST(PlanHardware, FittingModelsAreTheLargestQuantThatIsFastEnough) {
  const plan::System system = *plan::Catalogue::built_in().resolve("RTX 4090 + 32GB DDR5-6000");
  constexpr double kLeast = 20;
  const auto models = fitting_models(system, {}, kLeast);
  ASSERT_TRUE(models);
  EXPECT_GT(models->size(), 20U);
  const plan::TimeModel time = plan::TimeModel::built_in();
  const std::vector<std::string> quants = {"Q8_0", "Q6_K", "Q4_K_M", "Q3_K_M", "IQ3_XXS", "IQ2_XXS"};
  double size_before = 1e9;
  int smaller = 0;
  for (const Fitting& fitting : *models) {
    SCOPED_TRACE(fitting.model);
    EXPECT_EQ(fitting.row.verdict, plan::Verdict::kFits);
    EXPECT_GE(fitting.row.forecast->decode_tok_s.mid, kLeast);
    const auto known = spec::hub::find_known_model(fitting.model);
    ASSERT_TRUE(known);
    EXPECT_LE((*known)->params_b, size_before);
    size_before = (*known)->params_b;
    const auto quant = std::ranges::find(quants, fitting.quant);
    ASSERT_NE(quant, quants.end());
    if (quant == quants.begin()) continue;
    ++smaller;
    const auto paper = spec::hub::paper_model_of_name(fitting.model, *(quant - 1));
    ASSERT_TRUE(paper);
    const plan::PlanRow larger =
        plan::HardwarePlanner(paper->spec, paper->inventory, paper->quant, {}, time).row(system);
    EXPECT_TRUE(larger.verdict != plan::Verdict::kFits || larger.forecast->decode_tok_s.mid < kLeast);
  }
  EXPECT_GT(smaller, 3);
  EXPECT_TRUE(fitting_models(system, {}, 1e9)->empty());
}

}  // namespace
}  // namespace cistern::tools
