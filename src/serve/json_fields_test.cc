#include "serve/json_fields.h"

#include <gtest/gtest.h>

#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>

namespace cistern::serve {
namespace {

namespace json = boost::json;

std::string error_of(const auto& result) {
  return result ? "no error" : describe(result.error());
}

TEST(ParseJson, TellsWhereTheTextIsWrong) {
  struct Case {
    std::string_view text, message_part;
  };
  for (const auto& [text, part] : {
           Case{"", "ends too early, at offset 0"},
           Case{"{\"a\": ", "ends too early, at offset 6"},
           Case{"{\"a\": 1", "ends too early, at offset 7"},
           Case{"{\"a\": x}", "at offset 6"},
           Case{"{} {}", "at offset 3"},
           Case{"\"\xFF\"", "no valid JSON"},
           Case{"\"\xC0\xAF\"", "no valid JSON"},
           Case{"\"\xED\xA0\x80\"", "no valid JSON"},
           Case{"\"\\ud800\"", "no valid JSON"},
           Case{"nan", "no valid JSON"},
           Case{"// 1", "no valid JSON"},
           Case{"\xEF\xBB\xBF{}", "at offset 0"},
       }) {
    const auto value = parse_json(text);
    ASSERT_FALSE(value) << text;
    EXPECT_EQ(value.error().code, ErrorCode::kUsage);
    EXPECT_NE(value.error().message.find(part), std::string::npos) << text << " " << value.error().message;
  }
}

TEST(ParseJson, NestsSoDeepAndNoDeeper) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(parse_json(nested(kMostJsonDepth)));
  EXPECT_EQ(error_of(parse_json(nested(kMostJsonDepth + 1))), "the JSON is nested deeper than 64 levels");
  EXPECT_FALSE(parse_json(std::string(1'000'000, '[')));
}

TEST(ParseJson, OfDuplicateNamesTheLastCounts) {
  const auto value = parse_json(R"({"a": 1, "a": 2})");
  ASSERT_TRUE(value);
  EXPECT_EQ(json::serialize(*value), R"({"a":2})");
}

TEST(Fields, NullCountsAsAbsent) {
  const json::value request = {{"a", nullptr}};
  const auto fields = Fields::of(request);
  ASSERT_TRUE(fields);
  EXPECT_FALSE(fields->find("a"));
  EXPECT_EQ(fields->integer("a", 0, 1).value(), std::nullopt);
  EXPECT_EQ(fields->text("b").value(), std::nullopt);
  EXPECT_EQ(error_of(fields->require("b")), "b: is missing");
}

TEST(Fields, TheBodyHasToBeAnObject) {
  EXPECT_EQ(error_of(Fields::of(json::value(json::array{}))), "the body has to be a JSON object");
}

TEST(Fields, AnErrorNamesThePath) {
  const json::value request = {{"messages", {{{"content", "x"}}, {{"content", 1}}}}};
  const auto fields = Fields::of(request);
  const auto messages = fields->require("messages");
  ASSERT_TRUE(messages);
  const auto second = Fields::of((*messages)[1]);
  ASSERT_TRUE(second);
  EXPECT_EQ(error_of(second->text("content")), "messages[1].content: has to be a string, not a number");
  EXPECT_EQ(error_of(second->require("role")), "messages[1].role: is missing");
}

TEST(Field, TypesAreNotConverted) {
  const auto error = [](const char* text, auto read) {
    const json::value value = json::parse(text);
    return error_of(read(Field(value, "f")));
  };
  const auto boolean = [](const Field& f) { return f.boolean(); };
  const auto number = [](const Field& f) { return f.number({0, 2}); };
  const auto integer = [](const Field& f) { return f.integer(0, 2); };
  const auto array = [](const Field& f) { return f.array(1); };
  EXPECT_EQ(error("1", boolean), "f: has to be a boolean, not a number");
  EXPECT_EQ(error("\"1\"", number), "f: has to be a number, not a string");
  EXPECT_EQ(error("true", number), "f: has to be a number, not a boolean");
  EXPECT_EQ(error("2.5", number), "f: has to be a number from 0 to 2");
  EXPECT_EQ(error("1e999", number), "f: has to be a number from 0 to 2");
  EXPECT_EQ(error("true", integer), "f: has to be an integer, not a boolean");
  EXPECT_EQ(error("{}", array), "f: has to be an array, not an object");
  EXPECT_EQ(error("[1, 2]", array), "f: has 2 elements, at most 1 are allowed");
}

TEST(Field, IntegersHaveNoFractionAndNoWrap) {
  for (const char* text :
       {"1.5", "-1", "3", "1e18", "1e300", "18446744073709551615", "-9223372036854775808"}) {
    const json::value value = json::parse(text);
    EXPECT_EQ(error_of(Field(value, "n").integer(0, 2)), "n: has to be an integer from 0 to 2") << text;
  }
  const json::value one = json::parse("1.0");
  EXPECT_EQ(Field(one, "n").integer(0, 2).value(), 1);
}

TEST(Field, OneOfGivesTheIndex) {
  constexpr std::array<std::string_view, 2> kAllowed = {"auto", "none"};
  const json::value none = "none", other = "None";
  EXPECT_EQ(Field(none, "f").one_of(kAllowed).value(), 1U);
  EXPECT_EQ(error_of(Field(other, "f").one_of(kAllowed)), "f: has to be one of: auto, none");
}

TEST(JsonNumber, IsAsShortAsAFloat) {
  EXPECT_EQ(json_number(0.1F), json::value(0.1));
  EXPECT_EQ(json_number(-1.5F), json::value(-1.5));
  EXPECT_EQ(json_number(NAN), json::value(0.0));
  EXPECT_TRUE(std::isfinite(json_number(-std::numeric_limits<float>::infinity()).as_double()));
}

}  // namespace
}  // namespace cistern::serve
