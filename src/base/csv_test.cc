#include "base/csv.h"

#include <gtest/gtest.h>

namespace cistern {
namespace {

CsvTable table(std::string_view text) {
  return *CsvTable::parse(text, "t.csv");
}

std::string error(std::string_view text) {
  const auto parsed = CsvTable::parse(text, "t.csv");
  return parsed ? std::string() : describe(parsed.error());
}

TEST(Csv, FieldsMayBeQuotedAndSpanLines) {
  const CsvTable t = table("a,b\n1,\"x, \"\"y\"\"\nz\"\r\n\n 2 ,\n");
  ASSERT_EQ(t.rows().size(), 2u);
  EXPECT_EQ(t.rows()[0].fields[1], "x, \"y\"\nz");
  EXPECT_EQ(t.rows()[0].line, 2u);
  EXPECT_EQ(t.rows()[1].fields[0], "2");
  EXPECT_EQ(t.rows()[1].fields[1], "");
  EXPECT_EQ(t.rows()[1].line, 5u);
}

TEST(Csv, AByteOrderMarkIsNoPartOfTheFirstName) {
  EXPECT_TRUE(table("\xEF\xBB\xBF"
                    "a,b\n1,2\n")
                  .column("a"));
}

TEST(Csv, WhatIsWrongHasALine) {
  EXPECT_NE(error("").find("t.csv"), std::string::npos);
  EXPECT_NE(error("a,b\n1,2\n3\n").find("line 3"), std::string::npos);
  EXPECT_NE(error("a,b\n1,\"2\n").find("not closed"), std::string::npos);
  EXPECT_NE(error("a,b\n1,\"2\"x\n").find("line 2"), std::string::npos);
  EXPECT_NE(error("a\n" + std::string(1000, ',') + "\n").find("fields"), std::string::npos);
}

TEST(Csv, ColumnsAreFoundByName) {
  const CsvTable t = table("name,value\nx,1\n");
  EXPECT_EQ(*t.required_column("value"), 1u);
  const auto missing = t.required_column("values");
  ASSERT_FALSE(missing);
  EXPECT_NE(describe(missing.error()).find("'value'"), std::string::npos);
}

TEST(Csv, NumbersAreCheckedWhereTheyStand) {
  const CsvTable t = table("v\n1.5e1\n\"\"\nfive\n-1\nnan\n0x10\n1e999\n");
  EXPECT_EQ(*t.number(t.rows()[0], 0, 7, 0, 100), 15);
  EXPECT_FALSE(t.number(t.rows()[1], 0, 7, 0, 100));  // "five"
  for (std::size_t i = 1; i < t.rows().size(); ++i) {
    const auto number = t.number(t.rows()[i], 0, 7, 0, 100);
    ASSERT_FALSE(number) << i;
    EXPECT_NE(describe(number.error()).find("column v"), std::string::npos);
  }
  const CsvTable two = table("v,w\n,1\n");
  EXPECT_EQ(*two.number(two.rows()[0], 0, 7, 0, 100), 7);
}

TEST(Csv, DecimalsOnly) {
  EXPECT_EQ(parse_decimal("-2.5"), -2.5);
  for (const char* text : {"", "inf", "1 ", "1.2.3", "--1", "e5", "0x1p3"})
    EXPECT_FALSE(parse_decimal(text)) << text;
  EXPECT_FALSE(parse_decimal(std::string(100, '1')));
}

}  // namespace
}  // namespace cistern
