#include "text/chat_template.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <map>

#include "support/fixtures.h"
#include "text/template_request.h"

namespace cistern::text {
namespace {

using boost::json::object;

jinja::LocalTime fixture_time() {
  using namespace std::chrono_literals;
  return std::chrono::local_days(std::chrono::year(2026) / 3 / 7) + 14h + 5min + 9s;
}

jinja::Template parse(std::string_view source) {
  Result<jinja::Template> parsed = jinja::Template::parse(source, "test");
  EXPECT_TRUE(parsed) << describe(parsed.error());
  return *std::move(parsed);
}

Result<std::string> request(std::string_view json, const TemplateRequestDefaults& defaults = {}) {
  return render_request(boost::json::parse(json).as_object(), defaults);
}

// Vendors' templates on conversations of many kinds, as transformers renders them.
TEST(ChatTemplate, VendorsTemplates) {
  const auto fixtures = testing::require_shared_fixtures();
  if (!fixtures) GTEST_SKIP() << testing::kNoSharedFixtures;
  const auto folder = *fixtures / "templates/chat";
  std::map<std::string, jinja::Template, std::less<>> templates;
  int rendered = 0;
  int refused = 0;
  for (const std::string& line : testing::read_lines(folder / "cases.jsonl")) {
    if (line.empty()) continue;
    const object test_case = boost::json::parse(line).as_object();
    const std::string file(test_case.at("template_file").as_string());
    auto found = templates.find(file);
    if (found == templates.end()) {
      found = templates.emplace(file, parse(testing::read_text(folder / "templates" / file))).first;
    }
    const Result<std::string> got =
        render_request(test_case, {.model_template = &found->second, .now = fixture_time()});
    if (test_case.contains("error")) {
      ++refused;
      EXPECT_FALSE(got) << file << ": " << test_case.at("name") << "\nrendered: " << *got;
      if (!got && test_case.at("error_type").as_string() == "TemplateError") {
        EXPECT_EQ(got.error().message, std::string_view(test_case.at("message").as_string()));
      }
      continue;
    }
    ++rendered;
    ASSERT_TRUE(got) << file << ": " << test_case.at("name") << "\n" << describe(got.error());
    EXPECT_EQ(*got, std::string_view(test_case.at("expected").as_string()))
        << file << ": " << test_case.at("name");
  }
  EXPECT_EQ(rendered, 1339);
  EXPECT_EQ(refused, 135);
}

TEST(ChatTemplate, PassesTheVariablesThatTransformersPasses) {
  const jinja::Template shows = parse(
      "{{ messages|length }} {{ tools }} {{ documents is defined }} {{ add_generation_prompt }} {{ bos_token "
      "}}"
      "[{{ eos_token }}] {{ flag }}");
  ChatInput input;
  input.messages = boost::json::parse(R"([{"role": "user"}])").as_array();
  input.tools = boost::json::value(nullptr);
  input.bos_token = "<s>";
  input.extra = {{"flag", 3}};
  const Result<std::string> got = render_chat(shows, input);
  ASSERT_TRUE(got) << describe(got.error());
  EXPECT_EQ(*got, "1 None False True <s>[] 3");
}

TEST(ChatTemplate, RefusesInputThatIsNotUtf8OrTooDeep) {
  const jinja::Template any = parse("{{ messages }}");
  ChatInput input;
  input.messages = {boost::json::value(boost::json::string("a\xFF"))};
  EXPECT_FALSE(render_chat(any, input));
  boost::json::value deep = 1;
  for (int i = 0; i < 500; ++i) deep = boost::json::array{deep};
  input.messages = {deep};
  EXPECT_FALSE(render_chat(any, input));
}

TEST(FromJson, NumbersKeepTheirKind) {
  EXPECT_EQ(
      request(
          R"({"template": "{{ x }}", "context": {"x": [1, 1.0, -0.0, 18446744073709551615, true, null]}})")
          .value(),
      "[1, 1.0, -0.0, 18446744073709551615, True, None]");
}

TEST(TemplateRequest, ContextTakesNullAsNoneAndAbsentAsUndefined) {
  EXPECT_EQ(request(R"({"template": "{{ x }}|{{ y }}", "context": {"x": null}})").value(), "None|");
}

TEST(TemplateRequest, DefaultsAreThoseOfTransformers) {
  const std::string shows =
      R"("template": "{{ tools }} {{ documents is defined }} {{ add_generation_prompt }} {{ bos_token }}")";
  EXPECT_EQ(request("{" + shows + R"(, "messages": []})", {.bos_token = "<b>"}).value(),
            "None True False <b>");
  EXPECT_EQ(
      request("{" + shows +
                  R"(, "messages": [], "omit_none": true, "add_generation_prompt": true, "bos_token": null})",
              {.bos_token = "<b>"})
          .value(),
      " False True ");
}

TEST(TemplateRequest, ChoosesTheTemplate) {
  const jinja::Template model = parse("model");
  EXPECT_EQ(request(R"({"context": {}})", {.model_template = &model}).value(), "model");
  EXPECT_EQ(request(R"({"context": {}})", {.model_template = &model, .template_file_source = "file"}).value(),
            "file");
  EXPECT_EQ(request(R"({"template": "own", "context": {}})", {.template_file_source = "file"}).value(),
            "own");
}

TEST(TemplateRequest, MalformedRequestsAreUsageErrors) {
  for (const std::string_view bad :
       {R"({"context": {}})", R"({"template": 1, "context": {}})", R"({"template": "x"})",
        R"({"template": "x", "messages": {}})", R"({"template": "x", "context": []})",
        R"({"template": "x", "messages": [], "bos_token": 1})",
        R"({"template": "x", "messages": [], "extra": 1})",
        R"({"template": "x", "messages": [], "add_generation_prompt": "no"})"}) {
    const Result<std::string> got = request(bad);
    ASSERT_FALSE(got) << bad;
    EXPECT_EQ(got.error().code, ErrorCode::kUsage) << bad;
  }
}

}  // namespace
}  // namespace cistern::text
