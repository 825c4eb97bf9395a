#include "serve/http/server.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "serve/http/error_body.h"
#include "serve/http/http_test.h"
#include "sys/open_files.h"

namespace cistern::serve::http {
namespace {

using std::chrono::milliseconds;

TEST(Server, KeepsTheConnection) {
  const auto server = start_server(echo);
  TestClient client(server->port());
  EXPECT_EQ(client.ask(get("/a?b=c")).body, "GET /a?b=c ");
  EXPECT_EQ(client.ask(post("/b", "body")).body, "POST /b? body");
  const Answer answer = client.ask(get("/c"));
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(answer.headers.at("content-type"), "text/plain");
  EXPECT_TRUE(answer.headers.contains("date"));
  EXPECT_FALSE(answer.headers.contains("connection"));
}

TEST(Server, AnswersPipelinedRequestsInTheirOrder) {
  const auto server = start_server(echo);
  TestClient client(server->port());
  std::string requests;
  constexpr int kCount = 300;
  for (int i = 0; i < kCount; ++i) requests += post("/" + std::to_string(i), std::string(i, 'x'));
  client.send(requests);
  for (int i = 0; i < kCount; ++i)
    ASSERT_EQ(client.read_answer().body, "POST /" + std::to_string(i) + "? " + std::string(i, 'x'));
}

TEST(Server, AnswersPipelinedRequestsThatWaitOneAfterTheOther) {
  Exchanges exchanges;
  const auto server = start_server(exchanges.keeper());
  TestClient client(server->port());
  client.send(get("/1") + get("/2"));
  auto first = exchanges.next();
  EXPECT_EQ(first->request().path, "/1");
  first->respond({.body = "one"});
  EXPECT_EQ(client.read_answer().body, "one");
  auto second = exchanges.next();
  EXPECT_EQ(second->request().path, "/2");
  second->respond({.body = "two"});
  EXPECT_EQ(client.read_answer().body, "two");
}

TEST(Server, ReadsRequestsByteByByte) {
  const auto server = start_server(echo);
  TestClient client(server->port());
  for (const char c : post("/x", "hello")) client.send({&c, 1});
  EXPECT_EQ(client.read_answer().body, "POST /x? hello");
}

TEST(Server, ReadsChunkedBodies) {
  const auto server = start_server(echo);
  TestClient client(server->port());
  EXPECT_EQ(client
                .ask("POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "5\r\nhello\r\n1;a=b\r\n!\r\n0\r\nT: t\r\n\r\n")
                .body,
            "POST /x? hello!");
  EXPECT_EQ(client.ask(get("/next")).body, "GET /next? ");
}

TEST(Server, ReadsLargeBodies) {
  const auto server = start_server(echo);
  TestClient client(server->port());
  std::string body(20 << 20, 'x');
  for (std::size_t i = 0; i < body.size(); i += 1000) body[i] = static_cast<char>('a' + (i / 1000) % 26);
  std::thread sender([&] { client.send(post("/x", body)); });
  const Answer answer = client.read_answer();
  sender.join();
  EXPECT_TRUE(answer.body == "POST /x? " + body);
}

TEST(Server, SendsTheHeadAloneForHead) {
  const auto server = start_server(echo);
  TestClient client(server->port());
  client.send("HEAD /x HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const Answer answer = client.read_answer(true);
  EXPECT_EQ(answer.headers.at("content-length"), "9");
  EXPECT_EQ(client.ask(get("/y")).body, "GET /y? ");
}

TEST(Server, SpeaksHttp10) {
  const auto server = start_server([](const std::shared_ptr<Exchange>& exchange) {
    if (exchange->request().path != "/stream") return echo(exchange);
    exchange->begin_stream({.body = "a"});
    exchange->write("b");
    exchange->end_stream();
  });
  TestClient client(server->port());
  EXPECT_EQ(client.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").headers.at("connection"),
            "keep-alive");
  const Answer last = client.ask("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(last.headers.at("connection"), "close");
  EXPECT_TRUE(client.is_at_end());
  // The end of a stream is that of the connection.
  TestClient other(server->port());
  const Answer stream = other.ask("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_FALSE(stream.headers.contains("transfer-encoding"));
  EXPECT_EQ(stream.body, "ab");
}

TEST(Server, ClosesWhenAsked) {
  const auto server = start_server(echo);
  TestClient client(server->port());
  const Answer answer = client.ask(get("/", "Connection: close\r\n"));
  EXPECT_EQ(answer.headers.at("connection"), "close");
  EXPECT_TRUE(client.is_at_end());
}

TEST(Server, AsksForTheBodyThatAClientHoldsBack) {
  const auto server = start_server(echo, {.limits = {.body_bytes = 100}, .access = {.api_keys = {"key"}}});
  TestClient client(server->port());
  client.send(
      "POST / HTTP/1.1\r\nHost: localhost\r\nx-api-key: key\r\nContent-Length: 2\r\nExpect: "
      "100-continue\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 100U);
  client.send("ab");
  EXPECT_EQ(client.read_answer().body, "POST /? ab");
  // What is refused is refused before.
  client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 401U);
  TestClient other(server->port());
  other.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(other.read_answer().status, 413U);
}

TEST(Server, StreamsInChunksAndKeepsTheConnection) {
  Exchanges exchanges;
  const auto server = start_server(exchanges.keeper());
  TestClient client(server->port());
  client.send(get("/"));
  const auto exchange = exchanges.next();
  exchange->begin_stream({.content_type = "text/event-stream", .body = "data: 0\n\n"});
  EXPECT_TRUE(client.read_until("data: 0\n\n"));  // at once, not with the next
  for (int i = 1; i < 1000; ++i) exchange->write("data: " + std::to_string(i) + "\n\n");
  exchange->end_stream();
  const Answer answer = client.read_answer();
  EXPECT_TRUE(answer.complete);
  std::string expected;
  for (int i = 0; i < 1000; ++i) expected += "data: " + std::to_string(i) + "\n\n";
  EXPECT_EQ(answer.body, expected);
  client.send(get("/"));
  exchanges.next()->respond({.body = "again"});
  EXPECT_EQ(client.read_answer().body, "again");
}

TEST(Server, RefusalsHaveTheShapeOfTheirProtocolAndALog) {
  std::mutex mutex;
  std::vector<std::string> lines;
  ServerOptions options{.limits = {.body_bytes = 10}, .access = {.api_keys = {"key"}}};
  options.access_log = [&](const AccessRecord& record) {
    const std::scoped_lock lock(mutex);
    EXPECT_GT(record.bytes, 0U);
    lines.push_back(std::string(record.method) + " " + std::string(record.path) + " " +
                    std::to_string(record.status));
  };
  const auto server = start_server(echo, options);
  {
    TestClient client(server->port());
    const Answer unknown = client.ask(get("/v1/messages?secret=1"));
    EXPECT_EQ(unknown.status, 401U);
    EXPECT_EQ(unknown.headers.at("www-authenticate"), "Bearer");
    EXPECT_NE(unknown.body.find(R"("type":"authentication_error")"), std::string::npos);
    // Nothing is left unread: the connection goes on.
    EXPECT_EQ(client.ask(get("/x", "x-api-key: key\r\n")).status, 200U);
    EXPECT_EQ(client.ask(post("/api/chat", "01234567890", "x-api-key: key\r\n")).body,
              R"({"error":"the body is too large"})");
    EXPECT_TRUE(client.is_at_end());
  }
  TestClient client(server->port());
  EXPECT_EQ(client.ask("nonsense\r\n\r\n").status, 400U);
  EXPECT_TRUE(client.is_at_end());
  server->stop(milliseconds(0));
  EXPECT_EQ(lines,
            (std::vector<std::string>{"GET /v1/messages 401", "GET /x 200", "POST /api/chat 413", "  400"}));
}

TEST(Server, RefusalReachesAClientThatIsStillSending) {
  const auto server = start_server(echo, {.limits = {.body_bytes = 1000}});
  TestClient client(server->port());
  std::thread sender([&] { client.send(post("/", std::string(5 << 20, 'x'))); });
  EXPECT_EQ(client.read_answer().status, 413U);
  sender.join();
}

TEST(Server, AnUnansweredExchangeIsAnError) {
  const auto server = start_server([](const std::shared_ptr<Exchange>&) {});
  TestClient client(server->port());
  for (int i = 0; i < 2; ++i) EXPECT_EQ(client.ask(get("/")).status, 500U);
}

TEST(Server, AStreamThatIsDroppedIsCutOff) {
  Exchanges exchanges;
  const auto server = start_server(exchanges.keeper());
  TestClient client(server->port());
  client.send(get("/"));
  auto exchange = exchanges.next();
  exchange->begin_stream({.body = "half"});
  EXPECT_TRUE(client.read_until("half"));
  exchange.reset();
  const Answer answer = client.read_answer();
  EXPECT_EQ(answer.body, "half");
  EXPECT_FALSE(answer.complete);
}

TEST(Server, AnswersPreflightsOfAllowedOrigins) {
  const auto server =
      start_server(echo, {.access = {.api_keys = {"key"}, .cors_origins = {"https://good.example"}}});
  TestClient client(server->port());
  const Answer preflight = client.ask(
      "OPTIONS /v1/models HTTP/1.1\r\nHost: localhost\r\nOrigin: https://good.example\r\n"
      "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization\r\n\r\n");
  EXPECT_EQ(preflight.status, 204U);
  EXPECT_EQ(preflight.headers.at("access-control-allow-origin"), "https://good.example");
  EXPECT_EQ(preflight.headers.at("access-control-allow-headers"), "authorization");
  const Answer answer = client.ask(post("/", "x", "Origin: https://good.example\r\nx-api-key: key\r\n"));
  EXPECT_EQ(answer.headers.at("access-control-allow-origin"), "https://good.example");
  // A page has to be able to read why.
  const Answer refused = client.ask(get("/", "Origin: https://good.example\r\n"));
  EXPECT_EQ(refused.status, 401U);
  EXPECT_EQ(refused.headers.at("access-control-allow-origin"), "https://good.example");
}

TEST(Server, HeadersOfHandlersCannotEndTheirLine) {
  const auto server = start_server([](const std::shared_ptr<Exchange>& exchange) {
    exchange->respond({.body = "x", .headers = {{"X-A", "1\r\nX-B: 2"}, {"Content-Length", "77"}}});
  });
  TestClient client(server->port());
  const Answer answer = client.ask(get("/"));
  EXPECT_FALSE(answer.headers.contains("x-b"));
  EXPECT_EQ(answer.headers.at("content-length"), "1");
}

TEST(Server, AThousandIdleConnectionsAllGetAnswers) {
  const auto server = start_server(echo);
  // Both ends are in this process; a client's io_context has descriptors, too.
  const std::size_t count = std::min<std::size_t>(1000, sys::raise_open_files_limit() / 6);
  std::vector<std::unique_ptr<TestClient>> clients;
  for (std::size_t i = 0; i < count; ++i) clients.push_back(std::make_unique<TestClient>(server->port()));
  for (int round = 0; round < 2; ++round) {
    for (const auto& client : clients) client->send(get("/x"));
    for (const auto& client : clients) ASSERT_EQ(client->read_answer().body, "GET /x? ");
  }
  EXPECT_EQ(server->connection_count(), count);
}

TEST(Server, TheLongestIdleConnectionMakesRoom) {
  // One thread, so that the order of the answers is that in which the connections become idle.
  const auto server = start_server(echo, {.threads = 1, .limits = {.connections = 2}});
  TestClient first(server->port()), second(server->port());
  EXPECT_EQ(second.ask(get("/")).status, 200U);
  EXPECT_EQ(first.ask(get("/")).status, 200U);
  TestClient third(server->port());
  EXPECT_EQ(third.ask(get("/")).status, 200U);
  EXPECT_TRUE(second.is_at_end());
  EXPECT_EQ(first.ask(get("/")).status, 200U);
}

TEST(Server, WhereAllAreBusyNewConnectionsAreTurnedAway) {
  Exchanges exchanges;
  const auto server = start_server(exchanges.keeper(), {.limits = {.connections = 1}});
  TestClient busy(server->port());
  busy.send(get("/"));
  const auto exchange = exchanges.next();
  TestClient late(server->port());
  EXPECT_EQ(late.read_answer().status, 503U);
  EXPECT_TRUE(late.is_at_end());
  exchange->respond({.body = "done"});
  EXPECT_EQ(busy.read_answer().body, "done");
}

TEST(Server, APortThatIsTakenIsNamed) {
  const auto server = start_server(echo);
  const auto second = Server::start({.port = server->port()}, echo);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find(std::to_string(server->port())), std::string::npos);
  EXPECT_FALSE(Server::start({.host = "example.org", .port = 0}, echo));
}

TEST(Server, ListensOnBothLoopbackAddressesOfLocalhost) {
  const auto server = start_server(echo, {.host = "localhost"});
  EXPECT_EQ(server->urls().front(), "http://127.0.0.1:" + std::to_string(server->port()));
  EXPECT_EQ(TestClient(server->port()).ask(get("/")).status, 200U);
  if (server->urls().size() == 2) {
    EXPECT_EQ(server->urls()[1], "http://[::1]:" + std::to_string(server->port()));
  }
}

// --- Deadlines, shorter than in life.

TEST(ServerDeadline, AHeadThatComesSlowlyIsCutOff) {
  const auto server = start_server(echo, {.limits = {.head_time = milliseconds(50)}});
  TestClient client(server->port());
  client.send("GET / HTTP/1.1\r\nHost: localhost\r\n");
  // As long as it lasts something comes, byte by byte.
  std::thread drip([&] {
    for (int i = 0; i < 100; ++i) {
      client.send("X");
      std::this_thread::sleep_for(milliseconds(10));
    }
  });
  EXPECT_EQ(client.read_answer().status, 408U);
  drip.join();
}

TEST(ServerDeadline, ABodyThatComesSlowlyIsCutOff) {
  const auto server = start_server(echo, {.limits = {.body_stall = milliseconds(50)}});
  TestClient client(server->port());
  client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n");
  std::thread drip([&] {
    for (int i = 0; i < 100; ++i) {
      client.send("X");
      std::this_thread::sleep_for(milliseconds(10));
    }
  });
  EXPECT_EQ(client.read_answer().status, 408U);
  drip.join();
}

TEST(ServerDeadline, IdleConnectionsAreClosed) {
  const auto server = start_server(echo, {.limits = {.idle_time = milliseconds(50)}});
  TestClient silent(server->port()), client(server->port());
  EXPECT_EQ(client.ask(get("/")).status, 200U);
  EXPECT_TRUE(client.is_at_end());
  EXPECT_TRUE(silent.is_at_end());
}

TEST(ServerDeadline, SilentEventStreamsAreKeptAlive) {
  Exchanges exchanges;
  const auto server = start_server(exchanges.keeper(), {.limits = {.sse_silence = milliseconds(20)}});
  TestClient client(server->port());
  client.send(get("/"));
  const auto exchange = exchanges.next();
  exchange->begin_stream({.content_type = "text/event-stream", .body = {}});
  EXPECT_TRUE(client.read_until(": keep-alive\n\n\r\n"));
  exchange->write("data: x\n\n");
  EXPECT_TRUE(client.read_until("data: x\n\n\r\ne\r\n: keep-alive\n\n\r\n"));
  exchange->end_stream();
}

TEST(ServerDeadline, AClientThatReadsNothingIsCutOff) {
  Exchanges exchanges;
  const auto server = start_server(exchanges.keeper(), {.limits = {.write_stall = milliseconds(50)}});
  TestClient client(server->port());
  client.send(get("/"));
  const auto exchange = exchanges.next();
  Event closed;
  exchange->on_closed([&] { closed.happen(); });
  exchange->respond({.body = std::string(64 << 20, 'x')});
  closed.wait();
  EXPECT_FALSE(client.read_answer().complete);
}

// --- The end.

TEST(ServerStop, ClosesIdleConnectionsAndLetsExchangesFinish) {
  Exchanges exchanges;
  const auto server = start_server(exchanges.keeper());
  TestClient idle(server->port()), busy(server->port()), streaming(server->port());
  busy.send(get("/"));
  const auto answered = exchanges.next();
  streaming.send(get("/"));
  const auto streamed = exchanges.next();
  streamed->begin_stream({.body = "begin"});
  EXPECT_TRUE(streaming.read_until("begin"));
  std::thread stopper([&] { server->stop(std::chrono::hours(1)); });
  EXPECT_TRUE(idle.is_at_end());
  answered->respond({.body = "done"});
  const Answer answer = busy.read_answer();
  EXPECT_EQ(answer.body, "done");
  EXPECT_EQ(answer.headers.at("connection"), "close");
  busy.close();
  streamed->write(" end");
  streamed->end_stream();
  EXPECT_EQ(streaming.read_answer().body, "begin end");
  streaming.close();
  stopper.join();
}

TEST(ServerStop, ClosesWhatDoesNotFinishInTime) {
  Exchanges exchanges;
  auto server = start_server(exchanges.keeper());
  TestClient client(server->port());
  client.send(get("/"));
  const auto exchange = exchanges.next();
  Event closed;
  exchange->on_closed([&] { closed.happen(); });
  server->stop(milliseconds(20));
  EXPECT_EQ(closed.count(), 1);
  EXPECT_TRUE(exchange->is_closed());
  EXPECT_TRUE(client.is_at_end());
  server.reset();
  exchange->respond({.body = "too late"});  // the exchange outlives the server
  EXPECT_EQ(exchange->request().path, "/");
}

}  // namespace
}  // namespace cistern::serve::http
