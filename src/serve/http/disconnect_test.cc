// Clients that go away, in every phase of an exchange, and clients that read slowly.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <thread>

#include "serve/http/http_test.h"

namespace cistern::serve::http {
namespace {

// How a client can go.
enum class Leave { kClose, kReset, kHalfClose };

class DisconnectTest : public testing::TestWithParam<Leave> {
 protected:
  void leave(TestClient& client) {
    switch (GetParam()) {
      case Leave::kClose:
        return client.close();
      case Leave::kReset:
        return client.reset();
      case Leave::kHalfClose:
        return client.shut_down_sending();
    }
  }
  // Until the server has none left.
  void wait_for_no_connections() const {
    while (server_->connection_count() > 0) std::this_thread::yield();
  }

  Exchanges exchanges_;
  std::unique_ptr<Server> server_ = start_server(exchanges_.keeper());
};

TEST_P(DisconnectTest, BeforeARequest) {
  TestClient client(server_->port());
  leave(client);
  wait_for_no_connections();
}

TEST_P(DisconnectTest, InTheHead) {
  TestClient client(server_->port());
  client.send("POST / HTTP/1.1\r\nHost: loc");
  leave(client);
  wait_for_no_connections();
}

TEST_P(DisconnectTest, InTheBody) {
  TestClient client(server_->port());
  client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc");
  leave(client);
  wait_for_no_connections();
}

TEST_P(DisconnectTest, WhileTheHandlerThinks) {
  TestClient client(server_->port());
  client.send(post("/", "x"));
  const auto exchange = exchanges_.next();
  Event closed;
  exchange->on_closed([&] { closed.happen(); });
  EXPECT_FALSE(exchange->is_closed());
  leave(client);
  closed.wait();
  EXPECT_TRUE(exchange->is_closed());
  exchange->respond({.body = "nobody reads this"});
  wait_for_no_connections();
  EXPECT_EQ(closed.count(), 1);
  EXPECT_EQ(exchange->unsent_bytes(), 0U);
}

TEST_P(DisconnectTest, WhileTheAnswerIsStreamed) {
  TestClient client(server_->port());
  client.send(get("/"));
  const auto exchange = exchanges_.next();
  Event closed;
  exchange->on_closed([&] { closed.happen(); });
  exchange->begin_stream({.body = "begin"});
  EXPECT_TRUE(client.read_until("begin"));
  leave(client);
  closed.wait();
  for (int i = 0; i < 100; ++i) exchange->write("more");
  exchange->end_stream();
  wait_for_no_connections();
  EXPECT_EQ(closed.count(), 1);
  EXPECT_EQ(exchange->unsent_bytes(), 0U);
}

TEST_P(DisconnectTest, WithAPipelinedRequestUnread) {
  TestClient client(server_->port());
  client.send(get("/1") + get("/2"));
  const auto exchange = exchanges_.next();
  Event closed;
  exchange->on_closed([&] { closed.happen(); });
  leave(client);
  closed.wait();
  wait_for_no_connections();
}

TEST_P(DisconnectTest, ACallThatComesTooLateIsMadeAtOnce) {
  TestClient client(server_->port());
  client.send(get("/"));
  const auto exchange = exchanges_.next();
  leave(client);
  while (!exchange->is_closed()) std::this_thread::yield();
  Event closed;
  exchange->on_closed([&] { closed.happen(); });
  EXPECT_EQ(closed.count(), 1);
}

TEST_P(DisconnectTest, AfterACompleteAnswerNobodyIsCalled) {
  TestClient client(server_->port());
  client.send(get("/"));
  const auto exchange = exchanges_.next();
  const auto witness = std::make_shared<int>(0);
  exchange->on_closed([witness] { ++*witness; });
  exchange->respond({.body = "answer"});
  EXPECT_EQ(client.read_answer().body, "answer");
  leave(client);
  wait_for_no_connections();
  EXPECT_EQ(*witness, 0);
  EXPECT_FALSE(exchange->is_closed());
  EXPECT_EQ(witness.use_count(), 1);  // the call, and what it holds, is gone
}

std::string name_of_way(const testing::TestParamInfo<Leave>& way) {
  constexpr std::array<const char*, 3> kNames = {"Close", "Reset", "HalfClose"};
  return kNames[static_cast<std::size_t>(way.param)];
}
INSTANTIATE_TEST_SUITE_P(Ways, DisconnectTest,
                         testing::Values(Leave::kClose, Leave::kReset, Leave::kHalfClose), name_of_way);

TEST(Disconnect, AnAnswerThatIsCompleteIsStillSentToAHalfClosedClient) {
  const auto server = start_server(echo);
  TestClient client(server->port());
  client.send(get("/a"));
  client.shut_down_sending();
  EXPECT_EQ(client.read_answer().body, "GET /a? ");
  EXPECT_TRUE(client.is_at_end());
}

TEST(BackPressure, UnsentBytesGrowAndFall) {
  Exchanges exchanges;
  const auto server = start_server(exchanges.keeper(), {.limits = {.unsent_bytes = 64 << 20}});
  TestClient client(server->port());
  client.send(get("/"));
  const auto exchange = exchanges.next();
  exchange->begin_stream({.body = {}});
  // More than the buffers of the system take.
  constexpr std::size_t kPieceBytes = 1 << 20, kPieces = 32;
  for (std::size_t i = 0; i < kPieces; ++i) exchange->write(std::string(kPieceBytes, 'x'));
  EXPECT_GT(exchange->unsent_bytes(), 0U);
  exchange->end_stream();
  EXPECT_EQ(client.read_answer().body.size(), kPieces * kPieceBytes);
  while (exchange->unsent_bytes() > 0) std::this_thread::yield();
  EXPECT_FALSE(exchange->is_closed());
}

TEST(BackPressure, AClientThatLetsTooMuchWaitIsCutOff) {
  Exchanges exchanges;
  const auto server = start_server(exchanges.keeper(), {.limits = {.unsent_bytes = 1 << 20}});
  TestClient client(server->port());
  client.send(get("/"));
  const auto exchange = exchanges.next();
  Event closed;
  exchange->on_closed([&] { closed.happen(); });
  exchange->begin_stream({.body = {}});
  const std::string piece(256 << 10, 'x');
  while (!exchange->is_closed()) {
    exchange->write(piece);
    EXPECT_LT(exchange->unsent_bytes(), (1 << 20) + 100'000U);
  }
  closed.wait();
  EXPECT_FALSE(client.read_answer().complete);
}

}  // namespace
}  // namespace cistern::serve::http
