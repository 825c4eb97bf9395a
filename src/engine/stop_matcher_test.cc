#include "engine/stop_matcher.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace cistern::engine {
namespace {

struct Outcome {
  std::string shown;
  bool matched = false;
};

// Feeds `text` in pieces of `size` bytes.
Outcome run(const std::vector<std::string>& stops, std::string_view text, std::size_t size) {
  StopMatcher matcher(stops);
  Outcome outcome;
  for (std::size_t at = 0; at < text.size(); at += size) outcome.shown += matcher.feed(text.substr(at, size));
  outcome.matched = matcher.matched();
  outcome.shown += matcher.flush();
  return outcome;
}

TEST(StopMatcher, PassesEverythingWithoutStops) {
  StopMatcher matcher({});
  EXPECT_EQ(matcher.feed("hello"), "hello");
  EXPECT_EQ(matcher.flush(), "");
  const std::vector<std::string> only_empty = {""};
  StopMatcher empty(only_empty);
  EXPECT_EQ(empty.feed("hello"), "hello");
  EXPECT_FALSE(empty.matched());
}

TEST(StopMatcher, HoldsBackWhatMayBeAStop) {
  const std::vector<std::string> stops = {"###", "User:"};
  StopMatcher matcher(stops);
  EXPECT_EQ(matcher.feed("Hi #"), "Hi ");
  EXPECT_EQ(matcher.feed("1 is"), "#1 is");
  EXPECT_EQ(matcher.feed(" ##"), " ");
  EXPECT_EQ(matcher.feed(""), "");
  EXPECT_EQ(matcher.feed("U"), "##");
  EXPECT_EQ(matcher.feed("ser"), "");
  EXPECT_FALSE(matcher.matched());
  EXPECT_EQ(matcher.feed(": more"), "");
  EXPECT_TRUE(matcher.matched());
  EXPECT_EQ(matcher.feed("even more"), "");
  EXPECT_EQ(matcher.flush(), "");
}

TEST(StopMatcher, FlushShowsAnUnfinishedBeginning) {
  const std::vector<std::string> stops = {"<end>"};
  StopMatcher matcher(stops);
  EXPECT_EQ(matcher.feed("a <en"), "a ");
  EXPECT_EQ(matcher.flush(), "<en");
  EXPECT_EQ(matcher.flush(), "");
}

TEST(StopMatcher, CutsBeforeTheMatch) {
  for (std::size_t size = 1; size < 12; ++size) {
    const Outcome outcome = run({"stop"}, "please sstop here", size);
    EXPECT_EQ(outcome.shown, "please s") << size;
    EXPECT_TRUE(outcome.matched);
  }
}

TEST(StopMatcher, FirstCompleteWinsThenTheLongest) {
  for (std::size_t size = 1; size < 6; ++size) {
    EXPECT_EQ(run({"abcd", "bc"}, "xabcd", size).shown, "xa");
    EXPECT_EQ(run({"bc", "abc"}, "xabcd", size).shown, "x");
    EXPECT_EQ(run({"aab"}, "aaab", size).shown, "a");
  }
}

TEST(StopMatcher, NonAsciiStops) {
  for (std::size_t size = 1; size < 8; ++size) {
    EXPECT_EQ(run({"é"}, "caffè é", size).shown, "caffè ");
  }
}

// The definition: scan for the least end of a match, then the longest match there.
Outcome reference(const std::vector<std::string>& stops, const std::string& text) {
  for (std::size_t end = 1; end <= text.size(); ++end) {
    std::size_t longest = 0;
    for (const std::string& stop : stops) {
      if (!stop.empty() && text.substr(0, end).ends_with(stop)) longest = std::max(longest, stop.size());
    }
    if (longest > 0) return {text.substr(0, end - longest), true};
  }
  return {text, false};
}

TEST(StopMatcher, AgreesWithTheDefinition) {
  Rng rng(17);
  const auto random_text = [&](std::size_t longest) {
    std::string text(rng.next() % (longest + 1), ' ');
    for (char& c : text) c = static_cast<char>('a' + rng.next() % 2);
    return text;
  };
  int matches = 0;
  for (int round = 0; round < 5000; ++round) {
    std::vector<std::string> stops(rng.next() % 4);
    for (std::string& stop : stops) stop = random_text(6);
    const std::string text = random_text(20);
    const Outcome expected = reference(stops, text);
    const Outcome actual = run(stops, text, 1 + rng.next() % 5);
    ASSERT_EQ(actual.shown, expected.shown) << "round " << round;
    ASSERT_EQ(actual.matched, expected.matched) << "round " << round;
    matches += expected.matched ? 1 : 0;
  }
  EXPECT_GT(matches, 1000);
}

TEST(StopMatcher, NeverShowsWhatAMatchTakesBack) {
  const std::vector<std::string> stops = {"abab", "baa"};
  Rng rng(23);
  for (int round = 0; round < 500; ++round) {
    StopMatcher matcher(stops);
    std::string shown;
    std::string text;
    while (!matcher.matched() && text.size() < 30) {
      const std::string piece(1, static_cast<char>('a' + rng.next() % 2));
      text += piece;
      shown += matcher.feed(piece);
      ASSERT_TRUE(text.starts_with(shown));
    }
    ASSERT_EQ(shown, matcher.matched() ? reference(stops, text).shown : shown);
  }
}

TEST(StopMatcher, ManyLongStopsStayLinear) {
  std::vector<std::string> stops;
  for (int i = 0; i < 2000; ++i) stops.push_back(std::string(200, 'a') + std::to_string(i));
  const std::string text(200000, 'a');
  StopMatcher matcher(stops);
  std::string shown = matcher.feed(text);
  EXPECT_EQ(shown.size(), text.size() - 200);
  EXPECT_EQ(matcher.flush().size(), 200U);
}

}  // namespace
}  // namespace cistern::engine
