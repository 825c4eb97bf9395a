#include "base/fnv.h"

#include <gtest/gtest.h>

namespace cistern {
namespace {

// Of the authors' own test values (test_fnv.c).
TEST(Fnv1a, matches_the_published_values) {
  EXPECT_EQ(fnv1a(""), 0xCBF29CE484222325U);
  EXPECT_EQ(fnv1a("a"), 0xAF63DC4C8601EC8CU);
  EXPECT_EQ(fnv1a("foobar"), 0x85944171F73967E8U);
}

}  // namespace
}  // namespace cistern
