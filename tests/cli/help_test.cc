// What a new user asks first: --help, --version, completions, the manual.
#include <gtest/gtest.h>

#include "cli/program.h"
#include "support/temp_dir.h"

namespace cistern::testing {
namespace {

const std::vector<std::string> kCommands = {"run",      "chat",  "inspect", "tokenize",    "detokenize",
                                            "template", "parse", "logits",  "completions", "man"};

TEST(Help, EveryCommandHasExamples) {
  for (const std::string& command : kCommands) {
    const Outcome run = run_program({command, "--help"});
    EXPECT_EQ(run.exit_code, 0) << command;
    EXPECT_EQ(run.err, "") << command;
    EXPECT_NE(run.out.find("Usage: cistern " + command), std::string::npos) << run.out;
    const std::size_t examples = run.out.find("Examples:\n");
    ASSERT_NE(examples, std::string::npos) << command;
    EXPECT_NE(run.out.find("cistern " + command, examples), std::string::npos) << command;
  }
}

TEST(Help, TheProgramListsItsCommands) {
  for (const std::vector<std::string>& args : {std::vector<std::string>{}, {"--help"}, {"-h"}}) {
    const Outcome run = run_program(args);
    EXPECT_EQ(run.exit_code, 0);
    for (const std::string& command : kCommands)
      EXPECT_NE(run.out.find("\n  " + command + " "), std::string::npos) << command;
    EXPECT_NE(run.out.find("Examples:\n"), std::string::npos);
  }
}

TEST(Help, LinesFitATerminal) {
  for (const std::string& command : kCommands) {
    const Outcome run = run_program({command, "--help"});
    std::size_t begin = 0;
    while (begin < run.out.size()) {
      const std::size_t end = std::min(run.out.find('\n', begin), run.out.size());
      EXPECT_LE(end - begin, 120U) << run.out.substr(begin, end - begin);
      begin = end + 1;
    }
  }
}

TEST(Help, VersionIsTheProjects) {
  EXPECT_EQ(run_program({"--version"}).out, "cistern " CISTERN_PROJECT_VERSION "\n");
}

TEST(Usage, UnknownThingsGetASuggestion) {
  const auto message = [](std::vector<std::string> args) {
    const Outcome run = run_program(std::move(args));
    EXPECT_EQ(not_one_clear_error(run, 2), "");
    EXPECT_EQ(run.out, "");
    return run.err;
  };
  EXPECT_NE(message({"rnu"}).find("did you mean run?"), std::string::npos);
  EXPECT_NE(message({"run", "--tmep", "0"}).find("did you mean --temp?"), std::string::npos);
  EXPECT_NE(message({"inspect", "--jsn"}).find("did you mean --json?"), std::string::npos);
  EXPECT_NE(message({"run", "--kv", "f15"}).find("did you mean f16?"), std::string::npos);
  EXPECT_NE(message({"completions", "basch"}).find("did you mean bash?"), std::string::npos);
  message({"--frobnicate"});
  message({"run", "-p"});
  message({"run", "-p", "x", "--temp", "warm"});
  message({"run", "-p", "x", "--temp", "nan"});
  message({"run", "-p", "x", "--temp", "-1"});
  message({"run", "-p", "x", "--top-p", "1.5"});
  message({"run", "-p", "x", "--top-k", "-4"});
  message({"run", "-p", "x", "-n", "many"});
  message({"run", "-p", "x", "--threads", "0"});
  message({"run", "-p", "x", "--ctx", "0"});
  message({"run", "-p", "x", "--memory", "lots"});
  message({"run", "-p", "x", "--memory", "3G"});
  message({"run", "-p", "x", "--logit-bias", "1"});
  message({"run", "-p", "x", "--logit-bias", "99999999=1"});
  message({"run", "-p", "x", "--isa", "mmx"});
  message({"run", "-p", "x", "-f", "y"});
  message({"run", "one", "two", "-p", "x"});
  message({"run", "--raw", "--system", "s", "-p", "x"});
  message({"inspect"});
  message({"logits", "guide"});
  message({"completions"});
}

TEST(Usage, JsonErrorsComeOnStdoutToo) {
  const Outcome run = run_program({"run", "--json", "-p", "x", "--temp", "-1"});
  EXPECT_EQ(not_one_clear_error(run, 2), "");
  EXPECT_TRUE(run.out.starts_with(R"({"error":{"code":"usage","message":)")) << run.out;
}

TEST(Completions, AreValidAndNameEverything) {
  const TempDir dir;
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    const Outcome run = run_program({"completions", shell});
    ASSERT_EQ(run.exit_code, 0) << shell;
    for (const std::string& command : kCommands) EXPECT_NE(run.out.find(command), std::string::npos) << shell;
    EXPECT_NE(run.out.find("top-k"), std::string::npos) << shell;
    const std::string script = dir.write("script." + shell, run.out).string();
    if (std::system((shell + " --version >/dev/null 2>&1").c_str()) != 0) {
      std::printf("[ NOTE     ] %s is not installed: its script is not parsed\n", shell.c_str());
      continue;
    }
    EXPECT_EQ(std::system((shell + " -n '" + script + "'").c_str()), 0) << shell;
  }
}

TEST(Completions, BashCompletesWordsAndModels) {
  if (std::system("bash --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "bash is not installed";
  const TempDir dir;
  const std::string script = dir.write("script", run_program({"completions", "bash"}).out).string();
  dir.write("models/tiny-llama.gguf", "x");
  const auto complete = [&](const std::string& words, int at) {
    const std::string out = (dir.path() / "out").string();
    const std::string command =
        "CISTERN_MODELS='" + (dir.path() / "models").string() + "' bash -c 'source \"" + script +
        "\"; compopt() { :; }; COMP_WORDS=(cistern " + words + "); COMP_CWORD=" + std::to_string(at) +
        "; _cistern; echo \"${COMPREPLY[@]}\"' > '" + out + "'";
    EXPECT_EQ(std::system(command.c_str()), 0);
    FILE* file = std::fopen(out.c_str(), "r");
    char line[4096] = {};
    if (file != nullptr && std::fgets(line, sizeof line, file) == nullptr) line[0] = '\0';
    if (file != nullptr) std::fclose(file);
    return std::string(line);
  };
  EXPECT_EQ(complete("insp", 1), "inspect\n");
  EXPECT_EQ(complete("run --kv q", 3), "q8_0 q4_0\n");
  EXPECT_EQ(complete("run tiny", 2), "tiny-llama.gguf\n");
  EXPECT_EQ(complete("run --context", 2), "--context-shift\n");
}

TEST(Manual, RendersWithoutComplaint) {
  const Outcome run = run_program({"man"});
  ASSERT_EQ(run.exit_code, 0);
  EXPECT_TRUE(run.out.starts_with(".TH CISTERN 1"));
  for (const std::string& command : kCommands)
    EXPECT_NE(run.out.find(".SS " + command + "\n"), std::string::npos) << command;
  if (std::system("groff --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "groff is not installed";
  const TempDir dir;
  const std::string page = dir.write("cistern.1", run.out).string();
  const std::string complaints = (dir.path() / "complaints").string();
  EXPECT_EQ(std::system(("groff -man -Tutf8 -ww '" + page + "' > /dev/null 2> '" + complaints +
                         "' && test ! -s '" + complaints + "'")
                            .c_str()),
            0);
}

}  // namespace
}  // namespace cistern::testing
