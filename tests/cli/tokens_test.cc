// tokenize, detokenize, template and logits: the checking interfaces that programs talk to.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstring>
#include <sstream>

#include "cli/program.h"
#include "support/fixtures.h"
#include "support/gguf_writer.h"
#include "support/temp_dir.h"

namespace cistern::testing {
namespace {

namespace json = boost::json;

std::vector<json::value> lines_of(const std::string& text) {
  std::vector<json::value> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    json::error_code error;
    out.push_back(json::parse(line, error));
    EXPECT_FALSE(error) << line;
  }
  return out;
}

bool is_error(const json::value& answer) {
  return answer.as_object().contains("error");
}

TEST(Tokenize, JsonLines) {
  const Outcome run = run_program({"tokenize", "guide", "--jsonl"},
                                  "{\"text\": \"Hello!\"}\n"
                                  "{\"text\": \"<|im_start|>user\", \"special\": true}\n"
                                  "{\"text\": \"<|im_start|>user\", \"special\": false}\n"
                                  "{\"text\": \"\"}\n");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto answers = lines_of(run.out);
  ASSERT_EQ(answers.size(), 4U);
  EXPECT_EQ(answers[0].at("ids"), json::value({1237, 4}));  // no BOS
  EXPECT_EQ(answers[0].at("pieces"), json::value({"Hello", "!"}));
  EXPECT_EQ(answers[1].at("ids"), json::value({1, 289}));
  EXPECT_GT(answers[2].at("ids").as_array().size(), 2U);
  EXPECT_TRUE(answers[3].at("ids").as_array().empty());
}

TEST(Tokenize, BadLinesAreAnsweredAndTheRestGoesOn) {
  const Outcome run = run_program({"tokenize", "guide", "--jsonl"},
                                  "not json\n"
                                  "[1]\n"
                                  "{}\n"
                                  "{\"text\": 1}\n"
                                  "{\"text\": \"a\", \"special\": 1}\n"
                                  "{\"text\": \"\\ud800\"}\n"
                                  "{\"text\": \"\xFF\"}\n" +
                                      std::string(100000, '[') +
                                      "\n\n"
                                      "{\"text\": \"a\\u0000b\"}\n"
                                      "{\"text\": \"fine\"}");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto answers = lines_of(run.out);
  ASSERT_EQ(answers.size(), 10U);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_TRUE(is_error(answers[i])) << i;
  EXPECT_FALSE(is_error(answers[8]));
  EXPECT_FALSE(is_error(answers[9]));
}

TEST(Tokenize, HumanForms) {
  EXPECT_EQ(run_program({"tokenize", "guide", "-p", "Hello!"}).out, "1237 4\n");
  EXPECT_EQ(run_program({"tokenize", "guide"}, "Hello!").out, "1237 4\n");
  EXPECT_EQ(run_program({"tokenize", "guide", "-p", "Hello!", "--pieces"}).out, "   1237 Hello\n      4 !\n");
  EXPECT_EQ(run_program({"tokenize", "guide", "-p", "Hello!", "--json"}).out,
            "{\"ids\":[1237,4],\"pieces\":[\"Hello\",\"!\"]}\n");
}

TEST(Detokenize, GivesTheTextBack) {
  EXPECT_EQ(run_program({"detokenize", "guide", "--ids", "1237", "4"}).out, "Hello!\n");
  EXPECT_EQ(run_program({"detokenize", "guide"}, "[1237, 4]").out, "Hello!\n");
  for (const std::string text : {"Grüße, 世界! 🙂", "  two  spaces\n\nlines\t", "a\u0301 combining"}) {
    const Outcome ids = run_program({"tokenize", "guide", "-p", text});
    EXPECT_EQ(run_program({"detokenize", "guide"}, ids.out).out, text + "\n");
  }
}

TEST(Detokenize, JsonLines) {
  const Outcome run =
      run_program({"detokenize", "guide", "--jsonl"},
                  "{\"ids\": [1237, 4]}\n{\"ids\": [4096]}\n{\"ids\": []}\n{}\n{\"ids\": [1e3]}\n");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto answers = lines_of(run.out);
  ASSERT_EQ(answers.size(), 5U);
  EXPECT_EQ(answers[0].at("text"), json::value("Hello!"));
  EXPECT_TRUE(is_error(answers[1]));
  EXPECT_EQ(answers[2].at("text"), json::value(""));
  EXPECT_TRUE(is_error(answers[3]));
  EXPECT_TRUE(is_error(answers[4]));
}

TEST(Template, RendersTheModelsOrAGivenOne) {
  const TempDir dir;
  const std::string file = dir.write("t.jinja", "file {{ x }}").string();
  const Outcome run =
      run_program({"template", "guide", "--jsonl", "--now", "2026-03-07T14:05:09"},
                  "{\"messages\": [{\"role\": \"user\", \"content\": \"Hello!\"}], "
                  "\"add_generation_prompt\": true, \"bos_token\": \"<|bos|>\"}\n"
                  "{\"template\": \"{{ a + b }} {{ c is none }} {{ d is undefined }}\", \"context\": {\"a\": "
                  "1, \"b\": 2, \"c\": null}}\n"
                  "{\"template_file\": \"" +
                      file +
                      "\", \"context\": {\"x\": 3}}\n"
                      "{\"template\": \"{{ strftime_now('%Y-%m-%d') }}\", \"context\": {}}\n"
                      "{\"template\": \"{{ raise_exception('no such role') }}\", \"context\": {}}\n"
                      "{\"template\": \"{% for %}\", \"context\": {}}\n"
                      "{\"template_file\": \"/no/such/file\", \"context\": {}}\n"
                      "oops\n");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto answers = lines_of(run.out);
  ASSERT_EQ(answers.size(), 8U);
  EXPECT_EQ(answers[0].at("text"),
            json::value("<|bos|><|im_start|>user\nHello!<|im_end|>\n<|im_start|>assistant\n"));
  EXPECT_EQ(answers[1].at("text"), json::value("3 True True"));
  EXPECT_EQ(answers[2].at("text"), json::value("file 3"));
  EXPECT_EQ(answers[3].at("text"), json::value("2026-03-07"));
  ASSERT_TRUE(is_error(answers[4]));
  EXPECT_NE(std::string(answers[4].at("error").as_string()).find("no such role"), std::string::npos);
  for (std::size_t i = 5; i < 8; ++i) EXPECT_TRUE(is_error(answers[i])) << i;
}

TEST(Template, NeedsNoModelWhenTheLinesBringTheirOwn) {
  const Outcome run =
      run_program({"template", "--jsonl"}, "{\"template\": \"x{{ y }}\", \"context\": {\"y\": 1.5}}\n");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.out, "{\"text\":\"x1.5\"}\n");
  EXPECT_EQ(not_one_clear_error(run_program({"template", "--jsonl", "--now", "yesterday"}, ""), 2), "");
}

std::vector<float> floats_of(const std::string& bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

TEST(Logits, SameBitsInPiecesAndOnAnyThreads) {
  const TempDir dir;
  const std::string ids =
      dir.write("ids.json", "{\"tokens\": [0, 1, 289, 202, 1237, 4, 2, 202, 1, 292, 202]}").string();
  const auto logits = [&](std::vector<std::string> more) {
    const std::string out = (dir.path() / "out.f32").string();
    std::vector<std::string> args = {"logits", "guide", "--tokens", ids, "--out", out};
    args.insert(args.end(), more.begin(), more.end());
    const Outcome run = run_program(args);
    EXPECT_EQ(run.exit_code, 0) << run.err;
    EXPECT_EQ(run.out, "");
    return read_text(out);
  };
  const std::string whole = logits({});
  EXPECT_EQ(whole.size(), 11U * 4096U * sizeof(float));
  EXPECT_EQ(logits({"--chunk", "3"}), whole);
  EXPECT_EQ(logits({"--chunk", "1", "--threads", "3"}), whole);
  const std::vector<float> values = floats_of(whole);
  const auto last = values.end() - 4096;
  EXPECT_EQ(std::max_element(last, values.end()) - last, 1237);  // "Hello", as in expected.json
}

TEST(Logits, ThroughPipes) {
  const Outcome run = run_program({"logits", "guide", "--tokens", "-", "--out", "-"}, "[0, 1]");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.out.size(), 2U * 4096U * sizeof(float));
}

TEST(Logits, AgreeWithTheReferenceOfTransformers) {
  const std::filesystem::path model = data_dir() / "models" / "qwen3";
  const TempDir dir;
  const std::string out = (dir.path() / "out.f32").string();
  const Outcome run = run_program({"logits", (model / "model.gguf").string(), "--tokens",
                                   (model / "tokens.json").string(), "--out", out, "--kv", "f32"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const std::vector<float> got = read_floats(out);
  const std::vector<float> expected = read_floats(model / "logits.f32");
  ASSERT_EQ(got.size(), expected.size());
  float largest = 0;
  for (std::size_t i = 0; i < got.size(); ++i) largest = std::max(largest, std::abs(got[i] - expected[i]));
  EXPECT_LE(largest, 1e-3F);
}

// A small model and an adapter of its output head.
class LogitsWithAdapter : public ::testing::Test {
 protected:
  Outcome run(std::vector<std::string> more) const {
    std::vector<std::string> args = {"logits", model_, "--tokens", "-", "--out", "-"};
    args.insert(args.end(), more.begin(), more.end());
    return run_program(args, "[5, 6, 7]");
  }

  TempDir dir_;
  std::string model_ = (data_dir() / "models/llama/model.gguf").string();
  std::string adapter_ =
      dir_.write("adapter.gguf", GgufWriter()
                                     .add("general.architecture", "llama")
                                     .add("general.type", "adapter")
                                     .add("adapter.type", "lora")
                                     .add("adapter.lora.alpha", 2.0F)
                                     .tensor("output.weight.lora_a", {32, 1}, std::vector<float>(32, 0.5F))
                                     .tensor("output.weight.lora_b", {1, 320}, std::vector<float>(320, 0.25F))
                                     .build())
          .string();
};

TEST_F(LogitsWithAdapter, Changes) {
  const Outcome plain = run({});
  const Outcome whole = run({"--lora", adapter_, "--verbose"});
  ASSERT_EQ(plain.exit_code, 0) << plain.err;
  ASSERT_EQ(whole.exit_code, 0) << whole.err;
  EXPECT_NE(whole.out, plain.out);
  EXPECT_NE(whole.err.find("adapters"), std::string::npos) << "the plan says so: " << whole.err;
  EXPECT_EQ(run({"--lora", adapter_ + ":0"}).out, plain.out);
  const Outcome half = run({"--lora", adapter_ + ":0.5"});
  EXPECT_NE(half.out, plain.out);
  EXPECT_NE(half.out, whole.out);
  EXPECT_EQ(run({"--lora", adapter_ + ":0.5", "--lora", adapter_ + ":-0.5"}).exit_code, 0);
}

TEST_F(LogitsWithAdapter, RefusesWhatItCannotApply) {
  const Outcome missing = run({"--lora", "nowhere.gguf:0.5"});
  EXPECT_EQ(not_one_clear_error(missing, 1), "");
  EXPECT_NE(missing.err.find("nowhere.gguf"), std::string::npos) << missing.err;
  EXPECT_EQ(not_one_clear_error(run({"--lora", model_}), 1), "");
  EXPECT_EQ(not_one_clear_error(run({"--lora", adapter_ + ":nan"}), 2), "");
  EXPECT_EQ(not_one_clear_error(run_program({"run", adapter_, "-p", "x"}), 2), "");
}

}  // namespace
}  // namespace cistern::testing
