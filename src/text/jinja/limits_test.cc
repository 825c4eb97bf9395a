// Hostile templates: each must end as an error, soon and without much memory.
#include "text/jinja/limits.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "text/jinja/template.h"

namespace cistern::text::jinja {
namespace {

std::string repeat(std::string_view text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

// The error of parsing or rendering, "" when there is none.
std::string error_of(std::string_view source, const Limits& limits = {}) {
  const Result<Template> parsed = Template::parse(source, "t", limits);
  if (!parsed) return describe(parsed.error());
  const Result<std::string> text = parsed->render(constant_dict({}));
  return text ? "" : describe(text.error());
}

void expect_error(std::string_view source, std::string_view part, const Limits& limits = {}) {
  EXPECT_NE(error_of(source, limits).find(part), std::string::npos) << source.substr(0, 100) << "\n"
                                                                    << error_of(source, limits);
}

TEST(Limits, Steps) {
  expect_error("{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
               "runs too long");
  expect_error(
      "{% set a = 'a' * 1000000 %}{% for i in range(100000) %}{{ a.find('a' * 1000 ~ 'b') }}{% endfor %}",
      "runs too long");
  // Lists that share their parts are small, but the tree they spell is not.
  expect_error(
      "{% set a = namespace(x=[1]) %}{% set b = namespace(x=[1]) %}{% for i in range(60) %}"
      "{% set a.x = [a.x, a.x] %}{% set b.x = [b.x, b.x] %}{% endfor %}{{ a.x == b.x }}",
      "runs too long");
  expect_error("{{ 1 }}{{ 2 }}{{ 3 }}", "runs too long", {.max_steps = 3});
}

TEST(Limits, Memory) {
  for (const std::string_view source :
       {"{{ 'x' | center(10**12) }}", "{{ 'x'.ljust(10**11) }}", "{{ 'x'.zfill(10**11) }}",
        "{{ '%*d' % (10**9, 1) }}", "{{ [0] * 10**10 }}", "{{ ('a' * 100000) | replace('', 'b' * 100000) }}",
        "{{ [1] | batch(10**10, 0) | list }}", "{{ [1] | slice(10**10) | list }}",
        "{{ [[1]] | tojson(indent=10**9) }}", "{{ ('y' * 100000) | join('x' * 100000) }}",
        "{{ '\t'.expandtabs(10**10) }}", "{{ ('<' * 8000000) | e }}",
        "{% set ns = namespace(x='aaaaaaaaaaaaaaaa') %}{% for i in range(100) %}{% set ns.x = ns.x + ns.x "
        "%}{% endfor %}",
        "{% set ns = namespace(x=[1]) %}{% for i in range(100) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
        "{% set ns = namespace(x=[]) %}{% for i in range(90000) %}{% set ns.x = ns.x + ['y' * 100000] %}{% "
        "endfor %}"}) {
    expect_error(source, "too much memory");
  }
  expect_error("{{ '%99999999999d' | format(1) }}", "too big");
  expect_error("{{ '{:99999999999}'.format(1) }}", "Too many decimal digits");
}

TEST(Limits, MemoryOfDeadValuesIsGivenBack) {
  EXPECT_EQ(error_of("{% for i in range(100) %}{% set x = 'y' * 1000000 %}{% endfor %}"), "");
}

TEST(Limits, Output) {
  expect_error("{% for i in range(100000) %}{{ 'x' * 10000 }}{% endfor %}", "too much text");
  expect_error(
      "{% macro f(n) %}{% set q %}{{ 'x' * 1000000 }}{{ f(n + 1) }}{% endset %}{% endmacro %}{{ f(0) }}",
      "too much text");
  expect_error("12345", "too much text", {.max_output_bytes = 4});
}

TEST(Limits, Recursion) {
  expect_error("{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}", "too deeply");
  expect_error("{% for x in [[[]]] recursive %}{{ loop([x]) }}{% endfor %}", "too deeply");
  expect_error("{% set ns = namespace() %}{% set ns.a = ns %}{{ ns }}", "too deeply");
  expect_error("{% set ns = namespace(x=[]) %}{% for i in range(1000) %}{% set ns.x = [ns.x] %}{% endfor %}",
               "too deeply");
  expect_error(
      "{% set ns = namespace(x=[1]) %}{% for i in range(1000) %}{% set ns.x = ns.x | map('upper') %}{% "
      "endfor %}",
      "too deeply");
}

TEST(Limits, Nesting) {
  constexpr int kDeep = 20'000;
  expect_error("{{ " + repeat("(", kDeep), "too deeply");
  expect_error("{{ " + repeat("[", kDeep), "too deeply");
  expect_error("{{ " + repeat("{1: ", kDeep), "too deeply");
  expect_error("{{ " + repeat("not ", kDeep) + "1 }}", "too deeply");
  expect_error("{{ " + repeat("- ", kDeep) + "1 }}", "too deeply");
  expect_error("{{ 1" + repeat(" + 1", kDeep) + " }}", "too deeply");
  expect_error("{{ x" + repeat(".a", kDeep) + " }}", "too deeply");
  expect_error("{{ 'a'" + repeat("|upper", kDeep) + " }}", "too deeply");
  expect_error("{{ 1" + repeat(" if 1 else 1", kDeep) + " }}", "too deeply");
  expect_error(repeat("{% if true %}", kDeep), "too deeply");
  expect_error(repeat("{% macro a() %}", kDeep), "too deeply");
  EXPECT_EQ(error_of("{{ 1" + repeat(" ~ 1", kDeep) + " }}"), "");  // flat
  EXPECT_EQ(error_of("{% if 0 %}" + repeat("{% elif 0 %}", kDeep) + "{% endif %}"), "");
}

TEST(Limits, SourceAndNumbers) {
  expect_error(std::string(600'000, 'x'), "too long");
  expect_error("{{ 10 ** 10 ** 10 }}", "integer too large");
  expect_error("{{ range(10**12) }}", "Range too big");
  expect_error("{{ '" + std::string(1000, '9') + "' | int }}", "integer too large");
}

// Many names and many ifs: analysing the scopes stays linear.
TEST(Limits, LargeFlatTemplates) {
  std::string source;
  for (int i = 0; i < 8000; ++i)
    source += fmt::format("{{{{ a{0} }}}}{{% if a{0} %}}{{% set b{0} = 1 %}}{{% endif %}}", i);
  EXPECT_EQ(error_of(source), "");
}

}  // namespace
}  // namespace cistern::text::jinja
