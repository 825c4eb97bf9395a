// The language against Jinja2 itself: tests/data/templates/language.jsonl holds templates and what
// Jinja2 3.1.6 made of them in transformers' environment.
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "support/fixtures.h"
#include "text/chat_template.h"

namespace cistern::text::jinja {
namespace {

LocalTime fixture_time() {
  using namespace std::chrono_literals;
  return std::chrono::local_days(std::chrono::year(2026) / 3 / 7) + 14h + 5min + 9s;
}

Result<std::string> render(const boost::json::object& test_case) {
  CISTERN_TRY(const Template parsed, Template::parse(test_case.at("template").as_string(), "case"));
  return render_context(parsed, test_case.at("context").as_object(), fixture_time());
}

TEST(Language, DoesAsJinja2Does) {
  int core = 0;
  int rare = 0;
  int refused_rare = 0;
  int errors = 0;
  for (const std::string& line : testing::read_lines(testing::data_dir() / "templates/language.jsonl")) {
    if (line.empty()) continue;
    const boost::json::object test_case = boost::json::parse(line).as_object();
    const Result<std::string> got = render(test_case);
    if (test_case.contains("error")) {
      ++errors;
      EXPECT_FALSE(got) << line << "\nrendered: " << *got;
      continue;
    }
    const std::string_view expected = test_case.at("expected").as_string();
    const bool is_core = test_case.at("level").as_string() == "core";
    ++(is_core ? core : rare);
    if (!got && !is_core) {
      ++refused_rare;  // allowed, but kept in check below
      continue;
    }
    ASSERT_TRUE(got) << line << "\n" << describe(got.error());
    EXPECT_EQ(*got, expected) << line;
  }
  EXPECT_EQ(core, 210);
  EXPECT_EQ(rare, 104);
  EXPECT_EQ(errors, 57);
  EXPECT_LE(refused_rare, 2);  // urlize of a link, str.encode
}

TEST(Language, RaisedMessagesReachTheCaller) {
  for (const std::string& line : testing::read_lines(testing::data_dir() / "templates/language.jsonl")) {
    if (line.find("raise_exception('bad: ' ~ 1)") == std::string::npos) continue;
    const Result<std::string> got = render(boost::json::parse(line).as_object());
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().message, "bad: 1");
    return;
  }
  FAIL() << "the case is gone";
}

}  // namespace
}  // namespace cistern::text::jinja
