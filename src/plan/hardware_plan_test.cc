// Rows for named hardware: where the bytes are, and how fast that is against what follows from bandwidths.
#include "plan/hardware_plan.h"

#include <gtest/gtest.h>

#include <cmath>

#include "spec/hub/known_models.h"
#include "spec/hub/paper_model.h"
#include "support/fixtures.h"

namespace cistern::plan {
namespace {

const Catalogue& catalogue() {
  static const Catalogue built_in = Catalogue::built_in();
  return built_in;
}

const TimeModel& time_model() {
  static const TimeModel built_in = TimeModel::built_in();
  return built_in;
}

System system_named(std::string_view text) {
  const auto system = catalogue().resolve(text);
  EXPECT_TRUE(system) << text;
  return *system;
}

struct Asked {
  explicit Asked(std::string_view name, const HardwareQuestion& question = {})
      : paper(*spec::hub::paper_model_of_name(spec::hub::split_quant(name).name,
                                              spec::hub::split_quant(name).quant)),
        planner(paper.spec, paper.inventory, paper.quant, question, time_model()) {
    EXPECT_TRUE(planner.check()) << name;
  }
  PlanRow on(std::string_view hardware) const { return planner.row(system_named(hardware)); }

  spec::hub::PaperModel paper;
  HardwarePlanner planner;
};

double rate(const PlanRow& row) {
  EXPECT_TRUE(row.forecast) << row.hardware << ": " << row.why;
  return row.forecast ? row.forecast->decode_tok_s.mid : 0;
}

ByteCounts sum_of(const std::vector<Tier>& tiers) {
  ByteCounts sum;
  for (const Tier& tier : tiers) {
    sum.weights += tier.bytes.weights;
    sum.experts += tier.bytes.experts;
    sum.kv += tier.bytes.kv;
    sum.buffers += tier.bytes.buffers;
    sum.overhead += tier.bytes.overhead;
  }
  return sum;
}

TEST(HardwarePlan, FitsOneDevice) {
  const PlanRow row = Asked("llama-3.1-8b:Q4_K_M").on("RTX 4090");
  EXPECT_EQ(row.verdict, Verdict::kFits);
  EXPECT_EQ(row.why, "");
  ASSERT_EQ(row.tiers.size(), 1U);
  EXPECT_EQ(row.tiers[0].kind, "device");
  EXPECT_EQ(row.tiers[0].bytes.total(), row.bytes.total());
  EXPECT_LE(row.tiers[0].capacity_bytes, 24ULL << 30U);
  EXPECT_NEAR(static_cast<double>(row.bytes.weights), 4.9e9, 0.1e9);
  EXPECT_EQ(row.bytes.kv, 4096U * 32 * 8 * 128 * 2 * 2);
  ASSERT_TRUE(row.forecast);
  // Bytes over bandwidth: 1008 GB/s.
  EXPECT_NEAR(row.forecast->limit_tok_s, 1008e9 / row.bytes_per_token, 1);
  EXPECT_EQ(row.forecast->limited_by, Limit::kMemory);
  EXPECT_EQ(row.points.size(), 4U);
}

TEST(HardwarePlan, SpillsToTheHost) {
  const Asked model("llama-3.3-70b:Q4_K_M");
  const PlanRow row = model.on("RTX 4090 + 64GB DDR5-6000");
  EXPECT_EQ(row.verdict, Verdict::kFits);
  ASSERT_EQ(row.tiers.size(), 2U);
  EXPECT_EQ(row.tiers[1].kind, "ram");
  EXPECT_EQ(row.tiers[0].bytes.total(), row.tiers[0].capacity_bytes) << "the device is full first";
  EXPECT_EQ(row.tiers[1].bytes.kv, 0U);
  EXPECT_LT(rate(row), rate(model.on("2x RTX 4090")));
  // The limit: each part at its own bandwidth, 1008 and 96 GB/s. The cache is on the device.
  const double in_ram =
      static_cast<double>(row.tiers[1].bytes.weights) / static_cast<double>(row.bytes.weights);
  const double reads = row.bytes_per_token;
  EXPECT_NEAR(row.forecast->limit_tok_s * (reads * (1 - in_ram) / 1008e9 + reads * in_ram / 96e9), 1, 1e-3);
}

TEST(HardwarePlan, AHostIsAssumedAndSaid) {
  const PlanRow row = Asked("llama-3.3-70b:Q4_K_M").on("RTX 4090");
  EXPECT_EQ(row.verdict, Verdict::kFits);
  EXPECT_NE(row.why.find("64GB DDR5-5600 of RAM assumed"), std::string::npos) << row.why;
  EXPECT_EQ(row.tiers.size(), 2U);
  EXPECT_EQ(Asked("llama-3.1-8b:Q4_K_M").on("RTX 4090").why, "") << "no host is needed";
}

TEST(HardwarePlan, StreamsFromDisk) {
  const PlanRow row = Asked("llama-4-maverick:Q4_K_M").on("RTX 4090 + 64GB DDR5-6000");
  EXPECT_EQ(row.verdict, Verdict::kStreams);
  ASSERT_EQ(row.tiers.size(), 3U);
  EXPECT_EQ(row.tiers[2].kind, "disk");
  EXPECT_EQ(row.tiers[2].bytes.weights, row.tiers[2].bytes.experts) << "what every token needs is in memory";
  ASSERT_TRUE(row.forecast);
  EXPECT_EQ(row.forecast->limited_by, Limit::kDisk);
  EXPECT_LT(row.forecast->peak_bytes.mid, static_cast<double>(row.bytes.total()));
}

// Of 400B on a machine that holds a part, a token waits for the experts on disk alone: those it chooses, and
// not for what is in memory.
TEST(HardwarePlan, FromDiskComeOnlyTheExpertsThere) {
  const Asked model("llama-4-maverick:Q4_K_M", {.ssd_gbps = 5});
  const PlanRow row = model.on("RTX 4090 + 64GB DDR5-6000");
  double experts = 0;
  for (const file::TensorInfo& tensor : model.paper.inventory.tensors())
    if (tensor.name.find("_exps.") != std::string::npos) experts += static_cast<double>(tensor.size_bytes);
  EXPECT_EQ(static_cast<double>(row.bytes.experts), experts);
  // One of 128 is chosen.
  const double disk_s = experts / 128 * (static_cast<double>(row.tiers[2].bytes.experts) / experts) / 5e9;
  EXPECT_LE(row.forecast->limit_tok_s, 1 / disk_s);
  EXPECT_GE(row.forecast->limit_tok_s, 0.6 / disk_s);
  const Asked slow("llama-4-maverick:Q4_K_M", {.ssd_gbps = 0.01});
  EXPECT_NEAR(rate(slow.on("RTX 4090 + 64GB DDR5-6000")) * disk_s * 500, 1, 0.01);
}

TEST(HardwarePlan, RefusedWithNumbers) {
  const Asked model("llama-3.3-70b:Q4_K_M", {.context_tokens = 131072, .sequences = 64});
  const PlanRow row = model.on("RTX 3060 12GB + 16GB DDR5-6000");
  EXPECT_EQ(row.verdict, Verdict::kRefused);
  EXPECT_FALSE(row.forecast);
  EXPECT_EQ(row.bytes.kv, 64ULL * 131072 * 80 * 8 * 128 * 2 * 2);
  EXPECT_NE(row.why.find("KV cache and buffers need 2.5 TiB"), std::string::npos) << row.why;
}

TEST(HardwarePlan, TiersHoldWhatThereIs) {
  for (const char* name :
       {"llama-3.1-8b:Q4_K_M", "llama-3.3-70b:Q8_0", "gpt-oss-120b", "deepseek-v3:Q4_K_M"}) {
    const Asked model(name);
    const auto systems = catalogue().resolve_all("all");
    ASSERT_TRUE(systems);
    for (const System& system : *systems) {
      const PlanRow row = model.planner.row(system);
      SCOPED_TRACE(row.hardware + ", " + name);
      for (const Tier& tier : row.tiers) EXPECT_LE(tier.bytes.total(), tier.capacity_bytes);
      if (row.verdict == Verdict::kRefused) continue;
      const ByteCounts sum = sum_of(row.tiers);
      EXPECT_EQ(sum.weights, row.bytes.weights);
      EXPECT_EQ(sum.experts, row.bytes.experts);
      EXPECT_EQ(sum.total(), row.bytes.total());
      EXPECT_EQ(row.verdict == Verdict::kStreams, row.tiers.back().kind == "disk");
      const Forecast& f = *row.forecast;
      for (const Interval& interval : {f.decode_tok_s, f.decode_half_tok_s, f.decode_full_tok_s,
                                       f.prefill_tok_s, f.first_token_s, f.peak_bytes})
        EXPECT_TRUE(is_usable(interval));
      EXPECT_GE(f.limit_tok_s, f.decode_tok_s.mid);
      EXPECT_LE(f.decode_full_tok_s.mid, f.decode_tok_s.mid);
    }
  }
}

TEST(HardwarePlan, MoreDevicesAreNotSlowerThanSpilling) {
  for (const char* name : {"llama-3.3-70b:Q4_K_M", "qwen3-235b-a22b:Q4_K_M", "gpt-oss-120b"}) {
    const Asked model(name);
    double before = 0;
    for (const char* devices : {"RTX 3090", "2x RTX 3090", "4x RTX 3090", "8x RTX 3090"}) {
      const PlanRow row = model.on(devices);
      if (row.tiers.size() == 1 && before > 0 && row.verdict == Verdict::kFits) {
        EXPECT_GT(rate(row), before) << name << " on " << devices;
        break;
      }
      before = rate(row);
    }
  }
}

// What the cards hold together needs no paging, also when they are of two kinds.
TEST(HardwarePlan, CardsOfTwoKinds) {
  const Asked model("llama-3.3-70b:Q4_K_M");
  const PlanRow row = model.on("RTX 4090 + RTX 3090");
  EXPECT_EQ(row.verdict, Verdict::kFits);
  ASSERT_EQ(row.tiers.size(), 2U);
  EXPECT_GT(row.tiers[1].bytes.weights, 0U);
  EXPECT_NEAR(rate(row) / rate(model.on("2x RTX 4090")), 1, 0.2);
  // Memories that hold nothing are not spoken of.
  EXPECT_EQ(model.on("2x RTX 4090 + 64GB DDR5-6000").why.find("0 B"), std::string::npos);
}

TEST(HardwarePlan, TheLimitOfTwoSocketsIsThatOfBoth) {
  const Asked model("llama-3.3-70b:Q4_K_M");
  EXPECT_NEAR(model.on("2x EPYC 9654").forecast->limit_tok_s, 2 * model.on("EPYC 9654").forecast->limit_tok_s,
              0.01);
}

TEST(HardwarePlan, OfExpertsOnlyTheActiveAreRead) {
  const Asked model("gpt-oss-120b");
  double experts = 0, others = 0;
  for (const file::TensorInfo& tensor : model.paper.inventory.tensors()) {
    if (tensor.name == "token_embd.weight") continue;
    const bool expert = tensor.name.find("_exps.") != std::string::npos;
    (expert ? experts : others) += static_cast<double>(tensor.size_bytes);
  }
  const PlanRow row = model.on("2x A100 80GB");
  // 4 of 128 experts, and a token's keys and values.
  EXPECT_NEAR(row.bytes_per_token, others + experts * 4 / 128, 0.002 * row.bytes_per_token);
  EXPECT_LT(row.bytes_per_token, 0.1 * static_cast<double>(row.bytes.weights));
}

TEST(HardwarePlan, PricePowerAndDoubtPassThrough) {
  const Asked model("llama-3.1-8b:Q4_K_M");
  const System two = system_named("2x RTX 4090");
  const PlanRow row = model.planner.row(two);
  EXPECT_EQ(row.price_usd, two.price_usd());
  EXPECT_EQ(row.price_usd, 2 * 1599);
  EXPECT_EQ(row.power_w, 2 * 450);
  EXPECT_FALSE(row.unconfirmed);
  System doubted = two;
  doubted.devices[0].hardware.verification = "unconfirmed";
  EXPECT_TRUE(model.planner.row(doubted).unconfirmed);
  doubted.devices[0].hardware.price_usd = 0;
  EXPECT_EQ(model.planner.row(doubted).price_usd, 0);
}

TEST(HardwarePlan, AnUnknownBandwidthIsNoSpeed) {
  System system = system_named("RTX 4090");
  system.devices[0].bandwidth_gbps = 0;
  const PlanRow row = Asked("llama-3.1-8b:Q4_K_M").planner.row(system);
  EXPECT_EQ(row.verdict, Verdict::kRefused);
  EXPECT_FALSE(row.forecast);
  EXPECT_NE(row.why.find("unknown"), std::string::npos) << row.why;
}

TEST(HardwarePlan, ContextsBeyondTheModelsAreRefused) {
  const auto paper = spec::hub::paper_model_of_name("llama-2-7b", "Q4_K_M");
  ASSERT_TRUE(paper);
  ASSERT_EQ(paper->spec.context_tokens, 4096U);
  const HardwarePlanner beyond(paper->spec, paper->inventory, paper->quant, {.context_tokens = 4097},
                               time_model());
  const auto checked = beyond.check();
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, ErrorCode::kUsage);
  EXPECT_NE(checked.error().message.find("4097"), std::string::npos) << checked.error().message;
  EXPECT_NE(checked.error().message.find("4096"), std::string::npos) << checked.error().message;
  EXPECT_EQ(usual_context(paper->spec), 4096U);
  spec::ModelSpec small = paper->spec;
  small.context_tokens = 512;
  EXPECT_EQ(usual_context(small), 512U);
  EXPECT_TRUE(HardwarePlanner(small, paper->inventory, paper->quant, {}, time_model()).check());
}

// A layer that only guesses further tokens takes no memory unless it is asked for.
TEST(HardwarePlan, WithoutTheLayerThatGuesses) {
  Result<spec::hub::PaperModel> paper = fail(ErrorCode::kNotFound, "no model has one");
  for (const spec::hub::KnownModel& known : spec::hub::known_models()) {
    paper = spec::hub::paper_model_of_name(known.name, "Q4_K_M");
    if (paper && paper->spec.mtp) break;
  }
  ASSERT_TRUE(paper);
  ASSERT_TRUE(paper->spec.mtp);
  const HardwarePlanner with(paper->spec, paper->inventory, paper->quant, {}, time_model());
  spec::ModelSpec plain = paper->spec;
  plain.mtp.reset();
  const HardwarePlanner without(plain, paper->inventory, paper->quant, {}, time_model());
  const System system = system_named("8x H100");
  EXPECT_EQ(with.row(system).bytes.total(), without.row(system).bytes.total());
}

TEST(HardwarePlan, EncodersReadButDecodeNothing) {
  const auto files = file::open_model((testing::data_dir() / "models" / "bert-mean" / "model.gguf").string());
  ASSERT_TRUE(files);
  const auto model = spec::read_model_spec(files->inventory);
  ASSERT_TRUE(model);
  const HardwarePlanner planner(*model, files->inventory, "F32", {}, time_model());
  ASSERT_TRUE(planner.check());
  const PlanRow row = planner.row(system_named("RTX 4090"));
  EXPECT_EQ(row.verdict, Verdict::kFits);
  ASSERT_TRUE(row.forecast);
  EXPECT_TRUE(is_usable(row.forecast->prefill_tok_s));
  EXPECT_FALSE(is_usable(row.forecast->decode_tok_s));
}

}  // namespace
}  // namespace cistern::plan
