// `cistern bench`: the JSON document, the other forms, bad arguments, on the embedded model and with few
// tokens: what is measured here says nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "cli/program.h"
#include "support/fixtures.h"
#include "support/temp_dir.h"

namespace cistern::testing {
namespace {

namespace json = boost::json;

// `prompt` and `tokens` as they are given to --prompt and --tokens.
Outcome run_bench(std::vector<std::string> more, const char* prompt = "8", const char* tokens = "2") {
  std::vector<std::string> args = {"bench", "guide", "--prompt", prompt, "--tokens", tokens};
  if (std::ranges::find(more, "--reps") == more.end()) args.insert(args.end(), {"--reps", "1"});
  args.insert(args.end(), more.begin(), more.end());
  return run_program(args);
}

json::value json_of(const Outcome& run) {
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.err, "");
  json::error_code error;
  json::value value = json::parse(run.out, error);
  EXPECT_FALSE(error) << run.out;
  return value;
}

double number(const json::value& value, const char* key) {
  return value.at(key).to_number<double>();
}

TEST(Bench, JsonDocument) {
  const json::value got = json_of(run_bench({"--json", "--depth", "0,16", "--batch", "1,3"}));
  for (const char* key : {"read_gbps", "int8_gmacs", "bf16_gmacs"})
    EXPECT_GT(number(got.at("machine"), key), 0) << key;
  EXPECT_GE(number(got.at("machine"), "disk_gbps"), 0);
  EXPECT_GE(number(got.at("machine"), "threads"), 1);
  EXPECT_TRUE(got.at("machine").at("isa").is_string());
  EXPECT_TRUE(got.at("model").at("arch").is_string());
  EXPECT_TRUE(got.at("model").at("type").is_string());
  EXPECT_GT(number(got.at("model"), "bytes_per_token"), 0);

  const json::array& results = got.at("results").as_array();
  ASSERT_EQ(results.size(), 6U);  // per depth: prefill, and decoding of 1 and of 3
  for (const json::value& result : results) {
    const bool prefill = result.at("what").as_string() == "prefill";
    EXPECT_TRUE(prefill || result.at("what").as_string() == "decode");
    EXPECT_EQ(number(result, "tokens"), prefill ? 8 : 2);
    const json::value& tok_s = result.at("tok_s");
    EXPECT_GT(number(tok_s, "min"), 0);
    EXPECT_LE(number(tok_s, "min"), number(tok_s, "median"));
    EXPECT_LE(number(tok_s, "median"), number(tok_s, "max"));
    EXPECT_GT(number(result, "limit_tok_s"), 0);
    EXPECT_GT(number(result, "share"), 0);
  }
  EXPECT_EQ(number(results[0], "depth"), 0);
  EXPECT_EQ(number(results[2], "batch"), 3);
  EXPECT_EQ(number(results[5], "depth"), 16);
}

TEST(Bench, OtherForms) {
  const TempDir dir;
  const std::string page = (dir.path() / "bench.html").string();
  const Outcome csv = run_bench({"--csv", "--html", page});
  ASSERT_EQ(csv.exit_code, 0) << csv.err;
  EXPECT_TRUE(csv.out.starts_with("what,depth,batch,tokens,")) << csv.out;
  const std::string html = read_text(page);
  EXPECT_NE(html.find("<svg"), std::string::npos);
  EXPECT_EQ(html.find("http://"), std::string::npos);
  EXPECT_NE(run_bench({}).out.find("| prefill |"), std::string::npos);
}

TEST(Bench, EitherHalfAlone) {
  EXPECT_EQ(json_of(run_bench({"--json"}, "0")).at("results").as_array().size(), 1U);
  EXPECT_EQ(json_of(run_bench({"--json"}, "8", "0")).at("results").as_array().size(), 1U);
}

TEST(Bench, EveryIsaAndMoreThreadsThanCores) {
  const json::value got = json_of(run_bench({"--json", "--isa", "scalar", "--threads", "7"}));
  EXPECT_EQ(got.at("machine").at("isa").as_string(), "scalar");
  EXPECT_EQ(number(got.at("machine"), "threads"), 7);
}

TEST(Bench, BadArguments) {
  const std::vector<std::vector<std::string>> cases = {
      {"--depth", "x"},   {"--depth", "-1"}, {"--depth", "900000"}, {"--batch", "0"},
      {"--batch", "1,x"}, {"--reps", "0"},   {"--threads", "0"},    {"--threads", "1000000"},
      {"--isa", "sse9"},  {"--kv", "int3"},  {"--json", "--csv"},   {"--memory", "plenty"}};
  for (const auto& args : cases) {
    EXPECT_EQ(not_one_clear_error(run_bench(args), 2), "") << args.front() << " " << args.back();
  }
  EXPECT_EQ(not_one_clear_error(run_bench({}, "0", "0"), 2), "");
  EXPECT_EQ(not_one_clear_error(run_program({"bench", "/nowhere/model.gguf"}), 1), "");
}

}  // namespace
}  // namespace cistern::testing
