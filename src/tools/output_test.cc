#include "tools/output.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tools/answer.h"
#include "tools/input.h"

namespace cistern::tools {
namespace {

TEST(Printable, ShowsWhatCannotBeShown) {
  EXPECT_EQ(printable("plain Grüße"), "plain Grüße");
  EXPECT_EQ(printable("a\nb\tc\x1b[2J\x7f"), "a\\nb\\tc\\x1b[2J\\x7f");
  EXPECT_EQ(printable("\xFF\xC3"), "\\xff\\xc3");
  EXPECT_EQ(printable("\xC2\x9B"), "\\xc2\\x9b");  // a control character of ISO 8859
}

TEST(ForDisplay, TerminalsGetNoControlCharacters) {
  EXPECT_EQ(for_display("a\n\tb\x1b[2J", true), "a\n\tb\xEF\xBF\xBD[2J");
  EXPECT_EQ(for_display("\x1b[2J", false), "\x1b[2J");
}

TEST(Style, FollowsTheWishThenTheEnvironment) {
  ASSERT_EQ(setenv("TERM", "xterm", 1), 0);
  ASSERT_EQ(unsetenv("NO_COLOR"), 0);
  EXPECT_TRUE(Style::choose("auto", true).on());
  EXPECT_FALSE(Style::choose("auto", false).on());
  EXPECT_FALSE(Style::choose("never", true).on());
  ASSERT_EQ(setenv("NO_COLOR", "1", 1), 0);
  EXPECT_FALSE(Style::choose("auto", true).on());
  EXPECT_TRUE(Style::choose("always", false).on());
  EXPECT_EQ(Style(false).bold("x"), "x");
}

TEST(RequireUtf8, NamesTheByte) {
  EXPECT_TRUE(require_utf8("Grüße 🙂", "prompt"));
  const auto result = require_utf8("caf\xE9", "prompt");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().where, "prompt");
  EXPECT_NE(result.error().message.find("byte 3 (0xe9)"), std::string::npos);
  EXPECT_FALSE(require_utf8("\xED\xA0\x80", "surrogate"));
  EXPECT_FALSE(require_utf8("\xC0\x80", "overlong"));
}

}  // namespace
}  // namespace cistern::tools
