#include "tools/score_table.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>
#include <sstream>

#include "tools/json_out.h"

namespace cistern::tools {
namespace {

namespace json = boost::json;

constexpr const char* kTable =
    "row_id,hardware,n_devices,backend,model,params_total_B,params_active_B,quant,file_size_GiB,context,"
    "prompt_tps,decode_tps,source,confidence,notes\n"
    "a,RTX 4090,1,llama.cpp CUDA,Llama-3.1-8B,8.03,8.03,Q4_K_M,4.58,pp512/tg128 fa,9000,140,s,A,\n"
    "b,\"RTX 3090, 24GB\",2,llama.cpp CUDA,\"a \"\"new\"\" model\",30,30,Q4_K_M,17,tg128,,21,s,A,\n"
    "c,an abacus,1,llama.cpp,Llama-3.1-8B,8.03,8.03,Q4_K_M,4.58,tg128,,5,s,A,\n"
    "d,M2 Ultra,1,llama.cpp Metal,gpt-oss-120b,116.8,5.1,MXFP4,59,tg128 fa,,60,s,A,\n"
    "e,EPYC 9654,1,llama.cpp,?,,,Q8_0,,tg128,,5,s,B,\n"
    "f,EPYC 9654,1,llama.cpp,Qwen3-30B-A3B,,,Q8_0,,pp512/tg128,100,25,s,B,\n";

std::vector<ScoredRow> scored(const std::string& text) {
  auto rows = score_table(text, "t.csv");
  EXPECT_TRUE(rows) << describe(rows.error());
  return rows ? *std::move(rows) : std::vector<ScoredRow>();
}

json::object read_back(const json::object& object) {
  return json::parse(to_json(object)).as_object();
}

TEST(ScoreTable, KnownAndUnknownModels) {
  const std::vector<ScoredRow> rows = scored(kTable);
  ASSERT_EQ(rows.size(), 6U);
  EXPECT_FALSE(rows[0].error);
  EXPECT_TRUE(rows[0].known_model);
  EXPECT_NEAR(rows[0].file_gib, 4.58, 0.02);
  EXPECT_EQ(rows[0].decode.measured, 140);
  EXPECT_EQ(rows[0].prompt.measured, 9000);
  EXPECT_LT(rows[0].decode.forecast.low, rows[0].decode.forecast.mid);
  EXPECT_LT(rows[0].decode.forecast.mid, rows[0].decode.forecast.high);
  EXPECT_FALSE(rows[1].error) << "by its sizes";
  EXPECT_FALSE(rows[1].known_model);
  EXPECT_EQ(rows[1].row.hardware, "RTX 3090, 24GB");
  EXPECT_EQ(rows[1].row.model, "a \"new\" model");
  EXPECT_TRUE(rows[3].moe);
  EXPECT_TRUE(rows[5].moe);
  EXPECT_FALSE(rows[0].moe);
}

TEST(ScoreTable, OneBadRowLeavesTheOthers) {
  const std::vector<ScoredRow> rows = scored(kTable);
  ASSERT_TRUE(rows.at(2).error) << "unknown hardware";
  EXPECT_NE(rows[2].error->message.find("abacus"), std::string::npos);
  EXPECT_TRUE(rows.at(4).error) << "no sizes at all";
  const json::object document = read_back(score_json(rows));
  const json::array& list = document.at("rows").as_array();
  ASSERT_EQ(list.size(), 6U);
  for (const json::value& row : list)
    for (const char* key : {"row_id", "measured", "low", "mid", "high"})
      EXPECT_TRUE(row.as_object().contains(key)) << key;
  EXPECT_TRUE(list[2].at("mid").is_null());
  EXPECT_TRUE(list[2].at("low").is_null());
  EXPECT_TRUE(list[2].at("error").is_string());
  EXPECT_TRUE(list[3].at("mid").is_number());
  const json::object& summary = document.at("summary").as_object();
  EXPECT_EQ(summary.at("not_forecast").to_number<int>(), 2);
  EXPECT_EQ(summary.at("decode").at("rows").to_number<int>(), 4);
  EXPECT_EQ(summary.at("decode_a_dense").at("rows").to_number<int>(), 2);
  EXPECT_EQ(summary.at("decode_a_moe").at("rows").to_number<int>(), 1);
  EXPECT_EQ(summary.at("prompt").at("rows").to_number<int>(), 2);
}

// What the summary says, by hand from its rows.
TEST(ScoreTable, TheSummaryIsOfItsRows) {
  const std::vector<ScoredRow> rows = scored(kTable);
  std::vector<double> errors;
  double within = 0, covered = 0;
  for (const ScoredRow& row : rows) {
    if (row.error) continue;
    const ScoredSpeed& s = row.decode;
    errors.push_back(std::fabs(s.forecast.mid - s.measured) / s.measured);
    within += errors.back() <= 0.3 ? 1 : 0;
    covered += s.measured >= s.forecast.low && s.measured <= s.forecast.high ? 1 : 0;
  }
  std::ranges::sort(errors);
  ASSERT_EQ(errors.size(), 4U);
  const json::object document = read_back(score_json(rows));
  const json::value& decode = document.at("summary").at("decode");
  EXPECT_NEAR(decode.at("median_error").to_number<double>(), (errors[1] + errors[2]) / 2, 1e-12);
  EXPECT_EQ(decode.at("within_30_percent").to_number<double>(), within / 4);
  EXPECT_EQ(decode.at("coverage").to_number<double>(), covered / 4);
}

double seconds_of(const json::value& terms, const plan::TimeModel& time) {
  double sum = 0;
  for (const json::value& term : terms.as_array()) {
    double exponent = 0;
    for (const json::value& factor : term.at("factors").as_array())
      exponent += factor.at(1).to_number<double>() * time.parameter(std::string(factor.at(0).as_string()));
    sum += term.at("seconds").to_number<double>() * std::exp(exponent);
  }
  return sum;
}

// The script that fits the parameters sees what the program computes with.
TEST(ScoreTable, FeaturesMakeUpTheForecast) {
  const std::vector<ScoredRow> rows = scored(kTable);
  const plan::TimeModel time = plan::TimeModel::built_in();
  std::istringstream lines(score_features(rows));
  std::string line;
  std::size_t count = 0;
  for (const ScoredRow& row : rows) {
    if (row.error) continue;
    ASSERT_TRUE(std::getline(lines, line));
    ++count;
    const json::object object = json::parse(line).as_object();
    EXPECT_EQ(object.at("row_id").as_string(), row.row.row_id);
    EXPECT_EQ(object.at("moe").as_bool(), row.moe);
    EXPECT_EQ(object.at("groups").as_array().size(), row.groups.size());
    const double decode = seconds_of(object.at("decode").at("terms"), time);
    const double prompt = seconds_of(object.at("prompt").at("terms"), time);
    EXPECT_NEAR(decode * row.decode.forecast.mid, 1, 1e-9) << line;
    EXPECT_NEAR(prompt * row.prompt.forecast.mid, 1, 1e-9) << line;
  }
  EXPECT_EQ(count, 4U);
  EXPECT_FALSE(std::getline(lines, line));
}

TEST(ScoreTable, TablesThatAreNone) {
  struct Case {
    const char* text;
    const char* says;
  };
  for (const Case& c :
       {Case{"", "empty"}, Case{"hardware,backend,model\nRTX 4090,llama.cpp,x\n", "decode_tps"},
        Case{"hardware,backend,model,decode_tps\nRTX 4090,llama.cpp,x,-5\n", "line 2"},
        Case{"hardware,backend,model,decode_tps\nRTX 4090,llama.cpp,x,1e300\n", "line 2"},
        Case{"hardware,backend,model,decode_tps\nRTX 4090,llama.cpp,x,nan\n", "line 2"},
        Case{"hardware,backend,model,decode_tps\nRTX 4090,llama.cpp\n", "line 2"},
        Case{"hardware,backend,model,decode_tps\n\"RTX 4090,llama.cpp,x,5\n", "t.csv"}}) {
    const auto rows = score_table(c.text, "t.csv");
    ASSERT_FALSE(rows) << c.text;
    EXPECT_NE(describe(rows.error()).find(c.says), std::string::npos) << describe(rows.error());
    EXPECT_NE(describe(rows.error()).find("t.csv"), std::string::npos) << describe(rows.error());
  }
}

TEST(ScoreTable, NoRowsHaveNoError) {
  const auto rows = scored("hardware,backend,model,decode_tps\n");
  EXPECT_TRUE(rows.empty());
  EXPECT_EQ(read_back(score_json(rows)).at("summary").at("decode").at("rows").to_number<int>(), 0);
  EXPECT_FALSE(score_text(rows).empty());
  EXPECT_EQ(score_features(rows), "");
}

TEST(ScoreTable, HostileTextIsShownAsText) {
  const auto rows = scored(
      "row_id,hardware,backend,model,quant,decode_tps\n\x1b[31m\xff,\x1b[2Jabacus,x,y,z,5\n"
      "\x1b]0;t,RTX 4090,\x1b[1m,\x1b[7B-7B\xff,\x9bQ4,5\n");
  ASSERT_EQ(rows.size(), 2U);
  const std::string text = score_text(rows);
  EXPECT_EQ(text.find('\x1b'), std::string::npos) << text;
  EXPECT_EQ(text.find('\x9b'), std::string::npos) << text;
  EXPECT_NO_THROW(json::parse(to_json(score_json(rows))));
  EXPECT_EQ(score_features(rows).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace cistern::tools
