#include "serve/http/request_reader.h"

#include <gtest/gtest.h>

#include <string>

namespace cistern::serve::http {
namespace {

// The status of the refusal, or 0 for a request that is complete, or 1 for one that is not.
unsigned read_all(RequestReader& reader, std::string_view bytes, std::size_t piece = std::string_view::npos) {
  while (!bytes.empty() && !reader.is_done()) {
    const auto taken = reader.feed(bytes.substr(0, piece));
    if (!taken) return taken.error().status;
    bytes.remove_prefix(*taken);
  }
  return reader.is_done() ? 0 : 1;
}

unsigned status_of_request(std::string_view bytes, Limits limits = {}) {
  const auto budget = std::make_shared<BodyBudget>(limits.all_bodies_bytes);
  RequestReader whole(limits, budget), split(limits, budget);
  const unsigned status = read_all(whole, bytes);
  EXPECT_EQ(read_all(split, bytes, 1), status) << "byte by byte: " << bytes;
  return status;
}

TEST(RequestReader, ReadsTheSameInPiecesOfAnySize) {
  const std::string request =
      "POST /v1/chat?x=1 HTTP/1.1\r\nHost: localhost\r\nX-Thing:  a b \r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n3;name=value\r\n, w\r\n4\r\norld\r\n0\r\nTrailer: t\r\n\r\n";
  for (std::size_t piece = 1; piece <= request.size(); ++piece) {
    RequestReader reader(Limits{}, std::make_shared<BodyBudget>(1000));
    ASSERT_EQ(read_all(reader, request, piece), 0U) << piece;
    EXPECT_TRUE(reader.head().http11);
    EXPECT_TRUE(reader.head().keep_alive);
    const Request read = reader.take_request();
    EXPECT_EQ(read.method, "POST");
    EXPECT_EQ(read.path, "/v1/chat");
    EXPECT_EQ(read.query, "x=1");
    EXPECT_EQ(read.header("x-thing"), "a b");
    EXPECT_EQ(read.header("trailer"), std::nullopt);
    EXPECT_EQ(read.body, "hello, world");
  }
}

TEST(RequestReader, LeavesWhatFollowsTheRequest) {
  for (const std::string& request :
       {std::string("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        std::string("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab"),
        std::string("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "1\r\nx\r\n0\r\n\r\n")}) {
    RequestReader reader(Limits{}, std::make_shared<BodyBudget>(1000));
    const std::string both = request + "GET /next";
    std::size_t at = 0;
    while (!reader.is_done()) {
      const auto taken = reader.feed(std::string_view(both).substr(at));
      ASSERT_TRUE(taken) << taken.error().message;
      at += *taken;
    }
    EXPECT_EQ(at, request.size());
  }
}

TEST(RequestReader, RefusesWhatTwoReadersCouldUnderstandDifferently) {
  const struct {
    std::string_view name, request;
    unsigned status;
  } kRows[] = {
      {"plain", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 0},
      {"line ends before the request", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 0},
      {"a lone CR before the request", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", 0},
      {"two lengths that agree", "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400},
      {"two lengths that differ", "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy", 400},
      {"a list of lengths", "POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\nx", 400},
      {"length and chunks",
       "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"chunks and length",
       "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n", 400},
      {"negative length", "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400},
      {"length with a sign", "POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\nx", 400},
      {"length in hexadecimal", "POST / HTTP/1.1\r\nContent-Length: 0x1\r\n\r\nx", 400},
      {"length with a space", "POST / HTTP/1.1\r\nContent-Length: 1 1\r\n\r\nx", 400},
      {"no length", "POST / HTTP/1.1\r\nContent-Length: \r\n\r\n", 400},
      {"length beyond 64 bits", "POST / HTTP/1.1\r\nContent-Length: 18446744073709551617\r\n\r\nx", 400},
      {"length of 64 bits", "POST / HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n\r\nx", 413},
      {"unknown coding", "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
      {"coding before chunks", "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
      {"chunks twice", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 501},
      {"chunks in two headers",
       "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"disguised coding", "POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501},
      {"chunks in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"space before the colon", "POST / HTTP/1.1\r\nContent-Length : 1\r\n\r\nx", 400},
      {"space before the name", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
      {"folded line", "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", 400},
      {"folded with a tab", "GET / HTTP/1.1\r\nX: a\r\n\tb\r\n\r\n", 400},
      {"bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
      {"bare LF in the headers", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400},
      {"bare CR in a value", "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", 400},
      {"NUL in a value", std::string_view("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", 30), 400},
      {"NUL in the target", std::string_view("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 28), 400},
      {"no name", "GET / HTTP/1.1\r\n: a\r\n\r\n", 400},
      {"no colon", "GET / HTTP/1.1\r\nHost\r\n\r\n", 400},
      {"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"no version", "GET /\r\nHost: a\r\n\r\n", 400},
      {"two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"HTTP/1.2", "GET / HTTP/1.2\r\n\r\n", 505},
      {"lower case protocol", "GET / http/1.1\r\n\r\n", 505},
      {"bad method", "G@T / HTTP/1.1\r\n\r\n", 400},
      {"a TLS greeting", "\x16\x03\x01\x02\x00\x01", 400},
      {"chunk size with a sign", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n+1\r\nx\r\n0\r\n\r\n",
       400},
      {"negative chunk size", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n",
       400},
      {"chunk size with 0x", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n",
       400},
      {"no chunk size", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\r\nx\r\n0\r\n\r\n", 400},
      {"chunk size beyond 64 bits",
       "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000001\r\nx\r\n0\r\n\r\n", 400},
      {"chunk size of 64 bits",
       "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx\r\n0\r\n\r\n", 413},
      {"chunk longer than its size",
       "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n", 400},
      {"chunk size ended by LF", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n",
       400},
      {"compressed body", "POST / HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", 415},
      {"uncompressed body", "POST / HTTP/1.1\r\nContent-Encoding: identity\r\nContent-Length: 1\r\n\r\nx", 0},
      {"expectation", "POST / HTTP/1.1\r\nExpect: a miracle\r\nContent-Length: 1\r\n\r\nx", 417},
      {"absolute target", "GET http://localhost/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"authority", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"not complete", "GET / HTTP/1.1\r\nHost: a\r\n", 1},
  };
  for (const auto& row : kRows) EXPECT_EQ(status_of_request(row.request), row.status) << row.name;
}

TEST(RequestReader, LimitsTheHead) {
  const Limits limits{.head_bytes = 200};
  const std::string start = "GET / HTTP/1.1\r\nX: ";
  const std::string fits = start + std::string(200 - start.size() - 4, 'x') + "\r\n\r\n";
  ASSERT_EQ(fits.size(), 200U);
  EXPECT_EQ(status_of_request(fits, limits), 0U);
  EXPECT_EQ(status_of_request(start + std::string(200 - start.size() - 3, 'x') + "\r\n\r\n", limits), 431U);
  EXPECT_EQ(status_of_request(start + std::string(100'000, 'x'), limits), 431U);
}

TEST(RequestReader, LimitsBodiesOfEitherKind) {
  const Limits limits{.body_bytes = 10};
  EXPECT_EQ(status_of_request("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n0123456789", limits), 0U);
  // By what is announced: nothing of the body is there.
  EXPECT_EQ(status_of_request("POST / HTTP/1.1\r\nContent-Length: 11\r\n\r\n", limits), 413U);
  const std::string chunks =
      "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n";
  EXPECT_EQ(status_of_request(chunks + "0\r\n\r\n", limits), 0U);
  EXPECT_EQ(status_of_request(chunks + "1\r\nx\r\n0\r\n\r\n", limits), 413U);
}

TEST(RequestReader, LimitsLinesOfChunksAndTrailers) {
  const Limits limits{.head_bytes = 100};
  const std::string head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(status_of_request(head + "1;" + std::string(1000, 'x'), limits), 400U);
  EXPECT_EQ(status_of_request(head + "0\r\nX: " + std::string(1000, 'x'), limits), 400U);
}

TEST(RequestReader, BodiesOfAllRequestsShareABudget) {
  const auto budget = std::make_shared<BodyBudget>(10);
  const std::string request = "POST / HTTP/1.1\r\nContent-Length: 6\r\n\r\n012345";
  {
    RequestReader first(Limits{}, budget), second(Limits{}, budget);
    EXPECT_EQ(read_all(first, request), 0U);
    const BodyLease lease = first.take_lease();
    EXPECT_EQ(read_all(second, request), 503U);
    EXPECT_EQ(budget->used_bytes(), 6U);
  }
  EXPECT_EQ(budget->used_bytes(), 0U);
}

}  // namespace
}  // namespace cistern::serve::http
