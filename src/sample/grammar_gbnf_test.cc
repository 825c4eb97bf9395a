// Grammars in GBNF: what they admit and refuse, token by token, and what is wrong with hostile ones.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "sample/grammar_test.h"

namespace cistern::sample {
namespace {

const GrammarFixture& fixture() {
  static const GrammarFixture made;
  return made;
}

GrammarPtr compile(std::string_view text) {
  auto grammar = compile_gbnf(text, fixture().vocab);
  EXPECT_TRUE(grammar) << describe(grammar.error()) << "\n" << text;
  return grammar ? *grammar : nullptr;
}

struct Case {
  const char* grammar;
  std::vector<std::string> admitted, refused;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {R"(root ::= "yes" | "no" # a comment
)",
       {"yes", "no"},
       {"", "y", "yesno", "maybe"}},
      {"root ::= (expr \"=\" term \"\\n\")+\nexpr ::= term ([-+*/] term)*\nterm ::= num | \"(\" expr "
       "\")\"\nnum "
       "::= [0-9]+\n",
       {"1+2=3\n", "(1-2)*33/4=5\n12=12\n", "((((7))))=7\n"},
       {"1+=2\n", "1+2=3", "=\n", "(1=1\n"}},
      {R"(root   ::= object
value  ::= object | array | string | number | ("true" | "false" | "null") ws

object ::=
  "{" ws (
            string ":" ws value
    ("," ws string ":" ws value)*
  )? "}" ws

array  ::=
  "[" ws (
            value
    ("," ws value)*
  )? "]" ws

string ::=
  "\"" (
    [^"\\\x7F\x00-\x1F] |
    "\\" (["\\bfnrt] | "u" [0-9a-fA-F]{4}) # escapes
  )* "\"" ws

number ::= ("-"? ([0-9] | [1-9] [0-9]{0,15})) ("." [0-9]+)? ([eE] [-+]? [0-9] [1-9]{0,15})? ws

# Space where it is allowed
ws ::= | " " | "\n" [ \t]{0,20}
)",
       {R"({})", R"({"name": "abc", "age": 12})", R"({"a":[1,-2.5,1e+5,[],{}],"b":{"c":null,"d":true}})",
        "{\"\xC3\xA9\": \"\xE4\xB8\xAD\xE6\x96\x87 \\u00e9 \\\" \xF0\x9F\x98\x80\"}"},
       {R"({"a"})", R"({"a":01})", R"([1])", R"({"a":1,})", "{\"a\":\"\n\"}", "{\"\xC3\": 1}"}},
      {R"(root ::= "1. " move " " move "\n" ([1-9] [0-9]? ". " move " " move "\n")+
move ::= (pawn | nonpawn | castle) [+#]?
nonpawn ::= [NBKQR] [a-h]? [1-8]? "x"? [a-h] [1-8]
pawn ::= ([a-h] "x")? [a-h] [1-8] ("=" [NBKQR])?
castle ::= "O-O" "-O"?
)",
       {"1. e4 e5\n2. Nf3 Nc6\n", "1. e4 e5\n2. O-O O-O-O+\n10. exd5 Qxd5#\n"},
       {"1. e4 e5\n", "1. e9 e5\n2. a1 a2\n"}},
      {R"(root ::= "- " .{1,3} ("ab"{2} | [^a-z]{2,} | "x"{0,2} "z"))",
       {"- aabab", "- abcabab", "- a12",
        "- \xC3\xA9"
        "99999",
        "- axz", "- az", "- axxz"},
       {"- abab", "- aab", "- abcdabab", "- axxxxxxz"}},
      {"root ::= \"\\x41\\u00e9\\U0001F600\\\"\" [\\x30-\\x32\\]\\-]",
       {"A\xC3\xA9\xF0\x9F\x98\x80\"1", "A\xC3\xA9\xF0\x9F\x98\x80\"]"},
       {"A\xC3\xA9\xF0\x9F\x98\x80\"3"}},
      // Empty rules, rules that can be empty, in and around repetitions.
      {"root ::= empty \"a\" maybe* \"b\" (maybe empty){2,3} \"c\"\nempty ::= \"\"\nmaybe ::= \"x\"?\n",
       {"abc", "axxbxxc", "abxxxc", "abxc"},
       {"ab", "abxxxxc"}},
      // Right recursion, recursion in the middle, ambiguity.
      {"root ::= \"a\" root | \"b\"", {"b", "aab", std::string(3000, 'a') + "b"}, {"", "aa", "ba"}},
      {"root ::= \"a\" root \"b\" | \"\"", {"", "ab", "aaabbb"}, {"aab", "abb", "ba"}},
      {"root ::= (\"a\" | \"a\" | \"aa\" | [a-c]+)* \"!\"",
       {"!", "aaaa!", std::string(2000, 'a') + "!"},
       {"a", "d!"}},
      {"root ::= s s s\ns ::= \"a\" s \"b\" | \"a\" s \"c\" | \"\"", {"", "aabc", "abacab"}, {"aab", "bbb"}},
  };
  return all;
}

TEST(Gbnf, admits_and_refuses_texts_in_any_tokens) {
  for (const Case& c : cases()) {
    const GrammarPtr grammar = compile(c.grammar);
    if (!grammar) continue;
    for (const std::string& text : c.admitted)
      EXPECT_TRUE(admits(grammar, *fixture().vocab, text)) << text << "\n" << c.grammar;
    for (const std::string& text : c.refused)
      EXPECT_FALSE(admits(grammar, *fixture().vocab, text)) << text << "\n" << c.grammar;
  }
}

TEST(Gbnf, what_a_random_walk_writes_is_admitted_in_other_tokens) {
  Rng rng(1);
  for (const Case& c : cases()) {
    const GrammarPtr grammar = compile(c.grammar);
    int complete = 0;
    for (int i = 0; i < 20; ++i) {
      const auto text = random_text(grammar, *fixture().vocab, rng);
      if (!text) continue;
      ++complete;
      EXPECT_TRUE(admits(grammar, *fixture().vocab, *text, nullptr)) << *text;
    }
    EXPECT_GT(complete, 0) << c.grammar;
  }
}

TEST(Gbnf, special_tokens_come_where_a_literal_writes_them) {
  const GrammarFixture& f = fixture();
  const GrammarPtr grammar = compile("root ::= \"<|tool_call|>\" [^x]* \"x\"");
  GrammarState state(grammar);
  const auto first = allowed_tokens(state, f.vocab->size());
  EXPECT_TRUE(std::ranges::binary_search(first, f.tool_call));
  EXPECT_TRUE(std::ranges::binary_search(first, text::TokenId{'<'}));
  EXPECT_FALSE(std::ranges::binary_search(first, f.end));
  EXPECT_TRUE(state.accept(f.tool_call));
  // A class admits its characters, but not the special token.
  const auto inside = allowed_tokens(state, f.vocab->size());
  EXPECT_FALSE(std::ranges::binary_search(inside, f.tool_call));
  EXPECT_FALSE(state.accept(f.tool_call));
  EXPECT_TRUE(admits(grammar, *f.vocab, "<|tool_call|><|tool_call|>x"));
}

TEST(Gbnf, end_tokens_come_exactly_where_the_text_may_end) {
  const GrammarFixture& f = fixture();
  GrammarState state(compile("root ::= \"a\" \"b\"?"));
  EXPECT_FALSE(state.can_end());
  EXPECT_FALSE(state.accept(f.end));
  EXPECT_EQ(allowed_tokens(state, f.vocab->size()).size(), 2U);  // "a", "ab"
  ASSERT_TRUE(state.accept('a'));
  EXPECT_EQ(allowed_tokens(state, f.vocab->size()), (std::vector<text::TokenId>{'b', f.end}));
  ASSERT_TRUE(state.accept('b'));
  EXPECT_EQ(allowed_tokens(state, f.vocab->size()), std::vector<text::TokenId>{f.end});
  EXPECT_TRUE(state.accept(f.end));
  EXPECT_EQ(allowed_tokens(state, f.vocab->size()), std::vector<text::TokenId>{f.end});  // after an end, too
}

TEST(Gbnf, a_mask_leaves_something_even_where_all_logits_are_minus_infinity) {
  const GrammarFixture& f = fixture();
  GrammarState state(compile("root ::= [ab]"));
  std::vector<float> logits(f.vocab->size() + 7,
                            -std::numeric_limits<float>::infinity());  // more than tokens
  state.mask(logits);
  EXPECT_EQ(logits['a'], 0);
  EXPECT_EQ(logits['b'], 0);
  EXPECT_EQ(std::ranges::count_if(logits, [](float x) { return std::isfinite(x); }), 2);
}

TEST(Gbnf, names_schemas_as_rules) {
  const std::vector<NamedSchema> schemas = {
      {"arguments", boost::json::parse(
                        R"({"type":"object","properties":{"age":{"type":"integer"}},"required":["age"]})")}};
  const auto grammar = compile_gbnf("root ::= \"<|tool_call|>\" arguments \"!\"", fixture().vocab, schemas);
  ASSERT_TRUE(grammar) << describe(grammar.error());
  EXPECT_TRUE(admits(*grammar, *fixture().vocab, R"(<|tool_call|>{"age": 12}!)"));
  EXPECT_FALSE(admits(*grammar, *fixture().vocab, R"(<|tool_call|>{"age": "12"}!)"));
  // In strings of schemas there are no special tokens.
  const auto strings =
      compile_gbnf("root ::= s \"<|tool_call|>\"", fixture().vocab,
                   std::vector<NamedSchema>{{"s", boost::json::parse(R"({"const":"<|tool_call|>"})")}});
  GrammarState state(*strings);
  ASSERT_TRUE(state.accept('"'));
  EXPECT_FALSE(state.accept(fixture().tool_call));
}

struct Refusal {
  std::string grammar;
  ErrorCode code;
  const char* message;
};

TEST(Gbnf, refuses_with_a_place) {
  const std::string deep = "root ::= " + std::string(5000, '(') + "\"a\"" + std::string(5000, ')');
  const std::vector<Refusal> refusals = {
      {"", ErrorCode::kFormat, "no rule 'root'"},
      {"a ::= \"a\"", ErrorCode::kFormat, "no rule 'root'"},
      {"root ::= b", ErrorCode::kFormat, "'b' is used but not defined"},
      {"root ::= \"a\"\nroot ::= \"b\"", ErrorCode::kFormat, "defined twice"},
      {"root ::= a\na ::= a", ErrorCode::kFormat, "never be completed"},
      {"root ::= a | \"x\"\na ::= a \"b\" | \"c\"", ErrorCode::kUnsupported, "left recursion"},
      {"root ::= a\na ::= \"\" b\nb ::= \"x\"* a \"y\" | \"z\"", ErrorCode::kUnsupported, "left recursion"},
      {"root ::= \"a\" root", ErrorCode::kFormat, "never be completed"},
      {"root ::= \"a", ErrorCode::kFormat, "line ends"},
      {"root ::= [a", ErrorCode::kFormat, "line ends"},
      {"root ::= [b-a]", ErrorCode::kFormat, "before it begins"},
      {"root ::= (\"a\"", ErrorCode::kFormat, "without )"},
      {"root ::= \"a\")", ErrorCode::kFormat, "end of the rule"},
      {"root ::= *", ErrorCode::kFormat, "nothing can begin"},
      {"root ::= \"a\"{2,1}", ErrorCode::kFormat, "swapped"},
      {"root ::= \"a\"{}", ErrorCode::kFormat, "number"},
      {"root ::= \"a\"{99999999999}", ErrorCode::kUnsupported, "repetitions"},
      {"root ::= \"\\q\"", ErrorCode::kFormat, "escape"},
      {"root ::= \"\\ud800\"", ErrorCode::kFormat, "no such character"},
      {"root = \"a\"", ErrorCode::kFormat, "::="},
      {"root ::= \"\xFF\"", ErrorCode::kFormat, "UTF-8"},
      {deep, ErrorCode::kUnsupported, "deep"},
      {"root ::= \"" + std::string(1 << 20, 'a') + "\"", ErrorCode::kUnsupported, "too large"},
  };
  for (const Refusal& refusal : refusals) {
    const auto grammar = compile_gbnf(refusal.grammar, fixture().vocab);
    ASSERT_FALSE(grammar) << refusal.grammar.substr(0, 100);
    EXPECT_EQ(grammar.error().code, refusal.code) << describe(grammar.error());
    EXPECT_NE(grammar.error().message.find(refusal.message), std::string::npos) << describe(grammar.error());
  }
  const auto placed = compile_gbnf("root ::= \"a\"\nb ::= ?", fixture().vocab);
  EXPECT_EQ(placed.error().where, "grammar, line 2, column 7");
}

// These compile; walking them must end, soon.
TEST(Gbnf, hostile_grammars_are_walked_within_bounds) {
  std::string chain = "root ::= r0\n";
  for (int i = 0; i < 5000; ++i)
    chain += "r" + std::to_string(i) + " ::= \"a\" | r" + std::to_string(i + 1) + "\n";
  chain += "r5000 ::= \"a\"\n";
  const std::vector<std::string> grammars = {
      "root ::= ((\"a\"{1000}){1000}){1000}",
      "root ::= ((\"a\"{1,1000}){1,1000}){1,1000}",
      "root ::= ((a*)*)*\na ::= \"a\"*",
      "root ::= \"a\" root \"a\" | \"b\" root \"b\" | root2\nroot2 ::= [a-z] root2 [a-z] | \"\"",
      "root ::= s\ns ::= \"a\" s s | \"a\" s | \"\"",
      "root ::= ([a-z]{0,1000} [a-z]{0,1000} [a-z]{0,1000} [a-z]{0,1000})*",
      chain,
  };
  for (const std::string& text : grammars) {
    const auto grammar = compile_gbnf(text, fixture().vocab);
    if (!grammar) {
      EXPECT_EQ(grammar.error().code, ErrorCode::kUnsupported) << describe(grammar.error());
      continue;
    }
    GrammarState state(*grammar);
    for (int i = 0; i < 100 && !state.can_end(); ++i) {
      const auto allowed = allowed_tokens(state, fixture().vocab->size());
      ASSERT_FALSE(allowed.empty());
      state.accept(allowed[0]);
    }
  }
}

}  // namespace
}  // namespace cistern::sample
