// Whatever the world gets wrong: exit code 1 (2 for usage), one line on stderr that names the place, no
// signal, no hang. One case per class of bad input, then the hostile set through the whole program.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "cli/program.h"
#include "support/fixtures.h"
#include "support/hostile.h"
#include "support/temp_dir.h"

namespace cistern::testing {
namespace {

namespace fs = std::filesystem;

std::string bytes_of(const HostileCase& c) {
  return {reinterpret_cast<const char*>(c.bytes.data()), c.bytes.size()};
}

// The commands that read a model, each with what makes it complete.
std::vector<std::vector<std::string>> model_commands(const std::string& model, const std::string& ids) {
  return {{"run", model, "-p", "x", "-n", "1"},
          {"run", model, "--raw", "-p", "x", "-n", "1"},
          {"chat", model},
          {"inspect", model},
          {"inspect", model, "--json"},
          {"tokenize", model, "-p", "x"},
          {"detokenize", model, "--ids", "1"},
          {"logits", model, "--tokens", ids, "--out", "/dev/null"}};
}

class BadInput : public ::testing::Test {
 protected:
  void expect_error_everywhere(const std::string& model) {
    const std::string ids = dir_.write("ids.json", "[1]").string();
    for (const auto& args : model_commands(model, ids)) {
      const Outcome run = run_program(args);
      EXPECT_EQ(not_one_clear_error(run, 1), "") << args[0];
      EXPECT_NE(run.err.find(fs::path(model).filename().string()), std::string::npos) << run.err;
    }
  }
  std::string good_model() const { return bytes_of(load_hostile_cases().front()); }

  TempDir dir_;
};

TEST_F(BadInput, NoSuchFile) {
  expect_error_everywhere((dir_.path() / "missing.gguf").string());
}
TEST_F(BadInput, EmptyFile) {
  expect_error_everywhere(dir_.write("empty.gguf", "").string());
}
TEST_F(BadInput, WrongMagic) {
  expect_error_everywhere(dir_.write("magic.gguf", std::string(4096, 'x')).string());
}
TEST_F(BadInput, Directory) {
  expect_error_everywhere(dir_.path().string());
}

TEST_F(BadInput, TruncatedAnywhere) {
  const std::string model = good_model();
  for (const std::size_t size :
       {std::size_t{3}, std::size_t{20}, model.size() / 4, model.size() / 2, model.size() - 1}) {
    const std::string path = dir_.write("cut.gguf", model.substr(0, size)).string();
    EXPECT_EQ(not_one_clear_error(run_program({"run", path, "--raw", "-p", "x"}), 1), "") << size;
  }
}

TEST_F(BadInput, Fifo) {
  const std::string path = (dir_.path() / "fifo.gguf").string();
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  expect_error_everywhere(path);
}

TEST_F(BadInput, UnreadableFile) {
  if (geteuid() == 0) GTEST_SKIP() << "root reads everything";
  const std::string path = dir_.write("secret.gguf", good_model()).string();
  ASSERT_EQ(chmod(path.c_str(), 0), 0);
  expect_error_everywhere(path);
}

TEST_F(BadInput, NameOfTheModelIsUnknownOrAmbiguous) {
  dir_.write("models/qwen3-4b.gguf", "x");
  dir_.write("models/qwen3-8b.gguf", "x");
  RunInput input{.args = {"run", "qwen", "-p", "x"},
                 .stdin_text = {},
                 .env = {{"CISTERN_MODELS", (dir_.path() / "models").string()}}};
  EXPECT_EQ(not_one_clear_error(run_program(input), 2), "");
  input.args[1] = "quen3-4b";
  const Outcome run = run_program(input);
  EXPECT_EQ(not_one_clear_error(run, 1), "");
  EXPECT_NE(run.err.find("did you mean qwen3-4b?"), std::string::npos) << run.err;
}

TEST_F(BadInput, PromptIsNotUtf8) {
  const Outcome argument = run_program({"run", "-p", "caf\xE9 noir"});
  EXPECT_EQ(not_one_clear_error(argument, 1), "");
  EXPECT_NE(argument.err.find("byte 3 (0xe9)"), std::string::npos) << argument.err;
  EXPECT_EQ(not_one_clear_error(run_program({"run", "--raw"}, "ab\xFF"), 1), "");
  EXPECT_EQ(not_one_clear_error(run_program({"tokenize", "guide"}, "\xED\xA0\x80"), 1), "");
  EXPECT_EQ(not_one_clear_error(run_program({"run", "-p", "x", "--system", "\x80"}), 1), "");
}

TEST_F(BadInput, PromptLongerThanTheContext) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "word ";
  const Outcome run = run_program({"run", "--raw"}, text);
  EXPECT_EQ(not_one_clear_error(run, 1), "");
  EXPECT_NE(run.err.find("1024"), std::string::npos) << run.err;
  EXPECT_EQ(not_one_clear_error(
                run_program({"run", "--ctx", "16", "-p", "What is the KV cache, and why is it there?"}), 1),
            "");
}

TEST_F(BadInput, ContextBeyondTheModels) {
  const Outcome run = run_program({"run", "--ctx", "1000000000", "-p", "x"});
  EXPECT_EQ(not_one_clear_error(run, 2), "");
  EXPECT_NE(run.err.find("1024"), std::string::npos) << run.err;
}

TEST_F(BadInput, MemoryBudgetTooSmall) {
  const Outcome run = run_program({"run", "--memory", "1MB", "-p", "x"});
  EXPECT_EQ(not_one_clear_error(run, 1), "");
  EXPECT_NE(run.err.find("iB"), std::string::npos) << run.err;  // numbers with units
}

TEST_F(BadInput, PromptFile) {
  EXPECT_EQ(not_one_clear_error(run_program({"run", "-f", (dir_.path() / "none").string()}), 1), "");
  EXPECT_EQ(not_one_clear_error(run_program({"run", "-f", dir_.path().string()}), 1), "");
}

TEST_F(BadInput, TokenLists) {
  const auto refused = [&](const std::string& text) {
    const std::string path = dir_.write("ids.json", text).string();
    return not_one_clear_error(
        run_program({"logits", "guide", "--tokens", path, "--out", (dir_.path() / "out").string()}), 1);
  };
  for (const char* text : {"", "[", "{}", "[1, -1]", "[1, 4096]", "[1.5]", "[\"1\"]", "[]", "{\"tokens\": 1}",
                           "[1] 2", "[99999999999999999999]"}) {
    EXPECT_EQ(refused(text), "") << text;
  }
  EXPECT_EQ(refused(std::string(100000, '[')), "");
  EXPECT_FALSE(fs::exists(dir_.path() / "out"));
  EXPECT_EQ(std::distance(fs::directory_iterator(dir_.path()), fs::directory_iterator()),
            1);  // no .partial files
}

TEST_F(BadInput, ResultsThatCannotBeWritten) {
  const std::string ids = dir_.write("ids.json", "[1, 2]").string();
  EXPECT_EQ(
      not_one_clear_error(run_program({"logits", "guide", "--tokens", ids, "--out", "/no/such/place"}), 1),
      "");
  if (fs::exists("/dev/full")) {
    EXPECT_EQ(not_one_clear_error(run_program({"logits", "guide", "--tokens", ids, "--out", "/dev/full"}), 1),
              "");
  }
}

TEST_F(BadInput, UnknownTensorAndMissingTemplate) {
  const Outcome run = run_program({"inspect", "guide", "--tensor", "blk.0.attn_qq.weight"});
  EXPECT_EQ(not_one_clear_error(run, 1), "");
  EXPECT_NE(run.err.find("did you mean blk.0.attn_q.weight?"), std::string::npos) << run.err;
}

// Every file of the hostile set: what the set says is wrong is an error, what is fine runs, nothing crashes.
TEST_F(BadInput, HostileSet) {
  int checked = 0;
  for (const HostileCase& hostile : load_hostile_cases()) {
    SCOPED_TRACE(hostile.name + " (" + hostile.about + ")");
    const std::string path = dir_.write("hostile.gguf", std::string_view(bytes_of(hostile))).string();
    const bool is_template = hostile.expect == "template-error";
    std::vector<std::string> args = {"run", path, "-p", "x", "-n", "2", "--temp", "0"};
    if (!is_template) args.push_back("--raw");
    const Outcome run = run_program(RunInput{.args = args, .stdin_text = {}, .env = {}, .limit_s = 30});
    EXPECT_FALSE(run.timed_out);
    EXPECT_EQ(run.signal, 0);
    if (hostile.expect == "ok") {
      EXPECT_EQ(run.exit_code, 0) << run.err;
    } else if (hostile.expect != "no-crash" || run.exit_code != 0) {
      EXPECT_EQ(not_one_clear_error(run, 1), "");
    }
    const Outcome inspected = run_program({"inspect", path});
    EXPECT_EQ(inspected.signal, 0);
    EXPECT_FALSE(inspected.timed_out);
    ++checked;
  }
  EXPECT_GE(checked, 160);
}

}  // namespace
}  // namespace cistern::testing
