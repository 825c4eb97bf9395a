// What a JSON Schema may not ask for is an error with its place; hostile schemas end with one, or work. And
// what the sampler makes of a grammar.
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "sample/grammar_test.h"
#include "sample/sampler.h"

namespace cistern::sample {
namespace {

namespace json = boost::json;

const GrammarFixture& fixture() {
  static const GrammarFixture made;
  return made;
}

struct Refusal {
  const char* schema;
  ErrorCode code;
  const char* where;
};

TEST(RefusedSchemas, name_the_keyword_and_its_place) {
  constexpr ErrorCode kUnsupported = ErrorCode::kUnsupported, kFormat = ErrorCode::kFormat;
  const std::vector<Refusal> refusals = {
      {R"({"not":{}})", kUnsupported, "/not"},
      {R"({"properties":{"a/b":{"if":true}}})", kUnsupported, "/properties/a~1b/if"},
      {R"({"items":{"contains":{}}})", kUnsupported, "/items/contains"},
      {R"({"anyOf":[{"dependentRequired":{}}]})", kUnsupported, "/anyOf/0/dependentRequired"},
      {R"({"$defs":{"a":{"frobnicate":1}}})", kUnsupported, "/$defs/a/frobnicate"},
      {R"({"type":"array","uniqueItems":true})", kUnsupported, "/uniqueItems"},
      {R"({"type":"number","multipleOf":3})", kUnsupported, "/multipleOf"},
      {R"({"type":"string","format":"iri"})", kUnsupported, "/format"},
      {R"#({"type":"string","pattern":"(?=a)"})#", kUnsupported, "/pattern"},
      {R"({"type":"string","pattern":"(a)\\1"})", kUnsupported, "/pattern"},
      {R"({"type":"string","pattern":"\\ba"})", kUnsupported, "/pattern"},
      {R"({"type":"string","pattern":"\\p{L}"})", kUnsupported, "/pattern"},
      {R"({"type":"string","pattern":"a("})", kFormat, "/pattern"},
      {R"({"type":"string","pattern":"[z-a]"})", kFormat, "/pattern"},
      {R"({"$ref":"other.json"})", kUnsupported, "/$ref"},
      {R"({"$ref":"#/$defs/none"})", kFormat, "/$ref"},
      {R"({"oneOf":[{"type":"string"},{"type":"string","maxLength":3}]})", kUnsupported, "/oneOf"},
      {R"({"oneOf":[{"type":"integer"},{"type":"number"}]})", kUnsupported, "/oneOf"},
      {R"({"type":"text"})", kFormat, "/type"},
      {R"({"type":"string","minLength":-1})", kFormat, "/minLength"},
      {R"({"required":"a"})", kFormat, "/required"},
      {R"({"properties":[]})", kFormat, "/properties"},
      {R"({"items":3})", kFormat, "/items"},
      {R"({"anyOf":[]})", kFormat, "/anyOf"},
      {R"({"type":"object","additionalProperties":{},"minProperties":3})", kUnsupported, "/minProperties"},
      {"3", kFormat, ""},
  };
  for (const Refusal& refusal : refusals) {
    const auto grammar = compile_json_schema(json::parse(refusal.schema), fixture().vocab);
    ASSERT_FALSE(grammar) << refusal.schema;
    EXPECT_EQ(grammar.error().code, refusal.code) << describe(grammar.error());
    EXPECT_EQ(grammar.error().where, refusal.where) << describe(grammar.error());
  }
}

TEST(RefusedSchemas, that_nothing_satisfies) {
  for (const char* schema :
       {"false", R"({"enum":[]})", R"({"type":"string","minLength":3,"maxLength":2})",
        R"({"type":"integer","minimum":3,"maximum":2})", R"({"type":"string","pattern":"^a$","minLength":2})",
        R"({"allOf":[{"type":"string"},{"type":"null"}]})", R"({"const":1,"type":"string"})",
        R"({"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]})",
        R"({"type":"array","items":{"$ref":"#"},"minItems":1})"}) {
    const auto grammar = compile_json_schema(json::parse(schema), fixture().vocab);
    ASSERT_FALSE(grammar) << schema;
    EXPECT_EQ(grammar.error().code, ErrorCode::kFormat) << describe(grammar.error());
  }
}

TEST(RefusedSchemas, hostile_ones_end_with_an_error_or_work) {
  std::string doubling = R"({"$ref":"#/$defs/0","$defs":{)";
  for (int i = 0; i < 40; ++i) {
    const std::string next = R"({"$ref":"#/$defs/)" + std::to_string(i + 1) + R"("})";
    doubling += "\"" + std::to_string(i) + R"(":{"allOf":[)" + next + "," + next + "]},";
  }
  doubling += R"("40":{"type":"null"}}})";
  const std::string many_a(1 << 20, 'a');
  const std::vector<std::string> refused = {
      R"({"$ref":"#"})",
      R"({"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"allOf":[{"$ref":"#/$defs/a"}]}},"$ref":"#/$defs/a"})",
      R"({"anyOf":[{"$ref":"#"}]})",
      doubling,
      R"({"type":"string","pattern":"((a{1000}){1000}){1000}"})",
      R"({"type":"string","pattern":"(a|b)*a(a|b){20}$"})",
      R"({"type":"string","pattern":")" + many_a + "\"}",
      R"({"type":"string","pattern":")" + std::string(5000, '(') + "\"}",
  };
  for (const std::string& schema : refused) {
    const auto grammar = compile_json_schema(json::parse(schema), fixture().vocab);
    EXPECT_FALSE(grammar) << schema.substr(0, 100);
  }
  for (const char* schema :
       {R"({"type":"string","minLength":4000000000})", R"({"type":"array","maxItems":4000000000,"items":{}})",
        R"({"type":"array","items":{"type":"array","minItems":1000000},"minItems":1000000})"}) {
    const auto grammar = compile_json_schema(json::parse(schema), fixture().vocab);
    ASSERT_TRUE(grammar) << describe(grammar.error());
    GrammarState state(*grammar);
    EXPECT_FALSE(allowed_tokens(state, fixture().vocab->size()).empty());
  }
}

TEST(SamplerWithGrammar, chooses_only_what_may_come_whatever_the_bias) {
  const GrammarFixture& f = fixture();
  const auto grammar = compile_gbnf("root ::= [ab] \"c\"", f.vocab);
  ASSERT_TRUE(grammar);
  const auto n_vocab = static_cast<std::uint32_t>(f.vocab->size());
  for (const float temperature : {0.0F, 1.0F}) {
    SamplerOptions options{.temperature = temperature, .repetition_penalty = 1.2F};
    const float never = -std::numeric_limits<float>::infinity();
    options.logit_bias = {{'z', -never}, {'a', never}, {'c', never}};
    Sampler sampler(options, n_vocab, {}, *grammar);
    std::vector<float> logits(n_vocab, 0.0F);
    logits['x'] = 50;
    EXPECT_EQ(sampler.next(logits), text::TokenId{'b'});
    EXPECT_EQ(sampler.next(logits), text::TokenId{'c'});
    EXPECT_EQ(sampler.next(logits), f.end);
    EXPECT_EQ(sampler.next(logits), f.end);
  }
}

}  // namespace
}  // namespace cistern::sample
