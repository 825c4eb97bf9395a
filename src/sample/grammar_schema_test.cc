// JSON Schemas: whatever a random walk through the masks writes satisfies the schema, by a validator that
// knows nothing of grammars; listed values can be written in any tokens, others cannot.
#include <gtest/gtest.h>

#include "sample/grammar_test.h"
#include "sample/schema_validator_test.h"

namespace cistern::sample {
namespace {

namespace json = boost::json;

const GrammarFixture& fixture() {
  static const GrammarFixture made;
  return made;
}

struct Case {
  const char* schema;
  std::vector<std::string> admitted, refused;
};

const std::vector<Case>& value_cases() {
  static const std::vector<Case> all = {
      {R"({"type":"string"})",
       {R"("")", R"("abc xyz")", R"("\"\\\/\b\f\n\r\t\u0041\ud83d\ude00é中😀")"},
       {R"(abc)", R"("abc)", "\"\n\"", R"("\x")", R"("\ud83d")", R"("\ude00")", "\"\xC3\"", "1", R"("a" )"}},
      {R"({"type":"string","minLength":2,"maxLength":4})",
       {R"("ab")", R"("é中😀a")", R"("\u0041\n")"},
       {R"("a")", R"("abcde")", R"("\u0041")"}},
      {R"({"type":"string","minLength":12})", {R"("aaaaaaaaaaaaaaaaaaaaaaaaaaaaa")"}, {R"("aaaaaaaaaaa")"}},
      {R"({"type":"string","maxLength":0})", {R"("")"}, {R"("a")"}},
      {R"({"type":"string","maxLength":1000000000})", {R"("a")"}, {}},
      {R"({"type":"string","pattern":"^[a-z]+-\\d{2,3}$"})",
       {R"("ab-12")", R"("x-123")"},
       {R"("ab-1")", R"("AB-12")", R"("ab-1234")"}},
      {R"({"type":"string","pattern":"b+c"})", {R"("bc")", R"("xxbbbc\"yy\n")"}, {R"("b")", R"("xyz")"}},
      {R"({"type":"string","pattern":"^(abc)*$","maxLength":7})",
       {R"("")", R"("abcabc")"},
       {R"("abcabcabc")", R"("ab")"}},
      {R"({"type":"string","pattern":"^\\S+ \\w*[^\\x00-\\x7f]$"})",
       {R"("a é")", R"("a ab中")"},
       {R"("a a")"}},
      {R"({"type":"integer"})", {"0", "-1", "123", "12300"}, {"01", "-0", "1.0", "1e3", "\"1\"", "+1"}},
      {R"({"type":"number"})", {"0", "-0.5", "1.25e+10", "123E-2"}, {".5", "1.", "01", "1e", "--1"}},
      {R"({"type":"integer","minimum":-12,"maximum":123})",
       {"-12", "-9", "0", "99", "100", "123"},
       {"-13", "-20", "124", "200", "1000", "-100"}},
      {R"({"type":"integer","exclusiveMinimum":0,"exclusiveMaximum":10.5})",
       {"1", "9", "10"},
       {"0", "11", "-1"}},
      {R"({"type":"integer","minimum":1995,"maximum":2012})",
       {"1995", "1999", "2000", "2012"},
       {"1994", "2013", "199", "20000"}},
      {R"({"type":"integer","minimum":7})", {"7", "10", "123456789"}, {"6", "-7", "0"}},
      {R"({"type":"integer","maximum":-7})", {"-7", "-10", "-1234"}, {"-6", "7", "0"}},
      {R"({"type":"integer","minimum":1.5,"maximum":2.5})", {"2"}, {"1", "3"}},
      {R"({"type":"number","minimum":0,"maximum":1})",
       {"0", "1", "0.5", "1.0", "0.0001"},
       {"-0.1", "1.01", "1.1", "2", "10"}},
      {R"({"type":"number","exclusiveMinimum":0.25,"exclusiveMaximum":12.5})",
       {"0.26", "0.2501", "1", "12.49", "9.9"},
       {"0.25", "0.250", "12.5", "12.50", "0.1", "13"}},
      {R"({"type":"number","minimum":-1.5,"maximum":-0.25})",
       {"-1.5", "-1", "-0.25", "-0.3"},
       {"-1.6", "-0.2", "1", "0"}},
      {R"({"type":"number","multipleOf":0.01,"minimum":0})", {"0", "0.5", "12.25"}, {"0.125", "-1"}},
      {R"({"type":"integer","minimum":9007199254740993})", {"9007199254740993"}, {"9007199254740992"}},
      {R"({"type":"boolean"})", {"true", "false"}, {"True", "null"}},
      {R"({"type":["string","null","integer"]})", {"null", "12", "\"\""}, {"true", "1.5", "[]"}},
      {R"({"enum":["red","green","a\"b\n",1,-2.5,null,true,[1,{"a":2}],{}]})",
       {R"("red")", R"("a\"b\n")", "1", "-2.5", "null", "[1,{\"a\":2}]", "[1, {\"a\": 2}]", "{}"},
       {R"("blue")", "2", "[1]", R"("re")"}},
      {R"({"type":"string","enum":["a","bb",3],"minLength":2})", {R"("bb")"}, {R"("a")", "3"}},
      {R"({"const":{"a":[1,2]}})", {R"({"a":[1,2]})", R"({"a": [1, 2]})"}, {R"({"a":[1]})"}},
      {"{}", {"1", "{}", R"([{"a":null}])", R"("x")"}, {"", "nil"}},
      {"true", {"1"}, {"x"}},
  };
  return all;
}

const std::vector<Case>& structure_cases() {
  static const std::vector<Case> all = {
      {R"({"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"}},"required":["name","age"]})",
       {R"({"name":"abc","age":12})", "{\"name\": \"abc\", \"age\": 12}",
        "{\n  \"name\": \"abc\",\n  \"age\": 12\n}"},
       {R"({"age":12,"name":"abc"})", R"({"name":"abc"})", R"({"name":"abc","age":12,"x":1})", R"({})",
        "{     \"name\":\"abc\",\"age\":1}"}},
      {R"({"type":"object","properties":{"a":{"type":"null"},"b":{"type":"null"},"c":{"type":"null"}},"required":["b"]})",
       {R"({"b":null})", R"({"a":null,"b":null})", R"({"b":null,"c":null})",
        R"({"a":null,"b":null,"c":null})"},
       {R"({})", R"({"a":null})", R"({"a":null,"c":null})", R"({,"b":null})", R"({"b":null,})"}},
      {R"({"type":"object","properties":{"a":{"type":"null"},"b":{"type":"null"}},"minProperties":1})",
       {R"({"a":null})", R"({"b":null})", R"({"a":null,"b":null})"},
       {"{}"}},
      {R"({"type":"object","properties":{"a":{},"b":{},"c":{}},"required":["c"],"maxProperties":2})",
       {R"({"c":1})", R"({"a":1,"c":1})", R"({"b":1,"c":1})"},
       {R"({"a":1,"b":1,"c":1})", R"({"a":1,"b":1})"}},
      {R"({"type":"object","additionalProperties":{"type":"integer"},"maxProperties":2})",
       {"{}", R"({"a":1})", R"({"a":1,"b":2})"},
       {R"({"a":1,"b":2,"c":3})", R"({"a":"1"})"}},
      {R"({"type":"object","properties":{"ab":{"type":"null"}},"additionalProperties":{"type":"integer"}})",
       {"{}", R"({"ab":null,"a":1,"abc":2})", R"({"b":1})"},
       {R"({"ab":1})", R"({"a":null})", R"({"b":1,"ab":null})"}},
      {R"({"type":"object","properties":{"a":{}},"required":["a"],"additionalProperties":true})",
       {R"({"a":1})", R"({"a":1,"xyz":[]})"},
       {"{}", R"({"b":1})"}},
      {R"({"type":"object","patternProperties":{"^x-":{"type":"string"},"^[0-9]+$":{"type":"integer"}},"additionalProperties":false})",
       {"{}", R"({"x-a":"b"})", R"({"12":3,"x-":""})"},
       {R"({"a":1})", R"({"x-a":1})", R"({"12":"3"})"}},
      {R"({"type":"object","properties":{"x-1":{"maxLength":2}},"patternProperties":{"^x-":{"type":"string"}},"additionalProperties":{"type":"null"}})",
       {R"({"x-1":"ab"})", R"({"x-1":"a","x-2":"abcdef","y":null})"},
       {R"({"x-1":"abc"})", R"({"x-1":1})", R"({"y":1})"}},
      {R"({"type":"object","propertyNames":{"enum":["red","green"]},"additionalProperties":{"type":"integer"}})",
       {R"({"red":1})", R"({"green":1,"red":2})"},
       {R"({"blue":1})"}},
      {R"({"type":"object"})", {"{}", R"({"a":{"b":[1,"x"]}})"}, {"[]", "1"}},
      {R"({"type":"array"})", {"[]", R"([1,"a",[{}]])"}, {"{}"}},
      {R"({"type":"array","items":{"type":"integer"},"minItems":2,"maxItems":3})",
       {"[1,2]", "[1, 2, 3]"},
       {"[]", "[1]", "[1,2,3,4]", "[1,\"2\"]", "[1,2,]"}},
      {R"({"type":"array","items":{"type":"boolean"},"maxItems":0})", {"[]"}, {"[true]"}},
      {R"({"type":"array","items":{"enum":["ab"]},"minItems":3})",
       {R"(["ab","ab","ab","ab"])"},
       {R"(["ab","ab"])"}},
      {R"({"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"items":{"type":"null"}})",
       {"[]", "[1]", R"([1,"a"])", R"([1,"a",null,null])"},
       {R"(["a"])", R"([1,2])", R"([1,"a",1])"}},
      {R"({"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"items":false,"minItems":2})",
       {R"([1,"a"])"},
       {"[1]", R"([1,"a",null])", "[]"}},
      {R"({"anyOf":[{"type":"integer"},{"type":"array","items":{"$ref":"#"},"maxItems":2}]})",
       {"1", "[]", "[1,[2,[3]]]"},
       {"\"a\"", "[1,2,3]"}},
      {R"({"$defs":{"node":{"type":"object","properties":{"v":{"type":"integer"},"next":{"anyOf":[{"$ref":"#/$defs/node"},{"type":"null"}]}},"required":["v","next"]}},"$ref":"#/$defs/node"})",
       {R"({"v":1,"next":null})", R"({"v":1,"next":{"v":2,"next":{"v":3,"next":null}}})"},
       {R"({"v":1})", "null"}},
      {R"({"allOf":[{"type":"object","properties":{"a":{"type":"integer","minimum":1}},"required":["a"]},{"properties":{"a":{"maximum":5},"b":{"type":"boolean"}},"required":["b"]}]})",
       {R"({"a":3,"b":true})"},
       {R"({"a":0,"b":true})", R"({"a":6,"b":true})", R"({"a":3})"}},
      {R"({"allOf":[{"type":["string","integer"]},{"anyOf":[{"type":"string","maxLength":2},{"type":"number"}]}]})",
       {R"("ab")", "12"},
       {R"("abc")", "1.5"}},
      {R"({"allOf":[{"pattern":"^a"},{"pattern":"b$"},{"minLength":3}],"type":"string"})",
       {R"("acb")", R"("aabb")"},
       {R"("ab")", R"("abc")", R"("bab")"}},
      {R"({"oneOf":[{"type":"string"},{"type":"integer"},{"type":"null"}]})",
       {"1", "\"a\"", "null"},
       {"1.5", "true"}},
      {R"({"oneOf":[{"type":"object","properties":{"kind":{"const":"a"},"x":{"type":"integer"}},"required":["kind","x"]},{"type":"object","properties":{"kind":{"const":"b"},"y":{"type":"string"}},"required":["kind","y"]}]})",
       {R"({"kind":"a","x":1})", R"({"kind":"b","y":""})"},
       {R"({"kind":"a","y":""})", R"({"kind":"c"})"}},
      {R"({"oneOf":[{"type":"object","properties":{"a":{}},"required":["a"]},{"type":"object","properties":{"b":{}},"required":["b"]}]})",
       {R"({"a":1})", R"({"b":1})"},
       {R"({"a":1,"b":1})", "{}"}},
      {R"({"type":"object","properties":{"a":{},"b":{}},"anyOf":[{"required":["a"]},{"required":["b"]}]})",
       {R"({"a":1})", R"({"b":1})", R"({"a":1,"b":1})"},
       {"{}"}},
      {R"({"type":"object","properties":{"a\"\\\n/~é":{"type":"null"}},"required":["a\"\\\n/~é"]})",
       {R"({"a\"\\\n/~é":null})"},
       {"{}"}},
      {R"({"type":"object","properties":{"a":false,"b":{"type":"null"}}})",
       {"{}", R"({"b":null})"},
       {R"({"a":1})"}},
      {R"({"definitions":{"a/b":{"type":"null"}},"type":"array","items":{"$ref":"#/definitions/a~1b"}})",
       {"[null]"},
       {"[1]"}},
  };
  return all;
}

void check(const Case& c, Rng& rng) {
  SCOPED_TRACE(c.schema);
  const json::value schema = json::parse(c.schema);
  const SchemaValidator validator(schema);
  const auto grammar = compile_json_schema(schema, fixture().vocab);
  ASSERT_TRUE(grammar) << describe(grammar.error());
  for (const std::string& text : c.admitted) {
    EXPECT_TRUE(admits(*grammar, *fixture().vocab, text)) << text;
    EXPECT_TRUE(validator.valid(json::parse(text))) << text;
  }
  for (const std::string& text : c.refused) EXPECT_FALSE(admits(*grammar, *fixture().vocab, text)) << text;
  int complete = 0;
  for (int i = 0; i < 30; ++i) {
    const auto text = random_text(*grammar, *fixture().vocab, rng);
    if (!text) continue;
    ++complete;
    boost::system::error_code error;
    json::parse_options options;
    options.max_depth = 512;
    const json::value value = json::parse(*text, error, {}, options);
    ASSERT_FALSE(error) << *text;
    EXPECT_TRUE(validator.valid(value)) << *text;
  }
  EXPECT_GT(complete, 0);
}

TEST(JsonSchema, values_are_admitted_and_random_ones_are_valid) {
  Rng rng(1);
  for (const Case& c : value_cases()) check(c, rng);
}

TEST(JsonSchema, structures_are_admitted_and_random_ones_are_valid) {
  Rng rng(2);
  for (const Case& c : structure_cases()) check(c, rng);
}

// The formats by examples from the documents that define them.
TEST(JsonSchema, formats) {
  struct FormatCase {
    const char* name;
    std::vector<const char*> admitted, refused;
  };
  const std::vector<FormatCase> formats = {
      {"date",
       {"2024-02-29", "2000-02-29", "1999-12-31"},
       {"2023-02-29", "1900-02-29", "2024-13-01", "2024-04-31", "24-01-01"}},
      {"time", {"00:00:00Z", "23:59:59.123+05:30"}, {"24:00:00Z", "12:60:00Z", "12:00:00"}},
      {"date-time",
       {"1985-04-12T23:20:50.52Z", "1996-12-19T16:39:57-08:00"},
       {"1985-04-12", "1985-04-12 23:20:50Z"}},
      {"duration", {"P3Y6M4DT12H30M5S", "PT36H", "P1W"}, {"P", "PT", "P1S", "1D"}},
      {"uuid",
       {"f81d4fae-7dec-11d0-a765-00a0c91e6bf6"},
       {"f81d4fae7dec11d0a76500a0c91e6bf6", "f81d4fae-7dec-11d0-a765-00a0c91e6bfg"}},
      {"email", {"a.b+c@example.com"}, {"a@", "@b.c", "a b@c.de", "a..b@c.de", "a@-b.de"}},
      {"hostname", {"example.com", "a-b"}, {"-a", "a-", "a..b"}},
      {"ipv4", {"0.0.0.0", "255.249.199.9"}, {"256.0.0.1", "1.2.3", "01.2.3.4"}},
      {"ipv6",
       {"::", "::1", "2001:db8::8:800:200C:417A", "1:2:3:4:5:6:7:8", "1::"},
       {":", "1:2", "1::2::3", "12345::"}},
      {"uri",
       {"https://example.com/a?b=c#d", "urn:isbn:0451450523", "mailto:a@b.c"},
       {"example", "http://a b", "://x"}},
  };
  for (const FormatCase& format : formats) {
    const auto grammar =
        compile_json_schema(json::object{{"type", "string"}, {"format", format.name}}, fixture().vocab);
    ASSERT_TRUE(grammar) << describe(grammar.error());
    for (const char* text : format.admitted)
      EXPECT_TRUE(admits(*grammar, *fixture().vocab, json::serialize(json::value(text))))
          << format.name << " " << text;
    for (const char* text : format.refused)
      EXPECT_FALSE(admits(*grammar, *fixture().vocab, json::serialize(json::value(text))))
          << format.name << " " << text;
    Rng rng(3);
    for (int i = 0; i < 5; ++i) random_text(*grammar, *fixture().vocab, rng);  // has no dead end
  }
}

TEST(JsonSchema, any_json_object) {
  const auto grammar = any_json_object(fixture().vocab);
  ASSERT_TRUE(grammar);
  EXPECT_TRUE(admits(*grammar, *fixture().vocab, "{\n  \"a\": [1, {\"b\": null}],\n  \"c\": -1.5e3\n}"));
  EXPECT_FALSE(admits(*grammar, *fixture().vocab, "[1]"));
  EXPECT_FALSE(admits(*grammar, *fixture().vocab, "{}\n"));
  EXPECT_FALSE(admits(*grammar, *fixture().vocab, "{\"a\":\n\n1}"));
}

// An answer that opens brackets for ever is led back before it is too deep.
TEST(JsonSchema, nesting_ends_well) {
  const GrammarFixture& f = fixture();
  GrammarState state(*any_json_object(f.vocab));
  std::string text;
  for (const char* piece = "{\"a\":"; *piece != 0; ++piece)
    ASSERT_TRUE(state.accept(static_cast<std::uint8_t>(*piece)));
  int depth = 0;
  while (state.accept('[')) ASSERT_LT(++depth, 2000);
  EXPECT_GT(depth, 200);
  while (!state.can_end()) {
    const auto allowed = allowed_tokens(state, f.vocab->size());
    ASSERT_FALSE(allowed.empty());
    const text::TokenId id = std::ranges::binary_search(allowed, text::TokenId{']'})   ? ']'
                             : std::ranges::binary_search(allowed, text::TokenId{'}'}) ? '}'
                                                                                       : allowed[0];
    ASSERT_TRUE(state.accept(id));
  }
}

}  // namespace
}  // namespace cistern::sample
