#include "tools/machine_cache.h"

#include <gtest/gtest.h>

#include "support/temp_dir.h"
#include "tools/json_out.h"

namespace cistern::tools {
namespace {

using testing::TempDir;

MachineFigures some_figures() {
  return {.by_threads =
              {{.threads = 1, .read_gbps = 8, .int8_gmacs = 500, .bf16_gmacs = 250.5, .f32_gmacs = 125},
               {.threads = 2, .read_gbps = 50.25, .int8_gmacs = 1000, .bf16_gmacs = 501, .f32_gmacs = 250}},
          .read_pattern = "avx512 loads",
          .int8_instructions = "vpdpbusd",
          .bf16_instructions = "vdpbf16ps",
          .f32_instructions = "vfmadd",
          .by_type = {{.type = "Q4_0", .decode_gbps = 80.5, .prefill_gmacs = 700}},
          .disk = sys::DiskSpeed{.bytes_per_s = 2e9, .latency_s = 1e-4, .direct = true},
          .disk_note = "/tmp",
          .memory_bytes = 1U << 30U,
          .seconds = 7.5,
          .measured_at = 1'700'000'000};
}

TEST(MachineCache, GivesBackWhatItWasGiven) {
  const TempDir dir;
  const std::string path = (dir.path() / "new" / "machine.json").string();
  const boost::json::object key = {{"threads", 2}, {"seconds", "8"}};
  EXPECT_FALSE(read_machine_cache(path, key));
  ASSERT_TRUE(write_machine_cache(path, key, some_figures()));
  const auto found = read_machine_cache(path, key);
  ASSERT_TRUE(found);
  EXPECT_EQ(to_json(figures_json(*found)), to_json(figures_json(some_figures())));

  MachineFigures without_disk = some_figures();
  without_disk.disk.reset();
  ASSERT_TRUE(write_machine_cache(path, key, without_disk));
  ASSERT_TRUE(read_machine_cache(path, key));
  EXPECT_FALSE(read_machine_cache(path, key)->disk);
}

TEST(MachineCache, AnotherKeyIsAnotherMachine) {
  const TempDir dir;
  const std::string path = (dir.path() / "machine.json").string();
  ASSERT_TRUE(write_machine_cache(path, {{"threads", 2}}, some_figures()));
  EXPECT_FALSE(read_machine_cache(path, {{"threads", 3}}));
  EXPECT_FALSE(read_machine_cache(path, {{"threads", 2}, {"isa", "avx2"}}));
}

TEST(MachineCache, DamageIsAbsence) {
  const TempDir dir;
  const boost::json::object key = {{"threads", 2}};
  const boost::json::object good = {{"key", key}, {"figures", figures_json(some_figures())}};
  const auto reads = [&](const std::string& text) {
    return read_machine_cache(dir.write("machine.json", text).string(), key).has_value();
  };
  const std::string whole = to_json(good);
  ASSERT_TRUE(reads(whole));
  for (std::size_t length = 0; length < whole.size(); length += 7)
    EXPECT_FALSE(reads(whole.substr(0, length)));
  EXPECT_FALSE(reads("[1, 2]"));
  EXPECT_FALSE(reads("\xff\xfe"));
  for (const auto& [name, value] : good.at("figures").as_object()) {
    boost::json::object damaged = good;
    boost::json::object& figures = damaged.at("figures").as_object();
    figures[name] = boost::json::object{{"x", 1}};
    const bool derived = name == "threads" || name.ends_with("_gmacs") || name.ends_with("_gbps");
    EXPECT_EQ(reads(to_json(damaged)), derived) << name;  // those are read from by_threads
  }
  boost::json::object negative = good;
  negative.at("figures").at("by_threads").as_array()[0].as_object()["read_gbps"] = -1;
  EXPECT_FALSE(reads(to_json(negative)));
  EXPECT_FALSE(read_machine_cache("", key));
  EXPECT_FALSE(read_machine_cache(dir.path().string(), key));
  EXPECT_FALSE(write_machine_cache("", key, some_figures()));
  EXPECT_FALSE(write_machine_cache((dir.path() / "machine.json" / "below").string(), key, some_figures()));
}

}  // namespace
}  // namespace cistern::tools
