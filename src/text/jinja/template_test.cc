#include "text/jinja/template.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <thread>
#include <vector>

#include "text/chat_template.h"

namespace cistern::text::jinja {
namespace {

Result<std::string> render(std::string_view source, std::string_view context = "{}") {
  CISTERN_TRY(const Template parsed, Template::parse(source, "t"));
  return render_context(parsed, boost::json::parse(context).as_object(), LocalTime());
}

std::string text_of(std::string_view source, std::string_view context = "{}") {
  const Result<std::string> got = render(source, context);
  return got ? *got : "ERROR " + describe(got.error());
}

TEST(Template, ErrorsNameTemplateLineAndConstruct) {
  const Result<std::string> syntax = render("a\n{% if x %}\n{{ 1 + }}{% endif %}");
  ASSERT_FALSE(syntax);
  EXPECT_EQ(syntax.error().code, ErrorCode::kTemplate);
  EXPECT_EQ(syntax.error().where, "t:3");

  const Result<std::string> runtime = render("\n\n{{ 'a' }}\n{% set y = messages[0].content %}");
  ASSERT_FALSE(runtime);
  EXPECT_EQ(runtime.error().where, "t:4");
  EXPECT_EQ(runtime.error().message, "'messages' is undefined");

  const Result<std::string> filter = render("{{ 'x' | nosuch }}");
  ASSERT_FALSE(filter);
  EXPECT_NE(filter.error().message.find("nosuch"), std::string::npos);
}

TEST(Template, ParseErrorsCountInBranchesThatNeverRun) {
  EXPECT_FALSE(render("{% if false %}{{ 1 + }}{% endif %}"));
  EXPECT_FALSE(render("{% if false %}{% for x in y %}{{ x | nosuch }}{% endfor %}{% endif %}"));
  EXPECT_EQ(text_of("{% if false %}{{ x | nosuch }}{% endif %}ok"),
            "ok");  // as Jinja: looked up when reached
}

TEST(Template, RefusesTextThatIsNotUtf8) {
  const Result<Template> bad = Template::parse("ab\xFF{{ 1 }}", "t");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, ErrorCode::kTemplate);
  EXPECT_NE(bad.error().message.find("byte 2"), std::string::npos);
}

TEST(Template, OneTemplateServesManyThreads) {
  const Result<Template> shared = Template::parse(
      "{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + m.n %}{{ m.role ~ ns.n }};{% "
      "endfor %}",
      "t");
  ASSERT_TRUE(shared);
  const boost::json::object context =
      boost::json::parse(R"({"messages": [{"role": "a", "n": 1}, {"role": "b", "n": 2}]})").as_object();
  std::vector<std::string> results(4);
  std::vector<std::thread> threads;
  for (std::string& result : results) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) result = render_context(*shared, context, LocalTime()).value_or("error");
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& result : results) EXPECT_EQ(result, "a1;b3;");
}

TEST(Template, ScopesFollowJinjasCompiler) {
  EXPECT_EQ(text_of("{% macro f() %}[{{ x }}]{% endmacro %}{{ f() }}{% set x = 1 %}{{ f() }}", R"({"x": 5})"),
            "[][1]");
  EXPECT_EQ(text_of("{% for i in [1, 2] %}{% if i == 1 %}{% set y = i %}{% endif %}[{{ y }}]{% endfor %}",
                    R"({"y": 7})"),
            "[1][7]");
  EXPECT_EQ(text_of("{% for i in [1] %}{% continue %}{% else %}E{% endfor %}"), "E");
}

TEST(Template, NothingThatHoldsItselfLeaks) {  // the leak checker of the sanitizer build watches
  EXPECT_EQ(text_of("{% set ns = namespace() %}{% set ns.self = ns %}{% macro m() %}{% endmacro %}{% set "
                    "ns.m = m %}ok"),
            "ok");
  EXPECT_EQ(text_of("{% for i in [1] %}{{ loop.changed(loop) }}{% endfor %}"), "True");
}

TEST(Template, SandboxKeepsMutatorsAndInternalsAway) {
  for (const std::string_view source :
       {"{{ [].append(1) }}", "{{ {}.update({}) }}", "{{ ''.__class__.__mro__ }}", "{{ [].__len__() }}",
        "{% set ns = namespace() %}{% set ns._x = 1 %}"}) {
    EXPECT_FALSE(render(source)) << source;
  }
}

TEST(Template, ConstructsWithoutSupportAreErrorsWhereTheyAreReached) {
  for (const std::string_view source :
       {"{% include 'x' %}", "{% extends 'x' %}", "{{ [1, 2] | random }}", "{{ [1] | map('upper') }}",
        "{{ range }}", "{{ (-8) ** 0.5 }}", "{{ self.b() }}", "{{ 'http://a.com' | urlize }}"}) {
    EXPECT_FALSE(render(source)) << source;
  }
  EXPECT_EQ(text_of("{% if false %}{% include 'x' %}{% endif %}ok"), "ok");
}

}  // namespace
}  // namespace cistern::text::jinja
