#include "tools/bench_report.h"

#include <gtest/gtest.h>

namespace cistern::tools {
namespace {

BenchReport some_report() {
  return {.machine = {.read_gbps = 40,
                      .int8_gmacs = 1000,
                      .bf16_gmacs = 500,
                      .f32_gmacs = 250,
                      .isa = "avx512",
                      .threads = 2},
          .model = {.path = "a<b>&.gguf",
                    .arch = "llama",
                    .type = "Q4_0",
                    .bytes_per_token = 600000000,
                    .load_s = 0.1},
          .results = {{.measured = {.what = BenchCase::What::kPrefill, .tokens = 512},
                       .tok_s = {500, 480, 510},
                       .limit_tok_s = 900,
                       .share = 0.55},
                      {.measured = {.depth = 4096, .batch = 4, .tokens = 32},
                       .tok_s = {60, 50, 62},
                       .limit_tok_s = 66,
                       .share = 0.9,
                       .bound = Bound::kReading}}};
}

TEST(BenchReport, spread_is_of_the_sorted_values) {
  const Spread odd = spread_of({3, 1, 2});
  EXPECT_EQ(odd.median, 2);
  EXPECT_EQ(odd.min, 1);
  EXPECT_EQ(odd.max, 3);
  EXPECT_EQ(spread_of({4, 1, 2, 3}).median, 2.5);
}

TEST(BenchReport, json_has_the_documented_fields) {
  const boost::json::object json = bench_json(some_report());
  EXPECT_EQ(json.at("machine").at("int8_gmacs").as_double(), 1000);
  EXPECT_EQ(json.at("machine").at("isa").as_string(), "avx512");
  EXPECT_EQ(json.at("model").at("bytes_per_token").to_number<std::uint64_t>(), 600000000U);
  const boost::json::array& results = json.at("results").as_array();
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[0].at("what").as_string(), "prefill");
  EXPECT_EQ(results[0].at("tokens").to_number<int>(), 512);
  EXPECT_EQ(results[1].at("what").as_string(), "decode");
  EXPECT_EQ(results[1].at("depth").to_number<int>(), 4096);
  EXPECT_EQ(results[1].at("batch").to_number<int>(), 4);
  EXPECT_EQ(results[1].at("tok_s").at("max").as_double(), 62);
  EXPECT_EQ(results[1].at("limit_tok_s").as_double(), 66);
  EXPECT_EQ(results[1].at("share").as_double(), 0.9);
}

TEST(BenchReport, csv_and_markdown_have_a_line_per_result) {
  const std::string csv = bench_csv(some_report());
  EXPECT_EQ(std::ranges::count(csv, '\n'), 3);
  EXPECT_NE(csv.find("decode,4096,4,32,60.000,50.000,62.000,66.000,0.9000,reading"), std::string::npos);
  const std::string markdown = bench_markdown(some_report());
  EXPECT_NE(markdown.find("| prefill | 0 | 1 | 512 | 500.0 |"), std::string::npos);
}

TEST(BenchReport, html_stands_alone_and_escapes_what_it_quotes) {
  const std::string html = bench_html(some_report());
  EXPECT_NE(html.find("a&lt;b&gt;&amp;.gguf"), std::string::npos);
  EXPECT_EQ(html.find("a<b>"), std::string::npos);
  EXPECT_EQ(html.find("http"), std::string::npos);
  EXPECT_EQ(html.find("src="), std::string::npos);
  EXPECT_NE(html.find("</html>"), std::string::npos);
}

}  // namespace
}  // namespace cistern::tools
