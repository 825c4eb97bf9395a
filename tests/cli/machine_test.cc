// `cistern machine`: the JSON document, its cache, bad arguments. Tiny amounts of memory and time: what is
// measured here says nothing.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "cli/program.h"
#include "support/temp_dir.h"

namespace cistern::testing {
namespace {

namespace json = boost::json;

Outcome run_machine(const TempDir& home, std::vector<std::string> more) {
  RunInput input{.args = {"machine", "--seconds", "0.01", "--memory", "8MiB"},
                 .env = {{"XDG_CACHE_HOME", home.path().string()}}};
  input.args.insert(input.args.end(), more.begin(), more.end());
  return run_program(input);
}

json::object json_of(const Outcome& run) {
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.err, "");
  json::error_code error;
  json::value value = json::parse(run.out, error);
  EXPECT_FALSE(error) << run.out;
  return value.is_object() ? value.get_object() : json::object();
}

TEST(Machine, JsonDocument) {
  const TempDir home;
  const json::object got = json_of(run_machine(home, {"--json", "--threads", "3"}));
  for (const char* key : {"read_gbps", "int8_gmacs", "bf16_gmacs", "f32_gmacs", "disk_gbps", "cores",
                          "hardware_threads", "memory_nodes", "seconds"}) {
    ASSERT_TRUE(got.contains(key)) << key;
    EXPECT_GT(got.at(key).to_number<double>(), 0) << key;
  }
  EXPECT_EQ(got.at("threads").to_number<int>(), 3);  // more than cores, perhaps: measured all the same
  ASSERT_EQ(got.at("by_threads").as_array().size(), 3U);
  EXPECT_EQ(got.at("by_threads").at(1).at("threads").to_number<int>(), 2);
  EXPECT_GT(got.at("ram").at("physical_bytes").to_number<double>(), 0);
  EXPECT_GT(got.at("ram").at("budget_bytes").to_number<double>(), 0);
  EXPECT_EQ(got.at("isa"), got.at("isas").as_array().back());
  EXPECT_FALSE(got.at("isa_forced").as_bool());
  EXPECT_TRUE(got.at("disk").at("direct").is_bool());
  EXPECT_FALSE(got.at("cached").as_bool());
}

TEST(Machine, FiguresAreKeptUntilRefreshed) {
  const TempDir home;
  const json::object first = json_of(run_machine(home, {"--json", "--no-disk"}));
  EXPECT_TRUE(first.at("disk").is_null());
  json::object second = json_of(run_machine(home, {"--json", "--no-disk"}));
  EXPECT_TRUE(second.at("cached").as_bool());
  EXPECT_EQ(second.at("by_threads"), first.at("by_threads"));
  EXPECT_FALSE(json_of(run_machine(home, {"--json", "--no-disk", "--refresh"})).at("cached").as_bool());
  EXPECT_FALSE(json_of(run_machine(home, {"--json", "--no-disk", "--isa", "scalar"})).at("cached").as_bool());
  home.write("cistern/machine.json", "{ damaged");
  EXPECT_FALSE(json_of(run_machine(home, {"--json", "--no-disk"})).at("cached").as_bool());
}

TEST(Machine, TextSaysWhatIsForced) {
  const TempDir home;
  const Outcome plain = run_machine(home, {"--no-disk"});
  EXPECT_EQ(plain.exit_code, 0) << plain.err;
  EXPECT_EQ(plain.out.find("forced"), std::string::npos);
  for (const char* part : {"processor", "isa", "memory", "threads", "int8", "bf16", "measured in"}) {
    EXPECT_NE(plain.out.find(part), std::string::npos) << part;
  }
  const Outcome forced = run_machine(home, {"--no-disk", "--isa", "scalar"});
  EXPECT_NE(forced.out.find("scalar (forced"), std::string::npos) << forced.out;
}

TEST(Machine, TheDiskUnderAFile) {
  const TempDir home;
  const std::string path = home.write("data", std::string(100'000, 'x')).string();
  const json::object got = json_of(run_machine(home, {"--json", "--disk", path}));
  EXPECT_GT(got.at("disk_gbps").to_number<double>(), 0);
  const json::object missing = json_of(run_machine(home, {"--json", "--disk", path + "-missing"}));
  EXPECT_TRUE(missing.at("disk_gbps").is_null());
  EXPECT_NE(missing.at("disk_note").as_string().find("not measured"), json::string::npos);
}

TEST(Machine, WorksWithoutACache) {
  RunInput input{.args = {"machine", "--seconds", "0.01", "--memory", "8MiB", "--no-disk", "--json"},
                 .env = {{"XDG_CACHE_HOME", "/proc/nowhere"}}};
  EXPECT_FALSE(json_of(run_program(input)).at("cached").as_bool());
}

TEST(Machine, BadArguments) {
  const TempDir home;
  const std::vector<std::vector<std::string>> cases = {
      {"--threads", "0"},   {"--threads", "1000000"}, {"--threads", "two"}, {"--isa", "sse9"},
      {"--memory", "lots"}, {"--seconds", "0"},       {"--seconds", "-1"},  {"extra"}};
  for (const auto& args : cases) {
    EXPECT_EQ(not_one_clear_error(run_machine(home, args), 2), "") << args.front();
  }
}

}  // namespace
}  // namespace cistern::testing
