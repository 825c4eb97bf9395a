// Numbers and characters as Python has them, at the edges that whole templates seldom reach.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "text/jinja/failure.h"
#include "text/jinja/integer.h"
#include "text/jinja/number_parse.h"
#include "text/jinja/repr.h"
#include "text/jinja/strftime.h"
#include "text/jinja/unicode.h"

namespace cistern::text::jinja {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

TEST(Integer, GrowsInsteadOfWrapping) {
  EXPECT_EQ((Integer(kMax) + Integer(1)).to_string(), "9223372036854775808");
  EXPECT_EQ((Integer(kMin) - Integer(1)).to_string(), "-9223372036854775809");
  EXPECT_EQ((-Integer(kMin)).to_string(), "9223372036854775808");
  EXPECT_EQ((Integer(kMax) * Integer(kMax)).to_string(), "85070591730234615847396907784232501249");
  EXPECT_EQ(Integer::floor_divide(Integer(kMin), Integer(-1)).to_string(), "9223372036854775808");
  EXPECT_EQ((Integer(kMax) + Integer(1) - Integer(1)).to_int64(), kMax);  // and shrinks
  EXPECT_THROW(Integer::power(Integer(2), Integer(256)), Failure);
  EXPECT_EQ(Integer::power(Integer(2), Integer(255)).to_string(16), "8" + std::string(63, '0'));
}

TEST(Integer, DividesDownwards) {
  EXPECT_EQ(Integer::floor_divide(Integer(-7), Integer(2)), Integer(-4));
  EXPECT_EQ(Integer::modulo(Integer(-7), Integer(3)), Integer(2));
  EXPECT_EQ(Integer::modulo(Integer(7), Integer(-3)), Integer(-2));
  const Integer big = Integer::power(Integer(10), Integer(30));
  EXPECT_EQ(Integer::floor_divide(-big, Integer(7)).to_string(), "-142857142857142857142857142858");
  EXPECT_EQ(Integer::modulo(-big, Integer(7)), Integer(6));
}

TEST(Integer, TrueDivisionIsRoundedOnce) {
  EXPECT_EQ(Integer::divide(Integer((int64_t{1} << 53) + 1), Integer(1)), 9007199254740992.0);
  EXPECT_EQ(Integer::divide(Integer((int64_t{1} << 53) + 3), Integer(1)), 9007199254740996.0);
  EXPECT_EQ(
      Integer::divide(Integer::power(Integer(10), Integer(40)), Integer::power(Integer(10), Integer(17))),
      1e23);
  EXPECT_EQ(Integer::divide(Integer(-kMax), Integer(2)), -4611686018427387904.0);
}

TEST(Integer, ComparesExactlyWithFloats) {
  EXPECT_TRUE(Integer::compare(Integer((int64_t{1} << 53) + 1), 9007199254740992.0) > 0);
  EXPECT_TRUE(Integer::compare(Integer(2), 2.5) < 0);
  EXPECT_TRUE(Integer::compare(Integer(-3), -2.5) < 0);
  EXPECT_TRUE(Integer::compare(Integer(1), std::nan("")) == std::partial_ordering::unordered);
}

TEST(FloatRepr, IsPythons) {
  const std::pair<double, std::string_view> cases[] = {{0.0, "0.0"},
                                                       {-0.0, "-0.0"},
                                                       {1.0, "1.0"},
                                                       {0.1, "0.1"},
                                                       {1e15, "1000000000000000.0"},
                                                       {1e16, "1e+16"},
                                                       {0.0001, "0.0001"},
                                                       {0.00001, "1e-05"},
                                                       {1.5e300, "1.5e+300"},
                                                       {5e-324, "5e-324"},
                                                       {123456.789, "123456.789"},
                                                       {HUGE_VAL, "inf"},
                                                       {-HUGE_VAL, "-inf"},
                                                       {2.0 / 3, "0.6666666666666666"}};
  for (const auto& [value, text] : cases) EXPECT_EQ(float_repr(value), text);
}

TEST(NumberParse, TakesWhatPythonTakes) {
  EXPECT_EQ(parse_integer(" -1_000 ", 10), Integer(-1000));
  EXPECT_EQ(parse_integer("0x_1F", 16), Integer(31));
  EXPECT_EQ(parse_integer("\u0663", 10), Integer(3));
  for (const std::string_view bad : {"", " ", "1__0", "_1", "1_", "1.0", "+-1", "0x", "\u00B2"}) {
    EXPECT_FALSE(parse_integer(bad, 10)) << bad;
  }
  EXPECT_FALSE(parse_integer("012", 0));
  EXPECT_EQ(parse_float(" 1_0.5e1 "), 105.0);
  EXPECT_EQ(parse_float("-Infinity"), -HUGE_VAL);
  EXPECT_EQ(parse_float("1e400"), HUGE_VAL);
  EXPECT_EQ(parse_float("1e-400"), 0.0);
  for (const std::string_view bad : {"", ".", "1e", "0x1p3", "1 2", "--1", "infin", "1_.5"})
    EXPECT_FALSE(parse_float(bad)) << bad;
}

TEST(Unicode, RefusesWhatIsNotUtf8) {
  for (const std::string_view bad :
       {"\x80", "a\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF0\x90\x80", "\xC3"}) {
    EXPECT_NE(find_invalid_utf8(bad), std::string_view::npos);
  }
  EXPECT_EQ(find_invalid_utf8("a\u00E9\u4E2D\U0001F600\U0010FFFF"), std::string_view::npos);
}

TEST(Unicode, MapsCaseAsPythonDoes) {
  EXPECT_EQ(to_upper("stra\u00DFe \uFB01 \u0149"), "STRASSE FI \u02BCN");
  EXPECT_EQ(to_lower("\u03A3\u0391\u03A3 \u0130"), "\u03C3\u03B1\u03C2 i\u0307");
  EXPECT_EQ(to_title("they're x1y \u01C6a"), "They'Re X1Y \u01C5a");
  EXPECT_EQ(to_capitalized("\u00E9LAN VITAL"), "\u00C9lan vital");
  EXPECT_EQ(swap_case("aB\u00DF"), "AbSS");
}

TEST(Strftime, NamesAndNumbersOfTheCLocale) {
  using namespace std::chrono_literals;
  const LocalTime time = std::chrono::local_days(std::chrono::year(2024) / 2 / 29) + 9h + 5min + 3s + 42us;
  Runtime rt({}, time);
  EXPECT_EQ(format_time(rt, "%A %-d %b %Y, %H:%M:%S.%f %j %p %U %%", time),
            "Thursday 29 Feb 2024, 09:05:03.000042 060 AM 08 %");
  EXPECT_EQ(format_time(rt, "[%Z%z]", time), "[]");
  EXPECT_THROW(format_time(rt, "%Q", time), Failure);
}

}  // namespace
}  // namespace cistern::text::jinja
