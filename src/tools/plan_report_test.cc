#include "tools/plan_report.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <limits>

#include "tools/json_out.h"

namespace cistern::tools {
namespace {

namespace json = boost::json;

plan::Interval around(double mid) {
  return {.low = mid / 2, .mid = mid, .high = mid * 2};
}

plan::PlanRow a_row() {
  plan::PlanRow row{
      .hardware = "2x RTX 4090",
      .verdict = plan::Verdict::kFits,
      .bytes = {.weights = 40ULL << 30U, .experts = 0, .kv = 1U << 30U, .buffers = 99, .overhead = 7},
      .bytes_per_token = 4e10,
      .forecast = plan::Forecast{.load_s = around(8),
                                 .prefill_tok_s = around(800),
                                 .first_token_s = around(0.5),
                                 .decode_tok_s = around(18),
                                 .decode_half_tok_s = around(17),
                                 .decode_full_tok_s = around(16),
                                 .peak_bytes = around(4e10),
                                 .limit_tok_s = 25,
                                 .limited_by = plan::Limit::kMemory},
      .price_usd = 3200,
      .power_w = 900,
      .changes = {{.what = "--kv q8_0",
                   .verdict = plan::Verdict::kFits,
                   .decode_tok_s = 19,
                   .total_bytes = 1U << 30U}},
      .read_bytes_per_s = 1e12,
      .macs_per_s = 1e14,
      .points = {{.what = "prompt", .bytes = 1, .macs = 2, .tok_s = 3}}};
  row.tiers = {{.name = "2x RTX 4090", .kind = "device", .capacity_bytes = 48ULL << 30U, .bytes = row.bytes}};
  return row;
}

PlanReport a_report(std::vector<plan::PlanRow> rows) {
  return {.name = "llama-3.3-70b",
          .arch = "llama",
          .type = "Q4_K_M",
          .source = "somewhere",
          .parameters = 70.6e9,
          .active_parameters = 69.5e9,
          .file_bytes = 40ULL << 30U,
          .layers = 80,
          .model_context = 131072,
          .context_tokens = 4096,
          .prompt_tokens = 512,
          .parallel = 1,
          .kv = "f16",
          .rows = std::move(rows)};
}

// As another program reads it.
json::object read_back(const json::object& object) {
  return json::parse(to_json(object)).as_object();
}

TEST(PlanReport, JsonHasEveryFieldOfTheInterface) {
  const json::object document = read_back(plan_json(a_report({a_row()})));
  for (const char* key : {"name", "arch", "type", "parameters", "active_parameters", "file_bytes", "layers",
                          "context_tokens", "source"})
    EXPECT_TRUE(document.at("model").as_object().contains(key)) << key;
  for (const char* key : {"context_tokens", "prompt_tokens", "parallel", "kv"})
    EXPECT_TRUE(document.at("workload").as_object().contains(key)) << key;
  const json::object& row = document.at("rows").at(0).as_object();
  for (const char* key : {"hardware", "verdict", "why", "bytes", "tiers", "bytes_per_token", "forecast",
                          "limit_tok_s", "limited_by", "price_usd", "power_w", "usd_per_tok_s", "usd_per_gb",
                          "tok_per_j", "unconfirmed", "changes", "roofline"})
    EXPECT_TRUE(row.contains(key)) << key;
  EXPECT_EQ(row.at("verdict"), "fits");
  for (const char* key : {"weights", "kv", "buffers", "overhead", "total"})
    EXPECT_TRUE(row.at("bytes").at(key).is_number()) << key;
  EXPECT_EQ(row.at("bytes").at("total").to_number<std::uint64_t>(), a_row().bytes.total());
  EXPECT_EQ(row.at("tiers").at(0).at("total"), row.at("bytes").at("total"));
  for (const char* key : {"load_s", "prefill_tok_s", "first_token_s", "decode_tok_s", "peak_bytes"})
    for (const char* bound : {"low", "mid", "high"})
      EXPECT_TRUE(row.at("forecast").at(key).at(bound).is_number()) << key << " " << bound;
  EXPECT_EQ(row.at("forecast").at("decode_tok_s").at("mid").to_number<double>(), 18);
  EXPECT_EQ(row.at("limit_tok_s").to_number<double>(), 25);
  EXPECT_EQ(row.at("limited_by"), "memory");
  EXPECT_DOUBLE_EQ(row.at("usd_per_tok_s").to_number<double>(), 3200.0 / 18);
  EXPECT_DOUBLE_EQ(row.at("tok_per_j").to_number<double>(), 18.0 / 900);
  EXPECT_EQ(row.at("changes").at(0).at("change"), "--kv q8_0");
  EXPECT_EQ(row.at("roofline").at("points").at(0).at("what"), "prompt");
}

TEST(PlanReport, WhatIsNotKnownIsNull) {
  plan::PlanRow refused{.hardware = "a toaster", .verdict = plan::Verdict::kRefused, .why = "too small"};
  plan::PlanRow odd = a_row();
  odd.price_usd = 0;
  odd.power_w = 0;
  odd.forecast->prefill_tok_s = {};
  odd.forecast->load_s = {.low = 1, .mid = std::numeric_limits<double>::quiet_NaN(), .high = 2};
  odd.forecast->limit_tok_s = std::numeric_limits<double>::infinity();
  const json::object document = read_back(plan_json(a_report({refused, odd})));
  const json::object& first = document.at("rows").at(0).as_object();
  EXPECT_EQ(first.at("verdict"), "refused");
  for (const char* key : {"forecast", "limit_tok_s", "limited_by", "price_usd", "power_w", "usd_per_tok_s",
                          "usd_per_gb", "tok_per_j", "bytes_per_token"})
    EXPECT_TRUE(first.at(key).is_null()) << key;
  const json::object& second = document.at("rows").at(1).as_object();
  for (const char* key : {"limit_tok_s", "price_usd", "power_w", "usd_per_tok_s", "usd_per_gb", "tok_per_j"})
    EXPECT_TRUE(second.at(key).is_null()) << key;
  EXPECT_TRUE(second.at("forecast").at("prefill_tok_s").is_null());
  EXPECT_TRUE(second.at("forecast").at("load_s").is_null());
  EXPECT_TRUE(second.at("forecast").at("decode_tok_s").is_object());
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(PlanReport, TextSaysWhatHappens) {
  const Style plain(false);
  const std::string fits = plan_text(a_report({a_row()}), plain);
  EXPECT_TRUE(has(fits, "2x RTX 4090: fits in memory")) << fits;
  EXPECT_TRUE(has(fits, "41.0 GiB = 40.0 GiB weights + 1.0 GiB KV cache for 4096 tokens")) << fits;
  EXPECT_TRUE(has(fits, "18.0 tok/s (9.00 to 36.0)")) << fits;
  EXPECT_TRUE(has(fits, "25.0 tok/s, by memory")) << fits;
  EXPECT_TRUE(has(fits, "--kv q8_0")) << fits;

  plan::PlanRow streams = a_row();
  streams.verdict = plan::Verdict::kStreams;
  streams.why = "2.0 GiB of 40.0 GiB resident";
  const std::string from_disk = plan_text(a_report({streams}), plain);
  EXPECT_TRUE(has(from_disk, "runs from disk, 2.0 GiB of 40.0 GiB resident")) << from_disk;

  plan::PlanRow refused{.hardware = "a toaster", .why = "does not fit: 40 GiB are too much"};
  const std::string no = plan_text(a_report({refused}), plain);
  EXPECT_TRUE(has(no, "a toaster: does not run, does not fit: 40 GiB are too much")) << no;
  EXPECT_FALSE(has(no, "tok/s")) << no;
  refused.changes = {{.what = "--ctx 4096", .verdict = plan::Verdict::kFits, .total_bytes = 1U << 30U}};
  EXPECT_TRUE(has(plan_text(a_report({refused}), plain), "--ctx 4096")) << "what would do";

  plan::PlanRow claimed = a_row();
  claimed.unconfirmed = true;
  const std::string table = plan_text(a_report({claimed, refused}), plain);
  EXPECT_TRUE(has(table, "2x RTX 4090*")) << table;
  EXPECT_TRUE(has(table, "has not confirmed")) << table;
  EXPECT_TRUE(has(table, "refused")) << table;
  EXPECT_EQ(std::ranges::count(table, '\n'), 6) << table;
}

TEST(PlanReport, NoEncoderIsSaidToDecode) {
  plan::PlanRow row = a_row();
  row.forecast->decode_tok_s = row.forecast->decode_half_tok_s = row.forecast->decode_full_tok_s = {};
  row.forecast->limit_tok_s = 0;
  row.changes.clear();
  const std::string text = plan_text(a_report({row}), Style(false));
  EXPECT_FALSE(has(text, "decode")) << text;
  EXPECT_FALSE(has(text, "limit")) << text;
  EXPECT_TRUE(has(text, "prefill")) << text;
}

TEST(PlanReport, HostileNamesStayOnTheirLine) {
  const std::string hostile = "evil\x1b[31m\nname\x07\xff\x9b";
  plan::PlanRow row = a_row();
  row.hardware = row.why = row.tiers[0].name = hostile;
  PlanReport report = a_report({row});
  report.name = report.arch = report.type = report.source = hostile;
  row.changes[0].what = hostile;
  const auto is_clean = [](const std::string& text) {
    return std::ranges::all_of(text, [](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return byte == '\n' || (byte >= 0x20 && byte < 0x7f);
    });
  };
  EXPECT_TRUE(is_clean(plan_text(report, Style(false))));
  report.rows.push_back(row);
  EXPECT_TRUE(is_clean(plan_text(report, Style(false)))) << "the table, too";
  const std::string document = to_json(plan_json(report));
  EXPECT_EQ(document.find('\x1b'), std::string::npos);
  EXPECT_EQ(document.find('\xff'), std::string::npos);
  EXPECT_NO_THROW(json::parse(document));
}

TEST(PlanReport, FittingModels) {
  const plan::System system{.name = "RTX 4090"};
  const std::vector<Fitting> models = {{.model = "llama-3.1-8b", .quant = "Q8_0", .row = a_row()}};
  const json::object document = read_back(fitting_json(system, models));
  EXPECT_EQ(document.at("hardware"), "RTX 4090");
  EXPECT_EQ(document.at("models").at(0).at("model"), "llama-3.1-8b");
  EXPECT_EQ(document.at("models").at(0).at("quant"), "Q8_0");
  EXPECT_EQ(document.at("models").at(0).at("verdict"), "fits");
  EXPECT_TRUE(has(fitting_text(system, models, 10), "llama-3.1-8b"));
  EXPECT_TRUE(has(fitting_text(system, {}, 10), "No known model fits RTX 4090 at 10.0 tok/s"));
}

}  // namespace
}  // namespace cistern::tools
