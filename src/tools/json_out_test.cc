#include "tools/json_out.h"

#include <gtest/gtest.h>

#include <limits>

namespace cistern::tools {
namespace {

namespace json = boost::json;

TEST(JsonOut, PlainNumbers) {
  EXPECT_EQ(to_json(json::array{0.5, 1e20, -3, 1.0, 18446744073709551615U}),
            "[0.5,1e+20,-3,1,18446744073709551615]");
  EXPECT_EQ(to_json(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(to_json(std::numeric_limits<double>::quiet_NaN()), "null");
}

TEST(JsonOut, ValuesThatArePassedOnKeepTheirKind) {
  EXPECT_EQ(to_json(json::array{1, 1.0, -0.0, 0.5, 1e20, -2.0}, JsonForm::kTypedLine),
            "[1,1.0,-0.0,0.5,1e+20,-2.0]");
}

TEST(JsonOut, TextIsAlwaysValid) {
  EXPECT_EQ(to_json(json::string("a\"\n\x01")), "\"a\\\"\\n\\u0001\"");
  EXPECT_EQ(to_json(json::string("\xFFx")), "\"\xEF\xBF\xBDx\"");
  EXPECT_EQ(to_json(json::object{{"\xFF", true}}), "{\"\xEF\xBF\xBD\":true}");
}

TEST(JsonOut, ALineIsALineForEveryReader) {
  EXPECT_EQ(to_json(json::string("a\xC2\x85\xE2\x80\xA8\xE2\x80\xA9z")), "\"a\\u0085\\u2028\\u2029z\"");
}

TEST(JsonOut, PrettyKeepsPlainListsOnOneLine) {
  const json::value value = {
      {"ids", {1, 2}}, {"rows", {{{"a", 1}}, {{"a", nullptr}}}}, {"none", json::array()}};
  EXPECT_EQ(to_json(value, JsonForm::kPretty),
            "{\n  \"ids\": [1, 2],\n  \"rows\": [\n    {\n      \"a\": 1\n    },\n    {\n      \"a\": null\n "
            "   }\n  ],\n"
            "  \"none\": []\n}");
  EXPECT_EQ(to_json(json::object(), JsonForm::kPretty), "{}");
}

TEST(JsonIn, ErrorsAreValues) {
  for (const std::string text : {"", "{", "[1,]", "\"\\ud800\"", "\"\xFF\"", "nul"}) {
    const auto value = parse_json(text, "here");
    ASSERT_FALSE(value) << text;
    EXPECT_EQ(value.error().code, ErrorCode::kFormat);
    EXPECT_EQ(value.error().where, "here");
  }
  EXPECT_FALSE(parse_json(std::string(1U << 20U, '['), "deep"));
  EXPECT_TRUE(parse_json("\"a\\u0000b\"", "nul byte"));
}

TEST(JsonIn, TokenIds) {
  const auto ids = [](const char* text) { return ids_from_json(*parse_json(text, "x"), 10, "x"); };
  EXPECT_EQ(*ids("[0, 9]"), (std::vector<text::TokenId>{0, 9}));
  EXPECT_TRUE(ids("[]")->empty());
  for (const char* text :
       {"[10]", "[-1]", "[1.0]", "[\"1\"]", "[true]", "{}", "3", "[18446744073709551615]"}) {
    EXPECT_FALSE(ids(text)) << text;
  }
}

}  // namespace
}  // namespace cistern::tools
