// Forecasts of models on paper on machines whose speeds are made up, so that what must come out can be
// computed by hand.
#include "plan/forecast.h"

#include <gtest/gtest.h>

#include <cmath>

#include "spec/hub/paper_model.h"
#include "support/fixtures.h"

namespace cistern::plan {
namespace {

constexpr std::uint64_t kGiB = 1ULL << 30U;
constexpr std::uint64_t kEnough = 1ULL << 50U;

struct Planned {
  explicit Planned(const char* name, std::uint64_t budget_bytes = kEnough, std::uint32_t context = 4096,
                   std::uint32_t sequences = 1) {
    auto found = spec::hub::paper_model_of_name(name, "Q4_K_M");
    EXPECT_TRUE(found) << name;
    paper = *std::move(found);
    paper.spec.mtp.reset();
    auto made =
        make_plan({.budget_bytes = budget_bytes, .budget_source = "test", .process_bytes = 1000}, paper.spec,
                  paper.inventory,
                  {.context_tokens = context, .threads = 2, .sequences = sequences, .may_stream = true});
    EXPECT_TRUE(made) << describe(made.error());
    plan = *std::move(made);
  }
  Forecast with(const MachineSpeed& speed, const ForecastQuestion& question = {},
                std::uint32_t sequences = 1) const {
    return forecast(paper.spec, paper.inventory, plan, sequences, speed, question);
  }
  // That every token reads: all but the embedding, of which it looks a row up.
  double dense_bytes() const {
    double sum = 0;
    for (const file::TensorInfo& tensor : paper.inventory.tensors())
      if (tensor.name != "token_embd.weight") sum += static_cast<double>(tensor.size_bytes);
    return sum;
  }

  spec::hub::PaperModel paper;
  MemoryPlan plan;
};

MachineSpeed usual_speed() {
  MachineSpeed speed{.read_bytes_per_s = 50e9,
                     .disk_bytes_per_s = 2e9,
                     .commit_bytes_per_s = 20e9,
                     .slow_commit_bytes_per_s = 8e9,
                     .dispatch_s = 2e-6,
                     .bf16_macs_per_s = 1e12,
                     .float_macs_per_s = 4e11};
  speed.products.fill({.decode_bytes_per_s = 40e9, .prefill_macs_per_s = 6e11});
  return speed;
}

constexpr Interval Forecast::* kIntervals[] = {
    &Forecast::load_s,       &Forecast::prefill_tok_s,     &Forecast::first_token_s,
    &Forecast::decode_tok_s, &Forecast::decode_half_tok_s, &Forecast::decode_full_tok_s,
    &Forecast::peak_bytes};

constexpr double MachineSpeed::* kSpeeds[] = {&MachineSpeed::read_bytes_per_s,
                                              &MachineSpeed::disk_bytes_per_s, &MachineSpeed::bf16_macs_per_s,
                                              &MachineSpeed::float_macs_per_s};

// Models whose steps differ in kind, in memory and from disk.
const std::vector<Planned>& every_kind() {
  static const auto* const kAll = [] {
    auto* all = new std::vector<Planned>();
    for (const char* name : {"llama-3.1-8b", "gpt-oss-20b", "qwen3-30b-a3b", "qwen3-next-80b-a3b"}) {
      all->emplace_back(name);
      all->emplace_back(name, (name == std::string_view("llama-3.1-8b") ? 3 : 6) * kGiB, 2048);
      EXPECT_TRUE(all->back().plan.streaming) << name;
    }
    all->emplace_back("deepseek-v3");
    all->emplace_back("gemma-3-27b");
    return all;
  }();
  return *kAll;
}

// Of the bandwidth, what products get of it (docs/plan.md).
constexpr double kReadShare = 0.87;
// Of the disk's speed, what a mapped file gets of it.
constexpr double kMappedDiskShare = 0.85;

// 8B on a machine that does nothing but read: 1 GB/s, computing takes no time.
TEST(Forecast, ATokenReadsItsBytes) {
  const Planned model("llama-3.1-8b");
  const MachineSpeed speed{.read_bytes_per_s = 1e9};
  const double rate = model.with(speed).decode_tok_s.mid;
  EXPECT_NEAR(rate * model.dense_bytes() / 1e9, kReadShare, 0.002);
  // Beside them the keys and values of the tokens before: 32 layers, 8 heads of 128, twice, of 2 bytes.
  const double kv_bytes = 32 * 8 * 128 * 2 * 2;
  const double deep = 1 / model.with(speed, {.decode_depth = 4000}).decode_tok_s.mid;
  EXPECT_GE(deep - 1 / rate, 4000 * kv_bytes / 1e9);
  EXPECT_LE(deep - 1 / rate, 2 * 4000 * kv_bytes / 1e9);
}

// Unpacking overlaps with reading: together they take no less than the longer and no more than both.
TEST(Forecast, UnpackingOverlapsWithReading) {
  const Planned model("llama-3.1-8b");
  MachineSpeed speed{.read_bytes_per_s = 1e9};
  for (const double unpacking : {1e10, 2e9, 1e9, 5e8, 1e8}) {
    speed.products.fill({.decode_bytes_per_s = unpacking, .prefill_macs_per_s = 1e13});
    const double seconds = 1 / model.with(speed).decode_tok_s.mid;
    const double reads = model.dense_bytes() / (kReadShare * 1e9), unpacks = model.dense_bytes() / unpacking;
    EXPECT_GE(seconds, std::max(reads, unpacks) * 0.999);
    EXPECT_LE(seconds, (reads + unpacks) * 1.001);
  }
}

TEST(Forecast, APromptIsBoundByItsProducts) {
  const Planned model("llama-3.1-8b");
  MachineSpeed speed{.read_bytes_per_s = 1e15};
  speed.products.fill({.decode_bytes_per_s = 1e15, .prefill_macs_per_s = 1e12});
  const Forecast f = model.with(speed, {.prompt_tokens = 256});
  // 7.5e9 weights per token are multiplied with, but for the output head's, 128256 x 4096.
  EXPECT_NEAR(f.prefill_tok_s.mid, 1e12 / (7.5e9 - 128256.0 * 4096), 5);
  EXPECT_NEAR(f.first_token_s.mid * f.prefill_tok_s.mid, 256, 1e-6);
}

TEST(Forecast, FasterMachinesAreNeverSlower) {
  for (const Planned& model : every_kind()) {
    SCOPED_TRACE(model.paper.name);
    const ForecastQuestion question{.prompt_tokens = 700, .cached_share = 0.5};
    const Forecast before = model.with(usual_speed(), question);
    for (double MachineSpeed::* const field : kSpeeds) {
      MachineSpeed faster = usual_speed();
      faster.*field *= 3;
      const Forecast now = model.with(faster, question);
      EXPECT_GE(now.decode_tok_s.mid, before.decode_tok_s.mid);
      EXPECT_GE(now.prefill_tok_s.mid, before.prefill_tok_s.mid);
      EXPECT_GE(now.limit_tok_s, before.limit_tok_s);
      EXPECT_LE(now.load_s.mid, before.load_s.mid);
    }
    MachineSpeed faster = usual_speed();
    faster.read_bytes_per_s *= 3;
    faster.disk_bytes_per_s *= 3;
    EXPECT_GT(model.with(faster, question).decode_tok_s.mid, before.decode_tok_s.mid);
  }
}

TEST(Forecast, DeeperIsNeverFaster) {
  for (const Planned& model : every_kind()) {
    SCOPED_TRACE(model.paper.name);
    double decode = std::numeric_limits<double>::infinity(), prefill = decode;
    for (const std::uint32_t depth : {0U, 1U, 100U, 1000U, 1500U, 2047U}) {
      const Forecast f = model.with(usual_speed(), {.decode_depth = depth, .depth = depth});
      EXPECT_LE(f.decode_tok_s.mid, decode) << depth;
      EXPECT_LE(f.prefill_tok_s.mid, prefill) << depth;
      EXPECT_LE(f.decode_full_tok_s.mid, f.decode_half_tok_s.mid);
      decode = f.decode_tok_s.mid;
      prefill = f.prefill_tok_s.mid;
    }
  }
}

TEST(Forecast, WhatIsTheLimitIsNotBeaten) {
  for (const Planned& model : every_kind()) {
    SCOPED_TRACE(model.paper.name);
    for (const std::uint32_t depth : {0U, 1000U}) {
      const Forecast f = model.with(usual_speed(), {.decode_depth = depth});
      EXPECT_GE(f.limit_tok_s, f.decode_tok_s.mid);
      EXPECT_EQ(f.limited_by, model.plan.streaming ? Limit::kDisk : Limit::kMemory);
    }
  }
}

TEST(Forecast, FromASlowDiskTheDiskDecides) {
  const Planned model("llama-3.1-8b", 3 * kGiB, 2048);
  ASSERT_TRUE(model.plan.streaming);
  MachineSpeed speed = usual_speed();
  speed.disk_bytes_per_s = 1e8;
  const Forecast f = model.with(speed);
  const double from_disk = 1e8 / static_cast<double>(model.plan.streaming->token_bytes);
  EXPECT_EQ(f.limited_by, Limit::kDisk);
  EXPECT_NEAR(f.limit_tok_s, from_disk, from_disk * 1e-9);
  EXPECT_LE(f.decode_tok_s.mid, from_disk);
  EXPECT_GE(f.decode_tok_s.mid, from_disk * 0.95) << "computing is hidden nearly all";
  EXPECT_EQ(name_of(f.limited_by), "disk");
  // The layers of a prompt pass the disk once for each chunk, not for each token.
  EXPECT_GT(f.prefill_tok_s.mid, 10 * from_disk);
  EXPECT_GE(f.load_s.mid, static_cast<double>(model.plan.streaming->resident_bytes) / 1e8);
}

TEST(Forecast, WhatIsInThePageCacheNeedNotBeRead) {
  Planned model("llama-3.1-8b");
  model.plan.reserved = false;
  const auto load = [&](double cached) {
    return model.with(usual_speed(), {.cached_share = cached}).load_s.mid;
  };
  const auto bytes = static_cast<double>(model.paper.inventory.tensor_bytes());
  EXPECT_GE(load(0), bytes / 2e9);
  EXPECT_LT(load(0), bytes / (kMappedDiskShare * 2e9) + 0.1)
      << "what comes from the disk is not mapped as well";
  EXPECT_LT(load(1), load(0) / 5);
  EXPECT_NEAR(load(0.5), (load(0) + load(1)) / 2, 1e-9);
  EXPECT_EQ(load(-3), load(0));
  EXPECT_EQ(load(7), load(1));
}

TEST(Forecast, SequencesTogetherShareTheWeights) {
  for (const char* name : {"llama-3.1-8b", "qwen3-30b-a3b"}) {
    const Planned one(name), four(name, kEnough, 4096, 4);
    const double alone = one.with(usual_speed()).decode_tok_s.mid;
    const Forecast together = four.with(usual_speed(), {}, 4);
    EXPECT_GT(together.decode_tok_s.mid, alone) << name;
    EXPECT_LT(together.decode_tok_s.mid, 4 * alone) << name;
    EXPECT_GE(together.limit_tok_s, together.decode_tok_s.mid);
  }
}

TEST(Forecast, AnUnsteadyMachineHasWiderIntervals) {
  const Planned model("llama-3.1-8b");
  MachineSpeed unsteady = usual_speed();
  unsteady.read_spread = 0.3;
  const Interval calm = model.with(usual_speed()).decode_tok_s, wild = model.with(unsteady).decode_tok_s;
  EXPECT_EQ(calm.mid, wild.mid);
  EXPECT_LT(wild.low, calm.low);
  EXPECT_GT(wild.high, calm.high);
}

TEST(Forecast, ThePeakIsThePlans) {
  for (const Planned& model : every_kind()) {
    const Interval peak = model.with({}).peak_bytes;
    EXPECT_TRUE(is_usable(peak));
    EXPECT_EQ(peak.mid, static_cast<double>(model.plan.total_bytes()));
    EXPECT_EQ(model.with({}, {.filled_tokens = 1}).peak_bytes, peak) << "whatever fills the context";
  }
}

TEST(Forecast, AnAutomaticContextIsTakenAsItFills) {
  Planned model("llama-3.1-8b");
  model.plan.reserved = false;
  const auto total = static_cast<double>(model.plan.total_bytes());
  const auto kv = static_cast<double>(model.plan.kv_bytes);
  EXPECT_EQ(model.with({}, {.filled_tokens = 1024}).peak_bytes.mid, total - kv * 3 / 4);
  EXPECT_EQ(model.with({}, {.filled_tokens = 4096}).peak_bytes.mid, total);
  const Interval unknown = model.with({}, {.prompt_tokens = 2048}).peak_bytes;
  EXPECT_EQ(unknown.mid, total - kv / 4) << "half way between the prompt and all of it";
  EXPECT_LT(unknown.low, total - kv / 2);
  EXPECT_GT(unknown.high, total);
}

TEST(Forecast, MemoryThatIsReservedTakesTimeToLoad) {
  Planned model("llama-3.1-8b");
  const double reserved = model.with(usual_speed()).load_s.mid;
  model.plan.reserved = false;
  EXPECT_GT(reserved, model.with(usual_speed()).load_s.mid);
}

// Of what is not known nothing is said, rather than something that is not a number.
TEST(Forecast, UnknownSpeedsGiveNoFigures) {
  for (const Planned& model : every_kind()) {
    SCOPED_TRACE(model.paper.name);
    const Forecast nothing = model.with({}, {.cached_share = 0});
    for (Interval Forecast::* const interval : kIntervals) {
      if (interval == &Forecast::peak_bytes) continue;
      EXPECT_FALSE(is_usable(nothing.*interval));
      EXPECT_EQ(nothing.*interval, Interval());
    }
    EXPECT_EQ(nothing.limit_tok_s, 0);

    std::vector<MachineSpeed> speeds;
    for (double MachineSpeed::* const field : kSpeeds) {
      speeds.push_back(usual_speed());
      speeds.back().*field = 0;
    }
    speeds.push_back(usual_speed());
    speeds.back().dispatch_s = 0;
    speeds.push_back(usual_speed());
    speeds.back().products.fill({});
    for (const MachineSpeed& speed : speeds) {
      const Forecast f = model.with(speed, {.cached_share = 0.5});
      for (Interval Forecast::* const interval : kIntervals)
        EXPECT_TRUE(is_usable(f.*interval) || f.*interval == Interval());
      EXPECT_TRUE(std::isfinite(f.limit_tok_s));
      EXPECT_EQ(is_usable(f.decode_tok_s),
                speed.read_bytes_per_s > 0 && (speed.disk_bytes_per_s > 0 || !model.plan.streaming));
      EXPECT_EQ(is_usable(f.load_s), speed.disk_bytes_per_s > 0);
    }
  }
}

TEST(Forecast, NoPromptTakesNoTime) {
  const Forecast f = Planned("llama-3.1-8b").with(usual_speed(), {.prompt_tokens = 0});
  EXPECT_EQ(f.prefill_tok_s, Interval());
  EXPECT_EQ(f.first_token_s, Interval());
  EXPECT_TRUE(is_usable(f.decode_tok_s));
}

TEST(Forecast, EncodersDecodeNothing) {
  const auto files = file::open_model((testing::data_dir() / "models" / "bert-mean" / "model.gguf").string());
  ASSERT_TRUE(files);
  const auto model = spec::read_model_spec(files->inventory);
  ASSERT_TRUE(model);
  const auto plan =
      make_plan({.budget_bytes = kEnough, .budget_source = "test"}, *model, files->inventory, {});
  ASSERT_TRUE(plan);
  const Forecast f = forecast(*model, files->inventory, *plan, 1, usual_speed(), {.prompt_tokens = 64});
  EXPECT_TRUE(is_usable(f.prefill_tok_s));
  EXPECT_EQ(f.decode_tok_s, Interval());
  EXPECT_EQ(f.limit_tok_s, 0);
}

}  // namespace
}  // namespace cistern::plan
