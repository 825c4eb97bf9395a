// `cistern run` on the embedded model: the reference continuations, prompts from everywhere, JSON, stop
// strings.
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "cli/program.h"
#include "support/fixtures.h"
#include "support/temp_dir.h"

namespace cistern::testing {
namespace {

namespace json = boost::json;

constexpr double kSmallMargin = 0.3;  // as the note in expected.json says

json::value parse(const std::string& text) {
  json::error_code error;
  json::value value = json::parse(text, error);
  EXPECT_FALSE(error) << text;
  return value;
}

json::value expected_cases() {
  return parse(read_text(CISTERN_GUIDE_EXPECTED)).at("cases");
}

std::string string_at(const json::value& value, const char* key) {
  return std::string(value.at(key).as_string());
}

// How many of the reference's tokens must come out: up to the first close choice.
std::size_t certain_tokens(const json::value& expected) {
  const json::array& margins = expected.at("margins").as_array();
  std::size_t count = 0;
  while (count < margins.size() && margins[count].to_number<double>() >= kSmallMargin) ++count;
  return std::min(count, expected.at("continuation_ids").as_array().size());
}

// A chat of one user message, with or without a system message, or plain text; nothing for longer
// conversations, which `run` has no form for (chat_test.cc).
std::vector<std::string> arguments_for(const json::value& expected) {
  const json::object& object = expected.as_object();
  if (object.contains("text")) return {"run", "--raw", "-p", string_at(expected, "text")};
  const json::array& messages = expected.at("messages").as_array();
  std::vector<std::string> args = {"run", "-p", string_at(messages[messages.size() - 1], "content")};
  if (messages.size() == 2) args.insert(args.end(), {"--system", string_at(messages[0], "content")});
  return messages.size() <= 2 ? args : std::vector<std::string>();
}

TEST(Run, GivesTheReferenceContinuations) {
  int exact = 0;
  const json::value cases = expected_cases();
  for (const json::value& expected : cases.as_array()) {
    SCOPED_TRACE(string_at(expected, "name"));
    std::vector<std::string> args = arguments_for(expected);
    if (args.empty()) continue;
    args.insert(args.end(), {"--temp", "0", "-n", "200", "--json"});
    const Outcome run = run_program(args);
    ASSERT_EQ(run.exit_code, 0) << run.err;
    EXPECT_EQ(run.err, "");
    const json::value got = parse(run.out);
    EXPECT_EQ(got.at("prompt_ids"), expected.at("prompt_ids"));
    const json::array& ids = got.at("ids").as_array();
    const json::array& wanted = expected.at("continuation_ids").as_array();
    const std::size_t certain = certain_tokens(expected);
    EXPECT_GE(certain, 1U);
    ASSERT_GE(ids.size(), certain);
    for (std::size_t i = 0; i < certain; ++i) ASSERT_EQ(ids[i], wanted[i]) << "token " << i;
    if (certain < wanted.size()) continue;
    EXPECT_EQ(ids, wanted);
    EXPECT_EQ(string_at(got, "text"), string_at(expected, "continuation_text"));
    EXPECT_EQ(string_at(got, "stop_reason"), "end");
    ++exact;
  }
  EXPECT_GE(exact, 8);
}

TEST(Run, TheGuideIsGreedyByDefaultAndGoesByThreeNames) {
  const Outcome plain = run_program({"run", "-p", "Hello!"});
  EXPECT_EQ(plain.exit_code, 0);
  EXPECT_EQ(plain.err, "");
  EXPECT_TRUE(plain.out.starts_with("Hello! I am the guide")) << plain.out;
  EXPECT_TRUE(plain.out.ends_with("\n"));
  EXPECT_EQ(run_program({"run", "guide", "-p", "Hello!"}).out, plain.out);
  EXPECT_EQ(run_program({"run", "", "-p", "Hello!"}).out, plain.out);
}

TEST(Run, PromptsComeFromEverywhere) {
  const std::string expected = run_program({"run", "-p", "Who are you?"}).out;
  const TempDir dir;
  EXPECT_EQ(run_program({"run"}, "Who are you?\n").out, expected);
  EXPECT_EQ(run_program({"run", "-p", "-"}, "Who are you?").out, expected);
  EXPECT_EQ(run_program({"run", "-f", "-"}, "Who are you?\r\n").out, expected);
  EXPECT_EQ(run_program({"run", "-f", dir.write("prompt.txt", "Who are you?\n").string()}).out, expected);
  EXPECT_EQ(run_program({"run", "-p", "Who are you?"}, "ignored").out, expected);
}

TEST(Run, JsonDocument) {
  const Outcome run = run_program({"run", "-p", "Hello!", "-n", "5", "--json", "--seed", "7"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const json::value got = parse(run.out);
  EXPECT_EQ(got.at("ids").as_array().size(), 5U);
  EXPECT_EQ(string_at(got, "stop_reason"), "length");
  EXPECT_EQ(got.at("seed").to_number<int>(), 7);
  const json::value& stats = got.at("stats");
  for (const char* key : {"load_s", "prefill_tok_s", "decode_tok_s", "peak_rss_bytes", "planned_bytes"}) {
    EXPECT_GT(stats.at(key).to_number<double>(), 0) << key;
  }
}

TEST(Run, StatsGoToStderrWhenAsked) {
  const Outcome run = run_program({"run", "-p", "Hello!", "-n", "3", "--stats"});
  EXPECT_NE(run.err.find("tok/s"), std::string::npos) << run.err;
  EXPECT_NE(run.err.find("seed"), std::string::npos) << run.err;
  const Outcome verbose = run_program({"run", "-p", "Hello!", "-n", "3", "--verbose"});
  EXPECT_NE(verbose.err.find("context"), std::string::npos) << verbose.err;
}

TEST(Run, StopStringsNeverShow) {
  const Outcome whole = run_program({"run", "-p", "Hello!"});
  const Outcome cut =
      run_program({"run", "-p", "Hello!", "--stop", "tiny model", "--stop", "nothing", "--json"});
  const json::value got = parse(cut.out);
  EXPECT_EQ(string_at(got, "text"), whole.out.substr(0, whole.out.find("tiny model")));
  EXPECT_EQ(string_at(got, "stop_reason"), "stop");
}

TEST(Run, SameSeedSameTextOnAnyThreads) {
  const std::vector<std::string> base = {"run", "-p", "Tell me a story about a brave dog.", "--temp", "1.2",
                                         "-n",  "40"};
  const auto text = [&](std::vector<std::string> more) {
    std::vector<std::string> args = base;
    args.insert(args.end(), more.begin(), more.end());
    return run_program(args).out;
  };
  const std::string first = text({"--seed", "3", "--threads", "1"});
  EXPECT_EQ(text({"--seed", "3", "--threads", "2"}), first);
  EXPECT_EQ(text({"--seed", "3", "--threads", "3"}), first);
  EXPECT_NE(text({"--seed", "4"}), first);
}

TEST(Run, EverySamplerOptionIsTaken) {
  const Outcome run = run_program({"run",
                                   "-p",
                                   "Tell me a story.",
                                   "-n",
                                   "20",
                                   "--seed",
                                   "1",
                                   "--temp",
                                   "0.9",
                                   "--top-k",
                                   "50",
                                   "--top-p",
                                   "0.9",
                                   "--min-p",
                                   "0.02",
                                   "--typical",
                                   "0.95",
                                   "--repeat-penalty",
                                   "1.1",
                                   "--presence-penalty",
                                   "0.1",
                                   "--frequency-penalty",
                                   "0.1",
                                   "--penalty-window",
                                   "32",
                                   "--dry-multiplier",
                                   "0.8",
                                   "--dry-base",
                                   "1.75",
                                   "--dry-allowed-length",
                                   "2",
                                   "--dry-window",
                                   "100",
                                   "--dry-breaker",
                                   "\n",
                                   "--xtc-probability",
                                   "0.5",
                                   "--xtc-threshold",
                                   "0.1",
                                   "--logit-bias",
                                   "5=-inf",
                                   "--logit-bias",
                                   "7=+1.5"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  const Outcome mirostat = run_program({"run", "-p", "Tell me a story.", "-n", "20", "--temp", "1",
                                        "--mirostat", "--mirostat-tau", "4", "--mirostat-eta", "0.2"});
  EXPECT_EQ(mirostat.exit_code, 0) << mirostat.err;
}

TEST(Run, BiasedTokensAreBannedOrForced) {
  const json::value usual = parse(run_program({"run", "-p", "Hello!", "-n", "1", "--json"}).out);
  const std::string id = std::to_string(usual.at("ids").as_array()[0].to_number<int>());
  const json::value banned =
      parse(run_program({"run", "-p", "Hello!", "-n", "1", "--json", "--logit-bias", id + "=-inf"}).out);
  EXPECT_NE(banned.at("ids"), usual.at("ids"));
  const json::value forced =
      parse(run_program({"run", "-p", "Hello!", "-n", "1", "--json", "--logit-bias", "100=inf"}).out);
  EXPECT_EQ(forced.at("ids").as_array()[0].to_number<int>(), 100);
}

TEST(Run, FullContextEndsClearlyOrShifts) {
  const std::vector<std::string> args = {"run",   "--raw", "-p",          "Once upon a time",
                                         "--ctx", "32",    "--ignore-end"};
  const Outcome full = run_program(args);
  EXPECT_EQ(full.exit_code, 0);
  EXPECT_NE(full.err.find("context of 32 tokens is full"), std::string::npos) << full.err;
  std::vector<std::string> shifting = args;
  shifting.insert(shifting.end(), {"--context-shift", "-n", "60", "--json"});
  const Outcome shifted = run_program(shifting);
  ASSERT_EQ(shifted.exit_code, 0) << shifted.err;
  EXPECT_EQ(parse(shifted.out).at("ids").as_array().size(), 60U);
}

// A layer that predicts further tokens is used unless guessing is off, and is in the plan only then.
TEST(Run, GuessesWithTheModelsOwnLayer) {
  const TempDir dir;
  const std::string model = (dir.path() / "m.gguf").string();
  ASSERT_EQ(run_program({"make-model", model, "--arch", "glm4moe", "--mtp", "--experts", "8"}).exit_code, 0);
  const auto answer = [&model](const std::vector<std::string>& more) {
    std::vector<std::string> args = {"run",    model, "-p",           "some words", "-n",       "40",
                                     "--temp", "0",   "--ignore-end", "--json",     "--verbose"};
    args.insert(args.end(), more.begin(), more.end());
    return run_program(args);
  };
  const Outcome guessed = answer({});
  const Outcome plain = answer({"--no-draft"});
  ASSERT_EQ(guessed.exit_code, 0) << guessed.err;
  const json::value a = parse(guessed.out), b = parse(plain.out);
  EXPECT_EQ(a.at("ids"), b.at("ids"));
  EXPECT_GT(a.at("stats").at("drafted_tokens").to_number<int>(), 0);
  EXPECT_EQ(b.at("stats").at("drafted_tokens").to_number<int>(), 0);
  constexpr const char* kLayer = "2 layers and one that guesses tokens";
  EXPECT_NE(guessed.err.find(kLayer), std::string::npos) << guessed.err;
  EXPECT_EQ(plain.err.find(kLayer), std::string::npos) << plain.err;
}

TEST(Run, KvTypes) {
  for (const char* type : {"f32", "f16", "bf16", "q8_0", "q4_0"}) {
    const Outcome run = run_program({"run", "-p", "Hello!", "-n", "8", "--kv", type});
    EXPECT_EQ(run.exit_code, 0) << type << run.err;
    EXPECT_NE(run.out, "\n") << type;
  }
}

TEST(Run, OwnTemplate) {
  const TempDir dir;
  const std::string chat =
      dir.write("chat.jinja",
                "{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}")
          .string();
  const Outcome run =
      run_program({"run", "-p", "Hi", "--system", "Be brief", "--template", chat, "-n", "1", "--json"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const json::value ids = parse(run.out).at("prompt_ids");
  std::string text;
  for (const json::value& id : ids.as_array()) text += std::to_string(id.to_number<int>()) + " ";
  EXPECT_EQ(run_program({"detokenize", "guide"}, text).out, "<|bos|>[system] Be brief\n[user] Hi\n\n");
  const std::string broken = dir.write("broken.jinja", "{% if %}").string();
  EXPECT_EQ(not_one_clear_error(run_program({"run", "-p", "Hi", "--template", broken}), 1), "");
}

TEST(Run, InterruptEndsTheAnswer) {
  RunInput input{.args = {"run", "--raw", "-p", "Once upon a time", "--ignore-end", "--context-shift"},
                 .stdin_text = {},
                 .env = {}};
  input.interrupt = true;  // it would go on for ever
  const Outcome run = run_program(input);
  EXPECT_FALSE(run.timed_out);
  EXPECT_EQ(run.exit_code, 130);
  EXPECT_EQ(run.signal, 0);
  EXPECT_EQ(run.err, "");
  EXPECT_TRUE(run.out.ends_with("\n"));
}

TEST(Run, ClosedStdoutIsQuiet) {
  const TempDir dir;
  const std::string err = (dir.path() / "err").string();
  const int status = std::system(
      ("'" CISTERN_PROGRAM "' run -p 'Tell me a story about a brave dog.' 2> '" + err + "' | true").c_str());
  EXPECT_EQ(status, 0);
  EXPECT_EQ(read_text(err), "");
}

}  // namespace
}  // namespace cistern::testing
