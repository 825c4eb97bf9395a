// `cistern plan` as a user runs it: the plan is the one that a run has, of files, parts of files,
// configurations and names; what cannot run is refused with numbers; and forecasts of runs go into the
// ledger. Speeds say nothing here.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "cli/program.h"
#include "support/fixtures.h"
#include "support/refusal.h"
#include "support/sanitizer.h"
#include "support/temp_dir.h"

namespace cistern::testing {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::uint64_t kMiB = 1ULL << 20U;

// What is measured of the machine is kept from one run to the next.
Outcome run_at(const TempDir& home, std::vector<std::string> args, std::string stdin_text = {}) {
  const std::string path = home.path().string();
  return run_program(
      {.args = std::move(args),
       .stdin_text = std::move(stdin_text),
       .env = {{"XDG_CACHE_HOME", path}, {"XDG_STATE_HOME", path}, {"XDG_CONFIG_HOME", path}}});
}

json::value json_of(const Outcome& run, int exit_code = 0) {
  EXPECT_EQ(run.exit_code, exit_code) << run.err;
  EXPECT_EQ(run.err, "");
  json::error_code error;
  json::value value = json::parse(run.out, error);
  EXPECT_FALSE(error) << run.out;
  return value;
}

std::uint64_t bytes_at(const json::value& row, const char* key) {
  return row.at("bytes").at(key).to_number<std::uint64_t>();
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class Plan : public ::testing::Test {
 protected:
  Outcome plan(std::vector<std::string> args) const {
    args.insert(args.begin(), "plan");
    return run_at(home_, std::move(args));
  }
  json::value row(std::vector<std::string> args, int exit_code = 0) const {
    args.emplace_back("--json");
    const json::value document = json_of(plan(std::move(args)), exit_code);
    const json::value* rows = document.if_object() ? document.as_object().if_contains("rows") : nullptr;
    if (rows == nullptr || rows->as_array().size() != 1) {
      ADD_FAILURE() << "one row is expected";
      return {};
    }
    return rows->as_array()[0];
  }
  std::string make_model(std::vector<std::string> more) const {
    const std::string path = (home_.path() / "model.gguf").string();
    std::vector<std::string> args = {"make-model", path, "--force", "--vocab", "262", "--context", "2048"};
    args.insert(args.end(), more.begin(), more.end());
    const Outcome made = run_program(args);
    EXPECT_EQ(made.exit_code, 0) << made.err;
    return path;
  }
  // A plan of the same workload: what is allocated is the same; of the process, a run holds a tokenizer, too.
  void expect_plan_of_run(const std::vector<std::string>& model_and_flags) const {
    std::vector<std::string> args = model_and_flags;
    args.insert(args.begin(), "run");
    args.insert(args.end(), {"-p", "aaaa", "-n", "2", "--json", "--ignore-end", "--verbose"});
    const Outcome run = run_at(home_, args);
    ASSERT_EQ(run.exit_code, 0) << run.err;
    const json::value planned = row(model_and_flags);
    const auto total = static_cast<std::int64_t>(bytes_at(planned, "total"));
    const auto in_run = json::parse(run.out).at("stats").at("planned_bytes").to_number<std::int64_t>();
    EXPECT_LT(std::abs(in_run - total), static_cast<std::int64_t>(4 * kMiB)) << run.err;
    for (const auto& [line, key] :
         {std::pair{"weights", "weights"}, {"KV cache", "kv"}, {"buffers", "buffers"}}) {
      const std::size_t at = run.err.find(std::string("\n  ") + line + " ");
      ASSERT_NE(at, std::string::npos) << run.err;
      const std::string rest = run.err.substr(at + 3 + std::string(line).size());
      EXPECT_EQ(rest.find(in_units(bytes_at(planned, key))), rest.find_first_not_of(' '))
          << line << ": " << in_units(bytes_at(planned, key)) << "\n"
          << run.err;
    }
  }
  static std::string in_units(std::uint64_t bytes) {
    char text[40];
    const auto kib = static_cast<double>(bytes) / 1024;
    if (kib < 1024) {
      std::snprintf(text, sizeof text, "%.1f KiB", kib);
    } else {
      std::snprintf(text, sizeof text, "%.1f MiB", kib / 1024);
    }
    return text;
  }

  TempDir home_;
};

const std::vector<std::string> kDense = {"--arch", "llama", "--layers", "3",          "--dim",
                                         "256",    "--ffn", "1024",     "--kv-heads", "2"};

TEST_F(Plan, TheGuide) {
  const json::value guide = row({"guide", "--ctx", "512"});
  EXPECT_EQ(guide.at("verdict"), "fits");
  EXPECT_EQ(bytes_at(guide, "total"), bytes_at(guide, "weights") + bytes_at(guide, "kv") +
                                          bytes_at(guide, "buffers") + bytes_at(guide, "overhead"));
  for (const char* key : {"load_s", "prefill_tok_s", "first_token_s", "decode_tok_s", "peak_bytes"})
    EXPECT_GT(guide.at("forecast").at(key).at("mid").to_number<double>(), 0) << key;
  EXPECT_GE(guide.at("limit_tok_s").to_number<double>(), 0);
  const Outcome text = plan({"guide"});
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_TRUE(has(text.out, "fits in memory")) << text.out;
  EXPECT_TRUE(has(text.out, "tok/s")) << text.out;
}

TEST_F(Plan, IsTheOneThatARunHas) {
  if (!kMemoryIsOurs) GTEST_SKIP() << kSanitizersMemory;
  expect_plan_of_run({"guide", "--ctx", "512"});
  expect_plan_of_run({"guide", "--ctx", "256", "--kv", "q8_0", "--threads", "1", "--isa", "scalar"});
  expect_plan_of_run({make_model(kDense), "--ctx", "700"});
  expect_plan_of_run({make_model({"--arch", "qwen3moe", "--experts", "8"}), "--ctx", "700"});
  // With the layer that guesses tokens, which a run uses where there is one.
  expect_plan_of_run({make_model({"--arch", "glm4moe", "--mtp", "--experts", "8"}), "--ctx", "300"});
}

TEST_F(Plan, TheBeginningOfAFileIsEnough) {
  const std::string path = make_model(kDense);
  const std::vector<std::byte> bytes = read_bytes(path);
  constexpr std::size_t kBeginning = 64 << 10U;
  ASSERT_GT(bytes.size(), 4 * kBeginning);
  const std::string part = home_.write("part.gguf", std::span(bytes).first(kBeginning)).string();
  const json::value whole = row({path, "--ctx", "512"}), begun = row({part, "--ctx", "512"});
  for (const char* key : {"weights", "experts", "kv", "buffers"})
    EXPECT_EQ(bytes_at(whole, key), bytes_at(begun, key)) << key;
  EXPECT_EQ(whole.at("bytes_per_token"), begun.at("bytes_per_token"));
  // On named hardware nothing at all is measured.
  EXPECT_EQ(row({path, "--on", "RTX 4090"}), row({part, "--on", "RTX 4090"}));
  // Within the header the reader says what is wrong.
  for (const std::size_t length : {0UL, 3UL, 20UL, 1000UL}) {
    const std::string cut = home_.write("cut.gguf", std::span(bytes).first(length)).string();
    const Outcome run = plan({cut});
    EXPECT_EQ(not_one_clear_error(run, 1), "") << length;
    EXPECT_TRUE(has(run.err, cut)) << run.err;
  }
}

TEST_F(Plan, AConfiguration) {
  const std::string config =
      home_
          .write("config.json",
                 R"({"model_type": "llama", "num_hidden_layers": 32, "hidden_size": 4096,
                     "intermediate_size": 14336, "num_attention_heads": 32, "num_key_value_heads": 8,
                     "vocab_size": 128256, "max_position_embeddings": 131072, "tie_word_embeddings": false})")
          .string();
  const json::value mine = row({config + ":Q4_K_M", "--on", "RTX 4090"});
  const json::value known = row({"llama-3.1-8b:Q4_K_M", "--on", "RTX 4090"});
  EXPECT_EQ(mine.at("bytes"), known.at("bytes"));
  EXPECT_EQ(mine.at("forecast"), known.at("forecast"));
  EXPECT_EQ(not_one_clear_error(plan({home_.write("bad.json", "{\"model_type\": 7}").string()}), 1), "");
  EXPECT_EQ(not_one_clear_error(plan({home_.write("bad.json", "{ damaged").string()}), 1), "");
}

TEST_F(Plan, AModelThatIsNotHereOnHardwareThatIsNotHere) {
  const json::value two = row({"llama-3.3-70b:Q4_K_M", "--on", "2x RTX 4090"});
  EXPECT_EQ(two.at("verdict"), "fits");
  EXPECT_EQ(two.at("hardware"), "2x RTX 4090");
  EXPECT_EQ(two.at("price_usd").to_number<int>(), 2 * 1599);
  // The published file has 42.5e9 bytes.
  EXPECT_NEAR(static_cast<double>(bytes_at(two, "weights")), 42.5e9, 0.02 * 42.5e9);
  EXPECT_EQ(bytes_at(two, "kv"), 4096U * 80 * 8 * 128 * 2 * 2);

  const json::value table = json_of(plan(
      {"llama-3.3-70b:Q4_K_M", "--on", "RTX 3060", "--on", "2x RTX 4090", "--on", "M4 Max 128GB", "--json"}));
  const json::array& rows = table.at("rows").as_array();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].at("hardware"), "2x RTX 4090");
  const Outcome refused =
      plan({"llama-3.3-70b:Q8_0", "--on", "RTX 3060 + 8GB DDR4-3200", "--ctx", "131072", "--json"});
  const json::value no = json_of(refused, 1).at("rows").at(0);
  EXPECT_EQ(no.at("verdict"), "refused");
  EXPECT_TRUE(no.at("forecast").is_null());
  EXPECT_GT(no.at("why").as_string().size(), 20U);
}

TEST_F(Plan, AModelThatIsNotHereOnThisMachine) {
  const json::value small = row({"qwen3-0.6b:Q4_K_M", "--ctx", "1024"});
  EXPECT_EQ(small.at("verdict"), "fits");
  EXPECT_GT(small.at("forecast").at("decode_tok_s").at("mid").to_number<double>(), 0);
  // Larger than what it may take: the disk is part of the forecast.
  const json::value streamed = row({"qwen3-0.6b:Q4_K_M", "--ctx", "1024", "--memory", "400MiB"});
  EXPECT_EQ(streamed.at("verdict"), "streams");
  const json::array& tiers = streamed.at("tiers").as_array();
  ASSERT_EQ(tiers.size(), 2U);
  EXPECT_EQ(tiers[1].at("kind"), "disk");
  for (const char* key : {"weights", "kv", "buffers", "overhead", "total"}) {
    std::uint64_t sum = 0;
    for (const json::value& tier : tiers) sum += tier.at(key).to_number<std::uint64_t>();
    EXPECT_EQ(sum, bytes_at(streamed, key)) << key;
  }
  EXPECT_LE(tiers[0].at("total").to_number<std::uint64_t>(), 400 * kMiB);
  if (streamed.at("forecast").at("decode_tok_s").is_null()) return;  // the disk cannot be measured here
  EXPECT_LT(streamed.at("forecast").at("decode_tok_s").at("mid").to_number<double>(),
            small.at("forecast").at("decode_tok_s").at("mid").to_number<double>());
}

TEST_F(Plan, UnknownNamesHaveNeighbours) {
  const Outcome model = plan({"llama-3.3-71b:Q4_K_M"});
  EXPECT_EQ(not_one_clear_error(model, 1), "");
  EXPECT_TRUE(has(model.err, "llama-3.3-70b")) << model.err;
  const Outcome quant = plan({"llama-3.3-70b:Q4_KM"});
  EXPECT_EQ(not_one_clear_error(quant, 2), "");
  EXPECT_TRUE(has(quant.err, "Q4_K_M")) << quant.err;
  const Outcome hardware = plan({"llama-3.3-70b:Q4_K_M", "--on", "RTX 4900"});
  EXPECT_EQ(not_one_clear_error(hardware, 2), "");
  EXPECT_TRUE(has(hardware.err, "RTX 4090")) << hardware.err;
  EXPECT_EQ(not_one_clear_error(plan({}), 2), "");
  EXPECT_EQ(not_one_clear_error(plan({(home_.path() / "missing.gguf").string()}), 1), "");
  EXPECT_EQ(not_one_clear_error(plan({"guide", "--on", "RTX 4090", "--budget", "much"}), 2), "");
  EXPECT_EQ(not_one_clear_error(plan({"guide", "--isa", "sse9"}), 2), "");
  EXPECT_EQ(not_one_clear_error(plan({"guide", "--threads", "100000"}), 2), "");
  EXPECT_EQ(not_one_clear_error(plan({"guide", "--parallel", "0"}), 2), "");
  EXPECT_EQ(not_one_clear_error(plan({"guide", "--budget", "0.01usd"}), 1), "");
}

TEST_F(Plan, ContextsBeyondTheModelsAreRefused) {
  const std::vector<std::vector<std::string>> cases = {
      {"guide", "--ctx", "999999"},
      {"llama-2-7b:Q4_K_M", "--ctx", "999999"},
      {"llama-2-7b:Q4_K_M", "--ctx", "999999", "--on", "RTX 4090"}};
  for (const std::vector<std::string>& args : cases) {
    const Outcome run = plan(args);
    EXPECT_EQ(not_one_clear_error(run, 2), "") << args[0];
    EXPECT_TRUE(has(run.err, "999999")) << run.err;
    EXPECT_TRUE(has(run.err, args[0] == "guide" ? "1024" : "4096")) << run.err;
  }
}

TEST_F(Plan, TooLittleMemoryIsRefusedWithTheLeastThatWouldDo) {
  const std::string path = make_model(kDense);
  for (const auto& [model, context] :
       {std::pair<std::string, std::string>("guide", "1"), {path, "256"}, {"llama-3.1-8b:Q4_K_M", "256"}}) {
    SCOPED_TRACE(model);
    const json::value refused = row({model, "--ctx", context, "--memory", "1MiB"}, 1);
    EXPECT_EQ(refused.at("verdict"), "refused");
    EXPECT_TRUE(refused.at("forecast").is_null());
    EXPECT_TRUE(refused.at("limit_tok_s").is_null());
    const std::string why(refused.at("why").as_string());
    EXPECT_TRUE(has(why, "does not fit")) << why;
    // What it would take is in the numbers, too.
    for (const char* key : {"weights", "kv", "buffers", "overhead"})
      EXPECT_GT(bytes_at(refused, key), 0U) << key;
    EXPECT_GT(bytes_at(refused, "total"), kMiB);
    const std::uint64_t least = least_bytes_in(why);
    EXPECT_GT(least, kMiB);
    // With that it runs.
    EXPECT_NE(row({model, "--ctx", context, "--memory", std::to_string(least)}).at("verdict"), "refused");
  }
  const Outcome text = plan({"guide", "--memory", "1MiB"});
  EXPECT_EQ(text.exit_code, 1);
  EXPECT_TRUE(has(text.out, "does not run")) << text.out;
  EXPECT_EQ(text.err, "");
}

// A context that is too long for the memory: what would do is among the changes.
TEST_F(Plan, WhatWouldChangeARefusal) {
  const json::value small = row({"llama-3.1-8b:Q4_K_M", "--ctx", "4096", "--memory", "64GiB"});
  if (small.at("verdict") != "fits") GTEST_SKIP() << "SKIPPED: this machine has too little memory";
  const json::value refused = row({"llama-3.1-8b:Q4_K_M", "--ctx", "131072", "--memory", "6GiB"}, 1);
  ASSERT_EQ(refused.at("verdict"), "refused");
  bool shorter = false;
  for (const json::value& change : refused.at("changes").as_array()) {
    EXPECT_NE(change.at("verdict"), "refused");
    shorter = shorter || change.at("change") == "--ctx 4096";
  }
  EXPECT_TRUE(shorter) << refused.at("changes");
}

TEST_F(Plan, SequencesHaveCachesOfTheirOwn) {
  const json::value one = row({"guide", "--ctx", "256"});
  const json::value four = row({"guide", "--ctx", "256", "--parallel", "4"});
  EXPECT_EQ(bytes_at(four, "kv"), 4 * bytes_at(one, "kv"));
  EXPECT_EQ(bytes_at(four, "weights"), bytes_at(one, "weights"));
  EXPECT_LT(four.at("bytes_per_token").to_number<double>(), one.at("bytes_per_token").to_number<double>());
}

TEST_F(Plan, EncodersReadButDecodeNothing) {
  const std::string encoder = (data_dir() / "models" / "bert-mean" / "model.gguf").string();
  for (const std::vector<std::string>& more : {std::vector<std::string>(), {"--on", "RTX 4090"}}) {
    std::vector<std::string> args = {encoder};
    args.insert(args.end(), more.begin(), more.end());
    const json::value planned = row(args);
    EXPECT_EQ(planned.at("verdict"), "fits");
    EXPECT_TRUE(planned.at("forecast").at("decode_tok_s").is_null());
    EXPECT_TRUE(planned.at("limit_tok_s").is_null());
    EXPECT_TRUE(planned.at("forecast").at("prefill_tok_s").is_object());
    EXPECT_EQ(plan(args).exit_code, 0);
  }
}

TEST_F(Plan, WhichModelsFit) {
  const json::value fit = json_of(plan({"--fit", "RTX 4090", "--least", "30", "--json"}));
  const json::array& models = fit.at("models").as_array();
  EXPECT_GT(models.size(), 10U);
  for (const json::value& model : models)
    EXPECT_GE(model.at("forecast").at("decode_tok_s").at("mid").to_number<double>(), 30);
  const Outcome none = plan({"--fit", "RTX 4090", "--least", "1000000000"});
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_TRUE(has(none.out, "No known model")) << none.out;
}

TEST_F(Plan, OnesOwnHardware) {
  home_.write("cistern/hardware.csv", "name,kind,memory_gb,bandwidth_gbps\nMy Box,gpu,96,1234\n");
  EXPECT_EQ(row({"llama-3.1-8b:Q4_K_M", "--on", "My Box"}).at("verdict"), "fits");
  const std::string damaged =
      home_.write("bad.csv", "name,kind,memory_gb,bandwidth_gbps\nMy Box,gpu,96,fast\n").string();
  const Outcome run = plan({"llama-3.1-8b:Q4_K_M", "--on", "RTX 4090", "--hardware", damaged});
  EXPECT_EQ(not_one_clear_error(run, 1), "");
  EXPECT_TRUE(has(run.err, "line 2")) << run.err;
}

TEST_F(Plan, APage) {
  const std::string path = (home_.path() / "plan.html").string();
  const Outcome run = plan({"llama-3.1-8b:Q4_K_M", "--on", "RTX 4090", "--on", "RTX 3060", "--html", path});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  const std::string page = read_text(path);
  EXPECT_TRUE(page.starts_with("<!doctype html>") || page.starts_with("<!DOCTYPE html>"));
  for (const char* part : {"RTX 4090", "RTX 3060", "llama-3.1-8b", "<svg", "</html>"})
    EXPECT_TRUE(has(page, part));
  EXPECT_EQ(not_one_clear_error(plan({"guide", "--html", "/nonexistent/plan.html"}), 1), "");
}

TEST_F(Plan, ATableIsScored) {
  const std::string table = home_
                                .write("t.csv",
                                       "row_id,hardware,backend,model,quant,decode_tps\n1,RTX 4090,llama.cpp "
                                       "CUDA,Llama-3.1-8B,Q4_K_M,130\n"
                                       "2,an abacus,llama.cpp,Llama-3.1-8B,Q4_K_M,1\n")
                                .string();
  const json::value scored = json_of(plan({"--score-table", table, "--json"}));
  ASSERT_EQ(scored.at("rows").as_array().size(), 2U);
  EXPECT_GT(scored.at("rows").at(0).at("mid").to_number<double>(), 0);
  EXPECT_TRUE(scored.at("rows").at(1).at("mid").is_null());
  EXPECT_EQ(scored.at("summary").at("not_forecast").to_number<int>(), 1);
  const Outcome features = plan({"--score-table", table, "--features"});
  EXPECT_EQ(std::ranges::count(features.out, '\n'), 1);
  EXPECT_TRUE(json::parse(features.out).is_object());
  EXPECT_TRUE(has(plan({"--score-table", table}).out, "median error"));
  EXPECT_EQ(not_one_clear_error(plan({"--score-table", (home_.path() / "missing.csv").string()}), 1), "");
  EXPECT_EQ(not_one_clear_error(plan({"--score-table", home_.path().string()}), 1), "");
  EXPECT_EQ(not_one_clear_error(plan({"--score-table", home_.write("empty.csv", "").string()}), 1), "");
}

class RunLedger : public Plan {
 protected:
  std::string ledger() const { return (home_.path() / "cistern" / "ledger.jsonl").string(); }
  std::vector<std::string> lines() const {
    std::vector<std::string> all = fs::exists(ledger()) ? read_lines(ledger()) : std::vector<std::string>();
    while (!all.empty() && all.back().empty()) all.pop_back();
    return all;
  }
};

constexpr const char* kSecret = "Xylophone marmalade 7391";

TEST_F(RunLedger, ARunAddsALineOfNumbers) {
  const Outcome run = run_at(home_, {"run", "--temp", "0", "-p", kSecret, "-n", "8"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.err, "");
  ASSERT_EQ(lines().size(), 1U);
  const std::string line = lines()[0];
  for (const char* secret : {"Xylophone", "marmalade", "7391", "/"}) EXPECT_FALSE(has(line, secret)) << line;
  std::string first_word = run.out.substr(0, run.out.find(' '));
  EXPECT_FALSE(first_word.size() > 3 && has(line, first_word)) << line;
  const json::object record = json::parse(line).as_object();
  EXPECT_EQ(record.at("kind"), "run");
  EXPECT_EQ(record.at("generated").to_number<int>(), 8);
  const json::object& figures = record.at("figures").as_object();
  EXPECT_TRUE(figures.contains("load_s"));
  EXPECT_TRUE(figures.contains("peak_bytes"));
  for (const auto& [name, figure] : figures) {
    EXPECT_GT(figure.at("actual").to_number<double>(), 0) << name;
    const json::array& predicted = figure.at("predicted").as_array();
    ASSERT_EQ(predicted.size(), 3U) << name;
    EXPECT_GT(predicted[0].to_number<double>(), 0) << name;
    EXPECT_LE(predicted[0].to_number<double>(), predicted[1].to_number<double>()) << name;
    EXPECT_LE(predicted[1].to_number<double>(), predicted[2].to_number<double>()) << name;
  }

  const json::value score = json_of(plan({"--score", "--json"}));
  EXPECT_EQ(score.at("runs").to_number<int>(), 1);
  EXPECT_EQ(score.at("ledger").as_string(), ledger());
  EXPECT_EQ(score.at("figures").at("load_s").at("outcomes").to_number<int>(), 1);
  EXPECT_TRUE(score.at("warnings").as_array().empty());
  EXPECT_TRUE(has(plan({"--score"}).out, "1 runs in")) << plan({"--score"}).out;
}

TEST_F(RunLedger, OnceTheMachineIsKnownSpeedsAreForecast) {
  ASSERT_EQ(plan({"guide"}).exit_code, 0);
  EXPECT_TRUE(lines().empty()) << "a plan is no run";
  // Long enough for speeds to say something.
  std::string prompt;
  for (int i = 0; i < 100; ++i) prompt += "word " + std::to_string(i) + " ";
  ASSERT_EQ(
      run_at(home_, {"run", "--temp", "0", "-p", prompt, "-n", "24", "--ignore-end", "--no-draft"}).exit_code,
      0);
  ASSERT_EQ(lines().size(), 1U);
  const json::value record = json::parse(lines()[0]);
  for (const char* name : {"load_s", "prefill_tok_s", "first_token_s", "decode_tok_s", "peak_bytes"})
    EXPECT_TRUE(record.at("figures").as_object().contains(name)) << name;
}

TEST_F(RunLedger, NoneWhereNoneIsWanted) {
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"run", "-p", "Hello!", "-n", "8", "--no-ledger"},
        {"chat", "--no-ledger"},
        {"bench", "guide", "--prompt", "8", "--tokens", "4", "--reps", "1", "--no-ledger"}}) {
    const Outcome run = run_at(home_, args, "Hello!\n");
    EXPECT_EQ(run.exit_code, 0) << run.err;
  }
  EXPECT_FALSE(fs::exists(ledger()));
  const json::value score = json_of(plan({"--score", "--json"}));
  EXPECT_EQ(score.at("runs").to_number<int>(), 0);
  EXPECT_TRUE(has(plan({"--score"}).out, "No run has been recorded yet"));
}

TEST_F(RunLedger, ChatAndBenchAddLines) {
  ASSERT_EQ(run_at(home_, {"chat"}, "Hello!\nWho are you?\n").exit_code, 0);
  const std::size_t after_chat = lines().size();
  EXPECT_GE(after_chat, 1U);
  for (const std::string& line : lines()) EXPECT_EQ(json::parse(line).at("kind"), "chat");
  ASSERT_EQ(
      run_at(home_, {"bench", "guide", "--prompt", "8", "--tokens", "4", "--reps", "1", "--json"}).exit_code,
      0);
  ASSERT_EQ(lines().size(), after_chat + 1);
  EXPECT_EQ(json::parse(lines().back()).at("kind"), "bench");
  EXPECT_EQ(json_of(plan({"--score", "--json"})).at("runs").to_number<std::size_t>(), after_chat + 1);
}

TEST_F(RunLedger, AForeignFileIsLeftAsItIs) {
  const std::string foreign = "my diary\nMonday: rain\n";
  home_.write("cistern/ledger.jsonl", foreign);
  const Outcome run = run_at(home_, {"run", "--temp", "0", "-p", "Hello!", "-n", "8"});
  EXPECT_EQ(run.exit_code, 0) << "the run is fine";
  EXPECT_TRUE(run.out.starts_with("Hello! I am")) << run.out;
  EXPECT_TRUE(has(run.err, "ledger")) << run.err;
  EXPECT_EQ(std::ranges::count(run.err, '\n'), 1) << run.err;
  EXPECT_EQ(read_text(ledger()), foreign);
  const json::value score = json_of(plan({"--score", "--json"}));
  EXPECT_EQ(score.at("runs").to_number<int>(), 0);
  EXPECT_FALSE(score.at("warnings").as_array().empty());
  EXPECT_EQ(read_text(ledger()), foreign);
}

TEST_F(RunLedger, DamagedLinesArePassedOver) {
  ASSERT_EQ(run_at(home_, {"run", "--temp", "0", "-p", "Hello!", "-n", "8"}).exit_code, 0);
  const std::string good = read_text(ledger());
  home_.write("cistern/ledger.jsonl", good + good.substr(0, good.size() / 2) + "\n");
  const json::value score = json_of(plan({"--score", "--json"}));
  EXPECT_EQ(score.at("runs").to_number<int>(), 1);
  EXPECT_EQ(score.at("warnings").as_array().size(), 1U);
}

}  // namespace
}  // namespace cistern::testing
