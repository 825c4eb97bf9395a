#include "fetch/url.h"

#include <gtest/gtest.h>

namespace cistern::fetch {
namespace {

TEST(Url, IsTakenApart) {
  const auto url = parse_url("HTTPS://Example.ORG:8443/a/b?c=d/e#f");
  ASSERT_TRUE(url) << describe(url.error());
  EXPECT_EQ(url->scheme, "https");
  EXPECT_EQ(url->host, "example.org");
  EXPECT_EQ(url->port, 8443);
  EXPECT_EQ(url->path(), "/a/b");
  EXPECT_EQ(url->origin(), "https://example.org:8443");
  EXPECT_EQ(url->text(), "https://example.org:8443/a/b?c=d/e");
  EXPECT_EQ(parse_url("https://h:443")->text(), "https://h/");
  EXPECT_EQ(parse_url("https://h?q")->text(), "https://h/?q");
  EXPECT_EQ(parse_url("http://[::1]:80/x")->origin(), "http://[::1]");
}

TEST(Url, PlainHttpIsForThisMachineOnly) {
  for (const char* text :
       {"http://127.0.0.1/x", "http://127.255.0.9:1/", "http://localhost:8080/", "http://[::1]/"})
    EXPECT_TRUE(parse_url(text)) << text;
  for (const char* text :
       {"http://example.org/", "http://127.0.0.1.example.org/", "http://128.0.0.1/",
        "http://localhost.example.org/", "http://127.0.0/", "http://127.0.0.1.1/", "http://127.0.0.256/",
        "http://0.0.0.0/", "http://[::2]/", "http://2130706433/", "http://127.0.0.1@example.org/"})
    EXPECT_FALSE(parse_url(text)) << text;
}

TEST(Url, WhatCouldBeReadInTwoWaysIsRefused) {
  for (const std::string text : {"",
                                 "https",
                                 "https:",
                                 "https://",
                                 "https:///x",
                                 "https://:1/",
                                 "https://u@h/",
                                 "https://u:p@h/",
                                 "https://h:/",
                                 "https://h:0/",
                                 "https://h:65536/",
                                 "https://h:1x/",
                                 "https://h\\@e/",
                                 "https://h /",
                                 "https://h/a b",
                                 "https://h/\n",
                                 "https://h/\xC3\xA9",
                                 "https://-h/",
                                 "https://[::1/",
                                 "https://[]/",
                                 "https://h_[/",
                                 "gopher://h/",
                                 "javascript:x",
                                 "//h/x",
                                 "/x"})
    EXPECT_FALSE(parse_url(text)) << text;
  EXPECT_FALSE(parse_url("https://h/" + std::string(9000, 'a')));
}

TEST(Url, RedirectsNeverLeaveHttps) {
  const Url secure = parse_url("https://hub.example/x").value();
  const Url local = parse_url("http://127.0.0.1:1/x").value();
  EXPECT_TRUE(redirect_target(secure, "https://cdn.example/y?sig=1"));
  EXPECT_TRUE(redirect_target(local, "http://127.0.0.1:2/y"));
  EXPECT_TRUE(redirect_target(local, "https://cdn.example/y"));
  for (const char* to :
       {"http://hub.example/x", "http://127.0.0.1/x", "file:///etc/passwd", "ftp://h/x", "", "/x"})
    EXPECT_EQ(redirect_target(secure, to).error().code, ErrorCode::kIo) << to;
  EXPECT_FALSE(redirect_target(local, "http://example.org/x"));
}

TEST(Url, PercentCodesGoBothWays) {
  EXPECT_EQ(percent_encoded("a/b c%d+e"), "a/b%20c%25d%2Be");
  EXPECT_EQ(percent_decoded("a/b%20c%25d%2be").value(), "a/b c%d+e");
  for (const char* text : {"%", "%2", "%g0", "%0g", "a%"}) EXPECT_FALSE(percent_decoded(text)) << text;
}

}  // namespace
}  // namespace cistern::fetch
