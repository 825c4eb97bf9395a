// What becomes of tasks and of who answers them: in the end nothing is left, whoever ended it.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "serve/client_watch.h"
#include "serve/openai/protocol_test.h"

namespace cistern::serve::openai {
namespace {

using namespace cistern::testing;

struct Endpoint {
  const char* name;
  const char* path;
  const char* body;
};
constexpr Endpoint kDocuments[] = {
    {"ChatDocument", "/v1/chat/completions", R"({"messages": [{"role": "user", "content": "Hi"}]})"},
    {"CompletionDocument", "/v1/completions", R"({"prompt": ["Hi", "Ho"]})"},
    {"ResponseDocument", "/v1/responses", R"({"input": "Hi"})"},
};
constexpr Endpoint kStreams[] = {
    {"ChatStream", "/v1/chat/completions",
     R"({"messages": [{"role": "user", "content": "Hi"}], "stream": true})"},
    {"CompletionStream", "/v1/completions", R"({"prompt": ["Hi", "Ho"], "stream": true})"},
    {"ResponseStream", "/v1/responses", R"({"input": "Hi", "stream": true})"},
};

class Lifecycle : public ProtocolTest, public ::testing::WithParamInterface<Endpoint> {
 protected:
  Lifecycle() {
    backend->script = {tell_start(1), tell_content("a"), tell_content("b"), tell_finish(Finish::kEnd),
                       tell_done({})};
  }

  std::shared_ptr<FakeExchange> begin(std::size_t calls) {
    backend->at_once = calls;
    return post(GetParam().path, GetParam().body);
  }
  bool is_stream() const { return std::string(GetParam().name).ends_with("Stream"); }
  std::size_t tasks() const { return backend->generated.size(); }

  // Nobody but this test knows the exchange, and nobody the sinks.
  void expect_nothing_left(std::shared_ptr<FakeExchange> exchange) {
    EXPECT_EQ(backend->living_sinks(), 0U);
    const std::weak_ptr<FakeExchange> left = exchange;
    exchange = nullptr;
    EXPECT_TRUE(left.expired());
  }
};

TEST_P(Lifecycle, NothingIsLeftOfAnAnswer) {
  auto exchange = begin(0);
  EXPECT_EQ(backend->living_sinks(), tasks());
  backend->play();
  EXPECT_TRUE(exchange->is_complete());
  EXPECT_EQ(exchange->status(), 200U);
  EXPECT_EQ(backend->cancelled(), 0U);
  expect_nothing_left(std::exchange(exchange, nullptr));
}

TEST_P(Lifecycle, NothingIsLeftOfAnAnswerThatWasThereAtOnce) {
  auto exchange = begin(SIZE_MAX);
  EXPECT_TRUE(exchange->is_complete());
  expect_nothing_left(std::exchange(exchange, nullptr));
}

TEST_P(Lifecycle, AClientThatGoesEndsItsTasks) {
  for (const std::size_t calls : {0U, 1U, 2U}) {
    auto exchange = begin(calls);
    const std::size_t before = backend->cancelled();
    exchange->close();
    EXPECT_EQ(backend->cancelled(),
              before + (std::string(GetParam().name).starts_with("Completion") ? 2 : 1));
    EXPECT_TRUE(exchange->is_complete());
    expect_nothing_left(std::exchange(exchange, nullptr));
  }
}

TEST_P(Lifecycle, AClientThatWentBeforeItsTaskBeganEndsIt) {
  auto exchange = FakeExchange::post(GetParam().path, GetParam().body);
  exchange->close();
  backend->at_once = 0;
  send(exchange);
  EXPECT_EQ(backend->cancelled(), tasks());
  expect_nothing_left(std::exchange(exchange, nullptr));
}

class StreamLifecycle : public Lifecycle {};  // documents are written once

TEST_P(StreamLifecycle, AClientThatReadsTooSlowlyEndsItsTasks) {
  auto exchange = begin(1);
  exchange->set_unsent_bytes(kMostUnsentBytes);
  backend->play(1);
  EXPECT_EQ(backend->cancelled(), 0U);
  exchange->set_unsent_bytes(kMostUnsentBytes + 1);
  backend->play(1);
  EXPECT_EQ(backend->cancelled(), tasks());
  EXPECT_TRUE(exchange->is_complete());
  expect_nothing_left(std::exchange(exchange, nullptr));
}

TEST_P(Lifecycle, AnErrorBeforeTheAnswerBeginsHasItsStatus) {
  backend->script = {tell_error({ErrorCode::kTimeout, "too late", ""})};
  auto exchange = begin(0);
  backend->play();
  EXPECT_EQ(exchange->status(), 504U);
  EXPECT_EQ(exchange->body(),
            R"({"error":{"message":"too late","type":"server_error","param":null,"code":null}})");
  expect_nothing_left(std::exchange(exchange, nullptr));
}

TEST_P(Lifecycle, AnErrorWithinAStreamIsItsLastEvent) {
  backend->script = {tell_start(1), tell_content("a"),
                     tell_error({ErrorCode::kIo, "the disk failed", "/tmp/m"})};
  auto exchange = begin(SIZE_MAX);
  EXPECT_TRUE(exchange->is_complete());
  if (is_stream()) {
    const boost::json::value last = boost::json::parse(sse_events(exchange->body()).back().data);
    const boost::json::value& holder = last.as_object().contains("response") ? last.at("response") : last;
    EXPECT_EQ(holder.at("error").at("message"), "the disk failed");
  } else {
    EXPECT_EQ(exchange->status(), 500U);
  }
  expect_nothing_left(std::exchange(exchange, nullptr));
}

TEST_P(Lifecycle, ABackendThatIsBusySaysWhenToComeAgain) {
  backend->refusal = Error{ErrorCode::kBusy, "too many requests wait", ""};
  backend->retry_s = 7;
  auto exchange = begin(0);
  EXPECT_EQ(exchange->status(), 429U);
  EXPECT_EQ(exchange->header("Retry-After"), "7");
  EXPECT_EQ(exchange->body(), R"({"error":{"message":"too many requests wait","type":"rate_limit_error",)"
                              R"("param":null,"code":"rate_limit_exceeded"}})");
  expect_nothing_left(std::exchange(exchange, nullptr));
}

TEST_P(Lifecycle, AnswersAndDeparturesMayCrossEachOther) {
  for (int round = 0; round < 200; ++round) {
    auto exchange = begin(0);
    std::thread client([&] { exchange->close(); });
    backend->play();
    client.join();
    backend->play();
    EXPECT_TRUE(exchange->is_complete());
    expect_nothing_left(std::exchange(exchange, nullptr));
  }
}

std::string name_of_row(const ::testing::TestParamInfo<Endpoint>& row) {
  return row.param.name;
}

INSTANTIATE_TEST_SUITE_P(Documents, Lifecycle, ::testing::ValuesIn(kDocuments), name_of_row);
INSTANTIATE_TEST_SUITE_P(Streams, Lifecycle, ::testing::ValuesIn(kStreams), name_of_row);
INSTANTIATE_TEST_SUITE_P(Streams, StreamLifecycle, ::testing::ValuesIn(kStreams), name_of_row);

using SeveralPrompts = ProtocolTest;

TEST_F(SeveralPrompts, OneThatIsRefusedEndsTheOthers) {
  backend->script = {tell_start(1), tell_done({})};
  backend->at_once = 0;
  backend->refusal = Error{ErrorCode::kBusy, "too many requests wait", ""};
  backend->refused_after = 2;
  const auto exchange = post("/v1/completions", R"({"prompt": ["a", "b", "c", "d"]})");
  EXPECT_EQ(exchange->status(), 429U);
  EXPECT_EQ(backend->generated.size(), 2U);
  EXPECT_EQ(backend->cancelled(), 2U);
  EXPECT_EQ(backend->living_sinks(), 0U);
}

}  // namespace
}  // namespace cistern::serve::openai
