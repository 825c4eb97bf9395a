#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <random>

#include "support/fixtures.h"
#include "text/answer/answer_parser.h"
#include "text/answer/deltas_test.h"
#include "text/utf8.h"

namespace cistern::text {
namespace {

namespace json = boost::json;

std::string trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1));
}

struct Case {
  std::string title;
  const Format* format = nullptr;
  std::string output;
  json::object expected;
};

struct Fixtures {
  ToolSet tools;
  std::vector<Case> cases;
};

std::optional<Fixtures> read_fixtures() {
  const auto fixtures = testing::require_shared_fixtures();
  if (!fixtures) return std::nullopt;
  const auto folder = *fixtures / "templates/tools";
  Fixtures out{.tools = ToolSet(json::parse(testing::read_text(folder / "tools.json")).as_array()),
               .cases = {}};
  for (const std::string& line : testing::read_lines(folder / "cases.jsonl")) {
    if (line.empty()) continue;
    const json::object test_case = json::parse(line).as_object();
    const std::string format(test_case.at("format").as_string());
    out.cases.push_back({.title = format + ": " + std::string(test_case.at("name").as_string()),
                         .format = format_named(format),
                         .output = std::string(test_case.at("output").as_string()),
                         .expected = test_case.at("expected").as_object()});
    const bool lenient = test_case.contains("optional");
    if (lenient) out.cases.back().expected["optional"] = true;
  }
  return out;
}

// Of the cases that are read leniently the text may come back instead.
bool is_given_back(const Answer& answer, const Case& test_case) {
  return answer.calls.empty() && trimmed(answer.content) == trimmed(test_case.output);
}

void expect_answer(const Answer& answer, const Case& test_case) {
  if (test_case.expected.contains("optional") && is_given_back(answer, test_case)) return;
  EXPECT_EQ(trimmed(answer.content), trimmed(test_case.expected.at("content").as_string()));
  EXPECT_EQ(trimmed(answer.reasoning), trimmed(test_case.expected.at("reasoning_content").as_string()));
  const json::array& calls = test_case.expected.at("tool_calls").as_array();
  ASSERT_EQ(answer.calls.size(), calls.size());
  for (std::size_t i = 0; i < calls.size(); ++i) {
    EXPECT_EQ(answer.calls[i].name, std::string_view(calls[i].at("name").as_string()));
    EXPECT_EQ(json::parse(answer.calls[i].arguments), calls[i].at("arguments"));
    if (const json::value* id = calls[i].as_object().if_contains("id")) {
      EXPECT_EQ(answer.calls[i].id, std::string_view(id->as_string()));
    }
  }
}

TEST(AnswerFixtures, AreReadAsExpected) {
  const auto fixtures = read_fixtures();
  if (!fixtures) GTEST_SKIP() << testing::kNoSharedFixtures;
  EXPECT_GE(fixtures->cases.size(), 200U);
  for (const Case& test_case : fixtures->cases) {
    SCOPED_TRACE(test_case.title);
    ASSERT_NE(test_case.format, nullptr);
    expect_answer(parse_answer({.format = test_case.format, .tools = fixtures->tools}, test_case.output),
                  test_case);
  }
}

// However the text is cut, also inside characters: the same reasoning, content and complete calls.
TEST(AnswerFixtures, AreReadTheSameInPieces) {
  const auto fixtures = read_fixtures();
  if (!fixtures) GTEST_SKIP() << testing::kNoSharedFixtures;
  std::mt19937 random(7);
  for (const Case& test_case : fixtures->cases) {
    SCOPED_TRACE(test_case.title);
    const AnswerOptions options{.format = test_case.format, .tools = fixtures->tools};
    const Answer whole = parse_answer(options, test_case.output);
    for (int most : {1, 2, 5, 9, 30, 30, 30}) {
      std::vector<std::string> pieces;
      for (std::size_t at = 0; at < test_case.output.size();) {
        const std::size_t size = most == 1 ? 1 : 1 + random() % static_cast<unsigned>(most);
        pieces.push_back(test_case.output.substr(at, size));
        at += size;
      }
      const Streamed streamed = stream(options, pieces);
      EXPECT_EQ(streamed.answer, whole);
      EXPECT_EQ(streamed.problem, "");
    }
  }
}

// A template that the fixtures have tells the format that they name.
TEST(AnswerFixtures, FormatsAreDetected) {
  const auto fixtures = testing::require_shared_fixtures();
  if (!fixtures) GTEST_SKIP() << testing::kNoSharedFixtures;
  const auto folder = *fixtures / "templates";
  int detected = 0;
  for (const std::string& line : testing::read_lines(folder / "tools/cases.jsonl")) {
    if (line.empty()) continue;
    const json::object test_case = json::parse(line).as_object();
    if (test_case.at("template_file").is_null()) continue;
    const auto file = folder / "chat/templates" / std::string(test_case.at("template_file").as_string());
    if (!std::filesystem::exists(file)) continue;
    ++detected;
    EXPECT_EQ(detect_format(testing::read_text(file)).name,
              std::string_view(test_case.at("format").as_string()))
        << file;
  }
  EXPECT_GT(detected, 0);
}

}  // namespace
}  // namespace cistern::text
