// What is measured here says nothing of a machine; what is kept, and when, does.
#include "tools/local_speed.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "support/fixtures.h"
#include "support/temp_dir.h"

namespace cistern::tools {
namespace {

namespace json = boost::json;
using testing::read_text;
using testing::TempDir;

constexpr std::size_t kSmallBytes = 16U << 20U;

class LocalSpeed : public ::testing::Test {
 protected:
  LocalSpeed() {
    if (const char* before = std::getenv("XDG_CACHE_HOME")) before_ = before;
    setenv("XDG_CACHE_HOME", dir_.path().c_str(), 1);
  }
  ~LocalSpeed() override {
    before_.empty() ? unsetenv("XDG_CACHE_HOME") : setenv("XDG_CACHE_HOME", before_.c_str(), 1);
  }

  // With a little memory, so that it is quick.
  plan::MachineSpeed measure(int threads = 1) const {
    return local_speed({.threads = threads, .disk_path = {}, .memory = std::span(memory_)});
  }
  json::object kept() const { return json::parse(read_text(file())).as_object(); }
  std::string file() const { return (dir_.path() / "cistern" / "speed.json").string(); }
  void keep(const std::string& text) const { dir_.write("cistern/speed.json", text); }

  TempDir dir_;
  std::string before_;
  std::vector<std::byte> memory_ = std::vector<std::byte>(kSmallBytes);
};

TEST_F(LocalSpeed, IsMeasuredAndKept) {
  const plan::MachineSpeed first = measure();
  EXPECT_GT(first.read_bytes_per_s, 0);
  EXPECT_GT(first.dispatch_s, 0);
  EXPECT_GT(first.bf16_macs_per_s, 0);
  EXPECT_GT(first.float_macs_per_s, 0);
  EXPECT_EQ(first.disk_bytes_per_s, 0) << "no disk was named";
  ASSERT_EQ(kept().size(), 1U);
  const plan::MachineSpeed second = measure();
  EXPECT_DOUBLE_EQ(second.dispatch_s, first.dispatch_s);
  EXPECT_DOUBLE_EQ(second.bf16_macs_per_s, first.bf16_macs_per_s);
  EXPECT_DOUBLE_EQ(second.float_macs_per_s, first.float_macs_per_s);
}

// What fits caches says nothing of other models.
TEST_F(LocalSpeed, ReadingALittleMemoryIsNotKept) {
  measure();
  for (const auto& [key, value] : kept()) EXPECT_FALSE(value.as_object().contains("reads")) << key;
  memory_.resize(1000);
  EXPECT_EQ(measure().read_bytes_per_s, 0) << "too little to measure with";
  EXPECT_EQ(local_speed({.disk_path = {}, .memory = std::span<const std::byte>()}).read_bytes_per_s, 0);
}

TEST_F(LocalSpeed, KnownReadsAreAskedForTheirMedianAndSpread) {
  measure();
  json::object all = kept();
  const std::string key(all.begin()->key());
  all[key].as_object()["reads"] = json::array{1e9, 4e9, 2e9, "x", -1, 0};
  keep(json::serialize(all));
  const plan::MachineSpeed speed = measure();
  EXPECT_EQ(speed.read_bytes_per_s, 2e9);
  // Of the logarithms 0, 1 and 2 to the base of 2.
  EXPECT_NEAR(speed.read_spread, std::sqrt(2.0 / 3) * std::log(2.0), 1e-9);
}

TEST_F(LocalSpeed, OtherThreadsAreAnotherMachine) {
  const plan::MachineSpeed one = measure(1);
  measure(2);
  EXPECT_EQ(kept().size(), 2U);
  EXPECT_DOUBLE_EQ(measure(1).float_macs_per_s, one.float_macs_per_s) << "the first is still there";
}

TEST_F(LocalSpeed, DamageIsAbsence) {
  for (const char* text : {"{ damaged", "", "[1, 2]", "null", "\xff\xfe", "{\"x\": 1}", "7"}) {
    keep(text);
    EXPECT_GT(measure().float_macs_per_s, 0) << text;
    EXPECT_GE(kept().size(), 1U) << text;
  }
  measure();
  const json::object good = kept();
  const std::string key(good.begin()->key());
  for (const char* hostile :
       {"{\"reads\": {}, \"dispatch_s\": -1, \"float_macs_per_s\": \"fast\"}", "[]", "null",
        "{\"reads\": [1e308, 1e308, 1e308, -1e308], \"bf16_macs_per_s\": -1e308, \"dispatch_s\": null}",
        "{\"reads\": [[[]]], \"dispatch_s\": {}, \"F32 decode\": \"x\"}"}) {
    keep("{" + json::serialize(json::string(key)) + ": " + hostile + "}");
    const plan::MachineSpeed speed = measure();
    for (const double value :
         {speed.read_bytes_per_s, speed.dispatch_s, speed.bf16_macs_per_s, speed.float_macs_per_s}) {
      EXPECT_GT(value, 0) << hostile;
      EXPECT_TRUE(std::isfinite(value)) << hostile;
    }
    EXPECT_TRUE(std::isfinite(speed.read_spread)) << hostile;
  }
}

TEST_F(LocalSpeed, OthersEntriesStay) {
  keep("{\"another machine\": {\"dispatch_s\": 7, \"unknown\": [1]}}");
  measure();
  EXPECT_EQ(kept().size(), 2U);
  EXPECT_EQ(kept().at("another machine"), json::parse("{\"dispatch_s\": 7, \"unknown\": [1]}"));
}

TEST_F(LocalSpeed, WhatCannotBeKeptIsMeasuredAgain) {
  dir_.write("cistern", std::string("a file where the folder should be"));
  EXPECT_GT(measure().float_macs_per_s, 0);
  EXPECT_GT(measure().float_macs_per_s, 0);
  EXPECT_EQ(read_text(dir_.path() / "cistern"), "a file where the folder should be");
  unsetenv("XDG_CACHE_HOME");
  setenv("XDG_CACHE_HOME", "/proc/nowhere", 1);
  EXPECT_GT(measure().float_macs_per_s, 0);
}

TEST_F(LocalSpeed, TypesOfAModelAreMeasured) {
  const auto files = file::open_model((testing::data_dir() / "models" / "llama" / "model.gguf").string());
  ASSERT_TRUE(files);
  const plan::MachineSpeed speed = local_speed(
      {.inventory = &files->inventory, .disk_path = {}, .memory = std::span<const std::byte>(memory_)});
  const ops::ProductSpeed& floats = speed.products[static_cast<std::size_t>(DType::kF32)];
  EXPECT_GT(floats.decode_bytes_per_s, 0);
  EXPECT_GT(floats.prefill_macs_per_s, 0);
  EXPECT_EQ(speed.products[static_cast<std::size_t>(DType::kQ4_K)].decode_bytes_per_s, 0);
  EXPECT_GE(cached_share(*files), 0);
  EXPECT_LE(cached_share(*files), 1);
  EXPECT_EQ(cached_share(file::ModelFiles()), 1);
}

TEST_F(LocalSpeed, TheDiskUnderAFile) {
  const std::string path = dir_.write("data", std::string(100'000, 'x')).string();
  const auto disk_of = [&](const std::string& name) {
    return local_speed({.disk_path = name, .memory = std::span<const std::byte>(memory_)}).disk_bytes_per_s;
  };
  EXPECT_GT(disk_of(path), 0);
  EXPECT_EQ(disk_of(path + "-missing"), 0);
}

TEST_F(LocalSpeed, NothingIsMeasuredWhereOnlyWhatIsKnownMayCount) {
  const plan::MachineSpeed nothing =
      local_speed({.disk_path = file(), .measure = false, .memory = std::span<const std::byte>(memory_)});
  EXPECT_EQ(nothing.read_bytes_per_s + nothing.dispatch_s + nothing.float_macs_per_s, 0);
  EXPECT_FALSE(std::filesystem::exists(file()));
  const plan::MachineSpeed measured = measure();
  const plan::MachineSpeed known =
      local_speed({.disk_path = {}, .measure = false, .memory = std::span<const std::byte>()});
  EXPECT_DOUBLE_EQ(known.float_macs_per_s, measured.float_macs_per_s);
}

}  // namespace
}  // namespace cistern::tools
