#include "text/answer/json_scanner.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <random>
#include <string>

namespace cistern::text {
namespace {

using State = JsonScanner::State;

State scan(std::string_view text) {
  JsonScanner scanner;
  State state = State::kMore;
  for (const char c : text) {
    if (state != State::kMore) return State::kBad;  // something follows the value
    state = scanner.feed(c);
  }
  return state;
}

TEST(JsonScanner, KnowsWhereValuesEnd) {
  for (const char* text : {"{}", "[]", R"({"a": [1, 2.5e-3, {"b": null}], "c": "\u00e9\ud83d\ude00 \" \\"})",
                           " [true, false]", "\"x\"", "null", "{\"a\":{}}"}) {
    EXPECT_EQ(scan(text), State::kComplete) << text;
  }
  EXPECT_EQ(scan("12 "), State::kBefore);
  EXPECT_EQ(scan("12"), State::kMore);
  EXPECT_EQ(scan("{\"a\": \"b"), State::kMore);
}

TEST(JsonScanner, RefusesWhatIsNoJson) {
  for (const char* text :
       {"{'a': 1}", "{a: 1}", "[1,]",    "{\"a\":1,}", "[01 ",         "[1. ",         "[1e ",
        "[- ",      "[nul]",  "[\"\n\"", "[\"\\x\"",   "[\"\\ud800\"", "[\"\\udc00\"", "[\"\\ud800\\u0041",
        "[}",       "{]",     "[1 2",    "{\"a\" 1",   "{1",           "[1e99999"}) {
    EXPECT_EQ(scan(text), State::kBad) << text;
  }
  EXPECT_EQ(scan(std::string(32, '[') + std::string(32, ']')), State::kComplete);
  EXPECT_EQ(scan(std::string(33, '[')), State::kBad);
}

// Whatever it calls complete, Boost.JSON reads; what Boost.JSON reads, it calls complete.
TEST(JsonScanner, AgreesWithBoost) {
  const std::string pieces[] = {"{",
                                "}",
                                "[",
                                "]",
                                "\"a\"",
                                ":",
                                ",",
                                "1",
                                "-0.5",
                                "1e2",
                                "true",
                                "null",
                                " ",
                                "\"\\n\"",
                                "\"\\u12aB\"",
                                "0",
                                ".",
                                "-",
                                "\"\\ud83d\\ude00\"",
                                "x",
                                "\\"};
  std::mt19937 random(3);
  int complete = 0;
  for (int i = 0; i < 60000; ++i) {
    std::string text = random() % 2 ? "[" : "{\"k\":";
    for (auto n = random() % 7; n > 0; --n) text += pieces[random() % std::size(pieces)];
    text += text.front() == '[' ? "]" : "}";
    boost::system::error_code error;
    static_cast<void>(boost::json::parse(text, error));
    EXPECT_EQ(scan(text) == State::kComplete, !error) << text;
    complete += error ? 0 : 1;
  }
  EXPECT_GT(complete, 500);
}

}  // namespace
}  // namespace cistern::text
