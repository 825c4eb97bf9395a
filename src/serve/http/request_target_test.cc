#include "serve/http/request_target.h"

#include <gtest/gtest.h>

namespace cistern::serve::http {
namespace {

TEST(RequestTarget, IsDecodedOnce) {
  const struct {
    std::string_view target, path, query;
  } kRows[] = {
      {"/", "/", ""},
      {"/v1/models/org%2Fname", "/v1/models/org/name", ""},
      {"/a%20b?x=%20&y", "/a b", "x=%20&y"},
      {"/%C3%A4", "/\xc3\xa4", ""},
      {"/%252e%252e/x", "/%2e%2e/x", ""},
      {"/...", "/...", ""},
      {"/?", "/", ""},
      {"/a?b?c", "/a", "b?c"},
  };
  for (const auto& row : kRows) {
    const auto target = parse_target(row.target);
    ASSERT_TRUE(target) << row.target;
    EXPECT_EQ(target->path, row.path);
    EXPECT_EQ(target->query, row.query);
  }
}

TEST(RequestTarget, RefusesWhatLeavesItsFolderOrHidesSomething) {
  for (const std::string_view target : {"",
                                        "*",
                                        "a",
                                        "http://localhost/",
                                        "/..",
                                        "/../x",
                                        "/a/../b",
                                        "/a/..",
                                        "/%2e%2e/x",
                                        "/a%2f..%2fb",
                                        "/./a",
                                        "/a%00",
                                        "/a%0d%0aX:1",
                                        "/a\tb",
                                        "/a%",
                                        "/a%4",
                                        "/a%zz",
                                        "/%ff",
                                        "/%c0%af",
                                        "/a\\b",
                                        "/a%5cb",
                                        "/\xc3\xa4",
                                        "/a#b",
                                        "/%7f"}) {
    const auto parsed = parse_target(target);
    ASSERT_FALSE(parsed) << target;
    EXPECT_EQ(parsed.error().status, 400U);
  }
}

}  // namespace
}  // namespace cistern::serve::http
