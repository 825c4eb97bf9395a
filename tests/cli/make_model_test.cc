// `cistern make-model`: what it writes runs, and what it cannot write leaves nothing behind.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <filesystem>

#include "cli/program.h"
#include "support/fixtures.h"
#include "support/temp_dir.h"

namespace cistern::testing {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

json::value parsed(const Outcome& run) {
  json::error_code error;
  json::value value = json::parse(run.out, error);
  EXPECT_FALSE(error) << run.out << run.err;
  return value;
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  return names;
}

// Deviation of the logits after each of a few tokens; not finite if one of them is not.
double logit_deviation(const TempDir& dir, const std::string& model) {
  const std::string tokens = dir.write("ids.json", "[1, 300, 7, 511, 42, 260, 400, 9]").string();
  const std::string out = (dir.path() / "logits.f32").string();
  const Outcome run = run_program({"logits", model, "--tokens", tokens, "--out", out});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  double squares = 0;
  const std::vector<float> logits = read_floats(out);
  for (const float x : logits) squares += double{x} * x;
  return std::sqrt(squares / static_cast<double>(logits.size()));
}

// Those of every architecture are run by SyntheticModel.EveryArchitectureRuns.
TEST(MakeModel, ModelsOfManyKindsRun) {
  for (const char* arch : {"llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3", "phi3",
                           "deepseek4", "nemotron_h"}) {
    const TempDir dir;
    const std::string model = (dir.path() / "m.gguf").string();
    std::vector<std::string> args = {"make-model", model,    "--arch", arch,    "--layers",
                                     "7",          "--type", "Q8_0",   "--json"};
    if (arch == std::string("deepseek4")) args.insert(args.end(), {"--experts", "8"});
    const Outcome made = run_program(args);
    ASSERT_EQ(made.exit_code, 0) << arch << made.err;
    EXPECT_EQ(made.err, "");  // no progress where there is no terminal
    const json::value report = parsed(made);
    EXPECT_EQ(report.at("path"), json::value(model));
    EXPECT_EQ(report.at("bytes").to_number<std::uint64_t>(), fs::file_size(model));
    EXPECT_GT(report.at("seconds").to_number<double>(), 0);

    const json::value inspected = parsed(run_program({"inspect", model, "--json"}));
    EXPECT_EQ(inspected.at("architecture"), json::value(arch));
    EXPECT_EQ(inspected.at("tensors").as_array().size(), report.at("tensors").to_number<std::size_t>());
    EXPECT_EQ(inspected.at("values"), report.at("parameters"));

    const Outcome ran =
        run_program({"run", model, "-p", "Any text: \xC3\xA9", "-n", "3", "--temp", "0", "--json"});
    ASSERT_EQ(ran.exit_code, 0) << arch << ran.err;
    EXPECT_GE(parsed(ran).at("ids").as_array().size(), 1U);
    const double deviation = logit_deviation(dir, model);
    EXPECT_GT(deviation, 0.5) << arch;
    EXPECT_LT(deviation, 4) << arch;
  }
}

TEST(MakeModel, EveryTypeRuns) {
  for (const char* type :
       {"F32",    "F16",    "BF16",  "Q4_0",  "Q4_1",  "Q5_0",    "Q5_1",   "Q8_0",  "Q2_K",    "Q3_K",
        "Q4_K",   "Q5_K",   "Q6_K",  "IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S",
        "IQ4_NL", "IQ4_XS", "TQ1_0", "TQ2_0", "MXFP4", "NVFP4",   "Q1_0",   "Q2_0"}) {
    const TempDir dir;
    const std::string model = (dir.path() / "m.gguf").string();
    const Outcome made = run_program({"make-model", model, "--type", type});
    ASSERT_EQ(made.exit_code, 0) << type << made.err;
    const double deviation = logit_deviation(dir, model);
    EXPECT_GT(deviation, 0.5) << type;
    EXPECT_LT(deviation, 4) << type;
  }
}

TEST(MakeModel, OptionsChangeTheShape) {
  const TempDir dir;
  const std::string model = (dir.path() / "m.gguf").string();
  ASSERT_EQ(run_program({"make-model", model, "--arch",    "qwen3", "--layers",   "3", "--dim",       "128",
                         "--ffn",      "192", "--heads",   "6",     "--kv-heads", "3", "--head-dim",  "32",
                         "--vocab",    "700", "--context", "99",    "--seed",     "5", "--rope-base", "5e5",
                         "--type",     "q4_0"})
                .exit_code,
            0);
  const json::value got = parsed(run_program({"inspect", model, "--json"}));
  const json::value& keys = got.at("metadata");
  for (const auto& [key, value] :
       {std::pair{"block_count", 3}, std::pair{"embedding_length", 128},
        std::pair{"feed_forward_length", 192}, std::pair{"attention.head_count", 6},
        std::pair{"attention.head_count_kv", 3}, std::pair{"attention.key_length", 32},
        std::pair{"context_length", 99}, std::pair{"rope.freq_base", 500000}}) {
    EXPECT_EQ(keys.at(std::string("qwen3.") + key).to_number<int>(), value) << key;
  }
  EXPECT_EQ(keys.at("tokenizer.ggml.tokens").as_array().size(), 700U);
}

TEST(MakeModel, OptionsChangeTheExperts) {
  const TempDir dir;
  const std::string model = (dir.path() / "m.gguf").string();
  ASSERT_EQ(run_program({"make-model", model, "--arch", "deepseek2", "--experts", "12", "--experts-used", "5",
                         "--expert-ffn", "96", "--shared-experts", "3", "--type", "q4_0"})
                .exit_code,
            0);
  const json::value got = parsed(run_program({"inspect", model, "--json"}));
  for (const auto& [key, value] :
       {std::pair{"expert_count", 12}, std::pair{"expert_used_count", 5},
        std::pair{"expert_feed_forward_length", 96}, std::pair{"expert_shared_count", 3}}) {
    EXPECT_EQ(got.at("metadata").at(std::string("deepseek2.") + key).to_number<int>(), value) << key;
  }
}

TEST(MakeModel, ListsItsShapes) {
  const Outcome run = run_program({"make-model", "--list", "--json"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_GT(parsed(run).at("shapes").as_array().size(), 20U);
  EXPECT_NE(run_program({"make-model", "--list"}).out.find("llama-3.1-8b"), std::string::npos);
}

TEST(MakeModel, ImpossibleWishesAreNamed) {
  struct Case {
    std::vector<std::string> options;
    int exit_code;
    const char* mentions;
  };
  for (const Case& c :
       {Case{{"--type", "Q4_X"}, 2, "Q4_"}, Case{{"--type", "I32"}, 2, "I32"},
        Case{{"--shape", "C"}, 2, "--shape"}, Case{{"--experts", "4", "--arch", "qwen3"}, 2, "--experts"},
        Case{{"--experts", "4", "--experts-used", "5"}, 2, "--experts-used"},
        Case{{"--arch", "gpt2"}, 1, "--arch"}, Case{{"--heads", "3", "--kv-heads", "2"}, 2, "--kv-heads"},
        Case{{"--layers", "0"}, 2, "--layers"}, Case{{"--dim", "-1"}, 2, "--dim"},
        Case{{"--dim", "99999999999999999999"}, 2, "--dim"}, Case{{"--ffn", "4294967295"}, 2, "--ffn"},
        Case{{"--vocab", "10"}, 2, "--vocab"}, Case{{"--rope-base", "nan"}, 2, "--rope-base"},
        Case{{"--dim", "288", "--type", "Q6_K"}, 2, "token_embd.weight"}}) {
    const TempDir dir;
    std::vector<std::string> args = {"make-model", (dir.path() / "m.gguf").string()};
    args.insert(args.end(), c.options.begin(), c.options.end());
    const Outcome run = run_program(args);
    EXPECT_EQ(not_one_clear_error(run, c.exit_code), "");
    EXPECT_NE(run.err.find(c.mentions), std::string::npos) << run.err;
    EXPECT_TRUE(names_in(dir.path()).empty());
  }
  EXPECT_EQ(not_one_clear_error(run_program({"make-model"}), 2), "");
  EXPECT_EQ(not_one_clear_error(run_program({"make-model", "-"}), 2), "");
}

TEST(MakeModel, WhatNoDiskHoldsIsRefusedBeforehand) {
  const TempDir dir;
  const Outcome run =
      run_program({"make-model", (dir.path() / "m.gguf").string(), "--dim", "1048576", "--ffn", "1048576",
                   "--layers", "4096", "--vocab", "100000", "--type", "F32"});
  EXPECT_EQ(not_one_clear_error(run, 1), "");
  EXPECT_NE(run.err.find("free"), std::string::npos) << run.err;
  EXPECT_TRUE(names_in(dir.path()).empty());
}

TEST(MakeModel, AnExistingFileStaysUnlessForced) {
  const TempDir dir;
  const std::string model = dir.write("m.gguf", "precious").string();
  EXPECT_EQ(not_one_clear_error(run_program({"make-model", model}), 2), "");
  EXPECT_EQ(read_text(model), "precious");
  EXPECT_EQ(run_program({"make-model", model, "--force"}).exit_code, 0);
  EXPECT_GT(fs::file_size(model), 100000U);
  EXPECT_EQ(names_in(dir.path()), std::vector<std::string>{"m.gguf"});
}

TEST(MakeModel, FoldersThatCannotBeWritten) {
  const TempDir dir;
  const std::string file = dir.write("file", "x").string();
  EXPECT_EQ(not_one_clear_error(run_program({"make-model", file + "/m.gguf"}), 1), "");
  EXPECT_EQ(not_one_clear_error(run_program({"make-model", (dir.path() / "none" / "m.gguf").string()}), 1),
            "");
  EXPECT_EQ(not_one_clear_error(run_program({"make-model", dir.path().string()}), 1), "");
}

TEST(MakeModel, AFullDiskLeavesNothingBehind) {
  EXPECT_EQ(not_one_clear_error(run_program({"make-model", "/dev/full"}), 1), "");
  const TempDir dir;
  const std::string old = dir.write("old.gguf", "precious").string();
  for (const std::string& name : {(dir.path() / "new.gguf").string(), old}) {
    const Outcome run = run_program(RunInput{
        .args = {"make-model", name, "--force"}, .stdin_text = {}, .env = {}, .setup = "ulimit -f 400"});
    EXPECT_EQ(not_one_clear_error(run, 1), "");
    EXPECT_NE(run.err.find("cannot write"), std::string::npos) << run.err;
    EXPECT_EQ(names_in(dir.path()), std::vector<std::string>{"old.gguf"});
  }
  EXPECT_EQ(read_text(old), "precious");
}

TEST(MakeModel, AnInterruptLeavesNothingBehind) {
  const TempDir dir;
  const std::string folder = dir.path().string();
  // The signal comes as soon as the file has begun to grow.
  const std::string wait_for_it = "(for i in $(seq 2000); do ls '" + folder +
                                  "' | grep -q partial && break; sleep 0.01; done; kill -INT $$) &";
  const Outcome run =
      run_program(RunInput{.args = {"make-model", folder + "/m.gguf", "--shape", "A", "--type", "F16"},
                           .stdin_text = {},
                           .env = {},
                           .setup = wait_for_it + " true"});
  EXPECT_EQ(not_one_clear_error(run, 130), "");
  EXPECT_TRUE(names_in(dir.path()).empty());
}

}  // namespace
}  // namespace cistern::testing
