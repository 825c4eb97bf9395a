// cistern parse, as those who check it call it.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <sstream>

#include "cli/program.h"
#include "support/temp_dir.h"

namespace cistern::testing {
namespace {

namespace json = boost::json;

std::vector<json::object> parsed(const std::string& input) {
  const Outcome run = run_program({"parse", "--jsonl"}, input);
  EXPECT_EQ(run.exit_code, 0) << run.err;
  std::vector<json::object> answers;
  std::istringstream lines(run.out);
  for (std::string line; std::getline(lines, line);) answers.push_back(json::parse(line).as_object());
  return answers;
}

constexpr const char* kTools =
    R"("tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}])";

TEST(Parse, ReadsByNameOrByTemplate) {
  const TempDir dir;
  const std::string file = dir.write("t.jinja", "{{ messages }}[TOOL_CALLS][ARGS]").string();
  const auto answers = parsed(
      std::string(R"({"format": "hermes", )") + kTools +
      R"(, "output": "<think>a</think>b<tool_call>{\"name\": \"f\", \"arguments\": {\"x\": 1.0, \"y\": 1}}</tool_call>"})"
      "\n"
      R"({"template_file": ")" +
      file + "\", " + kTools + R"(, "output": "[TOOL_CALLS]f[ARGS]{}"})" + "\n" +
      R"({"output": "<tool_call> alone"})" + "\n");
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_EQ(json::value(answers[0]), json::parse(R"({"content": "b", "reasoning_content": "a", "tool_calls":
      [{"name": "f", "arguments": {"x": 1.0, "y": 1}, "id": ""}]})"));
  EXPECT_TRUE(answers[0].at("tool_calls").at(0).at("arguments").at("x").is_double());
  EXPECT_EQ(answers[1].at("tool_calls").as_array().size(), 1U);
  EXPECT_EQ(answers[2].at("content"), json::value("<tool_call> alone"));
}

TEST(Parse, LinesThatCannotBeReadGetErrors) {
  const auto answers = parsed(
      "{\"format\": \"no such\", \"output\": \"\"}\n{\"format\": \"hermes\"}\n{\"output\": 3}\n"
      "{\"output\": \"\", \"tools\": 3}\n{\"template_file\": \"/no/such/file\", \"output\": \"\"}\n[]\n");
  ASSERT_EQ(answers.size(), 6U);
  for (const json::object& answer : answers) EXPECT_TRUE(answer.contains("error")) << json::serialize(answer);
}

}  // namespace
}  // namespace cistern::testing
