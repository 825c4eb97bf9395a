// `cistern chat` through a pipe, as scripts use it: each line a message or a command, only answers come out.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "cli/program.h"
#include "support/fixtures.h"
#include "support/temp_dir.h"

namespace cistern::testing {
namespace {

namespace json = boost::json;

std::string answer_to(const std::string& message) {
  return run_program({"run", "-p", message}).out;
}

int reused_tokens(const std::string& stats) {
  const std::size_t at = stats.rfind(" re-used)");
  if (at == std::string::npos) return 0;
  return std::stoi(stats.substr(stats.rfind('(', at) + 1));
}

TEST(Chat, AnswersLineByLine) {
  const Outcome run = run_program({"chat"}, "Hello!\n");
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.err, "");
  EXPECT_EQ(run.out, answer_to("Hello!"));
}

TEST(Chat, RemembersAndReusesEarlierTurns) {
  json::error_code error;
  const json::value cases = json::parse(read_text(CISTERN_GUIDE_EXPECTED), error).at("cases");
  const json::value& two_turns = cases.as_array()[9];
  const json::array& messages = two_turns.at("messages").as_array();
  ASSERT_EQ(messages.size(), 3U);
  const std::string first(messages[0].at("content").as_string());
  const std::string second(messages[2].at("content").as_string());
  const Outcome run = run_program({"chat"}, first + "\n/stats\n" + second + "\n/stats\n");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const std::size_t stats = run.out.find("load ");
  ASSERT_NE(stats, std::string::npos) << run.out;
  EXPECT_EQ(reused_tokens(run.out.substr(0, run.out.find('\n', stats))), 0);
  EXPECT_GT(reused_tokens(run.out), 20) << run.out;
  EXPECT_NE(run.out.find(std::string(two_turns.at("continuation_text").as_string())), std::string::npos)
      << run.out;
}

TEST(Chat, ResetForgets) {
  const Outcome run = run_program({"chat"}, "Who are you?\n/reset\nHello!\n");
  EXPECT_EQ(run.out, answer_to("Who are you?") + answer_to("Hello!"));
}

TEST(Chat, SaveAndLoad) {
  const TempDir dir;
  const std::string file = (dir.path() / "talk.json").string();
  const Outcome saved =
      run_program({"chat", "--system", "Be kind."}, "Hello!\n/save " + file + "\n/quit\nnever read\n");
  ASSERT_EQ(saved.exit_code, 0) << saved.err;
  json::error_code error;
  const json::value conversation = json::parse(read_text(file), error);
  ASSERT_FALSE(error);
  EXPECT_EQ(conversation.at("model"), json::value("guide"));
  EXPECT_EQ(conversation.at("system"), json::value("Be kind."));
  EXPECT_EQ(conversation.at("messages").as_array().size(), 2U);
  const Outcome direct = run_program({"chat", "--system", "Be kind."}, "Hello!\nWhat is the KV cache?\n");
  const Outcome loaded = run_program({"chat"}, "/load " + file + "\nWhat is the KV cache?\n");
  ASSERT_EQ(loaded.exit_code, 0) << loaded.err;
  EXPECT_EQ(saved.out + loaded.out, direct.out);
}

TEST(Chat, BadConversationFilesAreRefused) {
  const TempDir dir;
  for (const char* text :
       {"", "{}", "[]", "{\"model\": \"\", \"system\": \"\", \"messages\": 1}",
        "{\"model\": \"\", \"system\": \"\", \"messages\": [{\"role\": \"assistant\", \"content\": \"x\"}]}",
        "{\"model\": \"\", \"system\": \"\", \"messages\": [{\"role\": \"user\", \"content\": \"x\"}]}",
        "{\"model\": \"\", \"system\": \"\", \"messages\": [{\"role\": \"user\", \"content\": 1}]}"}) {
    const Outcome run = run_program({"chat"}, "/load " + dir.write("c.json", text).string() + "\n");
    EXPECT_EQ(not_one_clear_error(run, 1), "") << text;
  }
  EXPECT_EQ(not_one_clear_error(run_program({"chat"}, "/load /no/such/file\n"), 1), "");
}

TEST(Chat, CommandsAndTheirErrors) {
  const Outcome help = run_program({"chat"}, "/help\n");
  for (const char* command : {"/help", "/reset", "/system", "/save", "/load", "/stats", "/quit"}) {
    EXPECT_NE(help.out.find(command), std::string::npos) << command;
  }
  const Outcome unknown = run_program({"chat"}, "/sav x\nHello!\n");
  EXPECT_EQ(not_one_clear_error(unknown, 2), "");
  EXPECT_NE(unknown.err.find("did you mean /save?"), std::string::npos) << unknown.err;
  EXPECT_EQ(unknown.out, answer_to("Hello!"));  // the chat goes on
  EXPECT_EQ(not_one_clear_error(run_program({"chat"}, "/save\n"), 2), "");
  EXPECT_EQ(not_one_clear_error(run_program({"chat"}, "/quit now\n"), 2), "");
  EXPECT_EQ(not_one_clear_error(run_program({"chat"}, "caf\xE9\n"), 1), "");
}

TEST(Chat, MessagesOfManyLines) {
  const std::string expected = answer_to("What is\nthe KV cache?");
  EXPECT_EQ(run_program({"chat"}, "What is\\\nthe KV cache?\n").out, expected);
  EXPECT_EQ(run_program({"chat"}, "\"\"\"\nWhat is\nthe KV cache?\n\"\"\"\n").out, expected);
  EXPECT_EQ(run_program({"chat"}, "\"\"\"What is\nthe KV cache?\"\"\"\n").out, expected);
}

TEST(Chat, FullContextIsSaidClearly) {
  const Outcome run = run_program({"chat", "--ctx", "40"}, "Hello!\nWhat is the KV cache?\nWho are you?\n");
  EXPECT_EQ(run.signal, 0);
  EXPECT_NE((run.out + run.err).find("context"), std::string::npos);
}

}  // namespace
}  // namespace cistern::testing
