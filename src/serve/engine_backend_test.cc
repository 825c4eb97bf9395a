#include "serve/engine_backend.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>

#include "support/fixtures.h"

namespace cistern::serve {
namespace {

// Keeps what it is told and waits for the end of it.
class KeptAnswer final : public AnswerSink {
 public:
  void on_start(std::uint32_t, std::uint32_t) override { ++starts; }
  void on_delta(std::uint32_t choice, const std::vector<Delta>& deltas,
                const std::vector<ChosenLogprob>& logprobs) override {
    EXPECT_EQ(starts, 1);
    if (texts.size() <= choice) texts.resize(choice + 1);
    for (const Delta& delta : deltas) texts[choice] += delta.text;
    n_logprobs += logprobs.size();
    if (cancel_on_delta) cancel_on_delta();
  }
  void on_finish(std::uint32_t, Finish finish, const std::string&) override { finishes.push_back(finish); }
  void on_done(const Usage& told) override {
    usage = told;
    end();
  }
  void on_error(const Error& told) override {
    error = told;
    end();
  }

  void wait() {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [this] { return has_ended_; });
  }

  int starts = 0;
  std::vector<std::string> texts;
  std::size_t n_logprobs = 0;
  std::vector<Finish> finishes;
  Usage usage;
  std::optional<Error> error;
  std::function<void()> cancel_on_delta;

 private:
  void end() {
    const std::lock_guard lock(mutex_);
    EXPECT_FALSE(has_ended_);
    has_ended_ = true;
    ended_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable ended_;
  bool has_ended_ = false;
};

GenerationTask question(std::uint32_t max_tokens) {
  GenerationTask task;
  Conversation conversation;
  conversation.messages = {{{"role", "user"}, {"content", "What is the KV cache?"}}};
  task.prompt = conversation;
  task.max_tokens = max_tokens;
  return task;
}

GenerationTask raw(std::string text, std::uint32_t max_tokens) {
  GenerationTask task;
  task.prompt = RawText{.text = std::move(text), .suffix = {}};
  task.max_tokens = max_tokens;
  return task;
}

class EngineBackendTest : public ::testing::Test {
 protected:
  static ModelPool::Options pool() {
    ModelPool::Options options;
    options.policy.service.max_running = 4;
    return options;
  }

  std::shared_ptr<KeptAnswer> answer(GenerationTask task) {
    auto sink = std::make_shared<KeptAnswer>();
    const auto running = backend_.generate(std::move(task), sink);
    if (!running) {
      sink->error = running.error();
      return sink;
    }
    sink->wait();
    return sink;
  }

  std::vector<GenerationReport> reports_;
  EngineBackend backend_{OfferedModels("guide", ""),
                         pool(),
                         {.report = [this](const GenerationReport& report) { reports_.push_back(report); }}};
};

TEST_F(EngineBackendTest, LoadsTheModelForItsFirstTaskAndAnswers) {
  EXPECT_FALSE(backend_.models().front().loaded);
  const auto first = answer(question(16));
  EXPECT_TRUE(backend_.models().front().loaded);
  ASSERT_FALSE(first->error);
  EXPECT_NE(first->texts.at(0).find("keys and values"), std::string::npos) << first->texts.at(0);
  EXPECT_EQ(first->finishes, std::vector{Finish::kLength});
  EXPECT_EQ(first->usage.completion_tokens, 16U);
  EXPECT_GT(first->usage.load_s, 0);
  const auto again = answer(question(16));
  EXPECT_EQ(again->texts, first->texts);
  EXPECT_EQ(again->usage.cached_tokens, again->usage.prompt_tokens - 1);
  EXPECT_EQ(again->usage.load_s, 0);
}

TEST_F(EngineBackendTest, ChoicesAreToldInOneOrderAndEndTogether) {
  GenerationTask task = question(8);
  task.choices = 3;
  task.logprobs = true;
  const auto kept = answer(std::move(task));
  ASSERT_FALSE(kept->error);
  EXPECT_EQ(kept->starts, 1);
  EXPECT_EQ(kept->texts.size(), 3U);
  EXPECT_EQ(kept->texts[0], kept->texts[2]) << "the guide is greedy";
  EXPECT_EQ(kept->finishes.size(), 3U);
  EXPECT_EQ(kept->n_logprobs, 24U);
  EXPECT_EQ(kept->usage.completion_tokens, 24U);
}

TEST_F(EngineBackendTest, AMessageIsContinuedWhereItEnds) {
  GenerationTask task = question(8);
  auto& conversation = std::get<Conversation>(task.prompt);
  conversation.messages.push_back({{"role", "assistant"}, {"content", "The KV cache holds the keys"}});
  conversation.continue_last = true;
  const auto kept = answer(std::move(task));
  ASSERT_FALSE(kept->error) << describe(*kept->error);
  EXPECT_TRUE(kept->texts.at(0).starts_with(" and values")) << kept->texts.at(0);
}

TEST_F(EngineBackendTest, CountsThePromptAsItReadsIt) {
  const auto counted = backend_.count_tokens(question(1));
  ASSERT_TRUE(counted);
  EXPECT_EQ(*counted, answer(question(1))->usage.prompt_tokens);
}

TEST_F(EngineBackendTest, ACancelledTaskTellsSoAndEnds) {
  ASSERT_TRUE(backend_.load(""));
  GenerationTask task = raw("One two three", 900);
  task.ignore_end = true;
  const auto sink = std::make_shared<KeptAnswer>();
  const auto running = backend_.generate(std::move(task), sink);
  ASSERT_TRUE(running);
  (*running)->cancel();
  sink->wait();
  EXPECT_EQ(sink->finishes, std::vector{Finish::kCancelled});
}

TEST_F(EngineBackendTest, WhatIsWrongWithATaskIsSaidAtOnceWhereTheModelIsLoaded) {
  ASSERT_TRUE(backend_.load(""));
  GenerationTask unknown = question(1);
  unknown.model = "nope";
  GenerationTask biased = question(1);
  biased.sampling.logit_bias = {{99'999'999, 1.0F}};
  GenerationTask gap = raw("a", 1);
  std::get<RawText>(gap.prompt).suffix = "b";
  GenerationTask long_prompt = raw("", 1);
  for (int i = 0; i < 3000; ++i) std::get<RawText>(long_prompt.prompt).text += "word ";
  for (const auto& [task, code] :
       {std::pair{unknown, ErrorCode::kNotFound}, std::pair{biased, ErrorCode::kUsage},
        std::pair{gap, ErrorCode::kUnsupported}, std::pair{long_prompt, ErrorCode::kTooLong}}) {
    const auto running = backend_.generate(task, std::make_shared<KeptAnswer>());
    ASSERT_FALSE(running);
    EXPECT_EQ(running.error().code, code) << describe(running.error());
  }
}

TEST_F(EngineBackendTest, WhatIsWrongIsToldToTheSinkWhereTheModelHadToBeLoaded) {
  GenerationTask biased = question(1);
  biased.sampling.logit_bias = {{99'999'999, 1.0F}};
  const auto kept = answer(std::move(biased));
  ASSERT_TRUE(kept->error);
  EXPECT_EQ(kept->error->code, ErrorCode::kUsage);
}

TEST_F(EngineBackendTest, AModelThatWasNotMadeForVectorsMakesNone) {
  std::promise<Result<Backend::Vectors>> promise;
  backend_.embed({.model = "", .inputs = {std::string("x")}},
                 [&](Result<Backend::Vectors> vectors) { promise.set_value(std::move(vectors)); });
  const auto vectors = promise.get_future().get();
  ASSERT_FALSE(vectors);
  EXPECT_EQ(vectors.error().code, ErrorCode::kUnsupported);
}

TEST(EngineBackendEmbeddingTest, VectorsHaveLengthOneAndTheOrderOfTheTexts) {
  EngineBackend backend(OfferedModels((testing::data_dir() / "models/bert-mean/model.gguf").string(), ""), {},
                        {});
  const auto embed = [&](std::vector<std::variant<std::string, RawTokens>> inputs) {
    std::promise<Result<Backend::Vectors>> promise;
    backend.embed({.model = "", .inputs = std::move(inputs)},
                  [&](Result<Backend::Vectors> vectors) { promise.set_value(std::move(vectors)); });
    return promise.get_future().get();
  };
  const auto both = embed({std::string("a cat"), std::string("the dog")});
  ASSERT_TRUE(both) << describe(both.error());
  ASSERT_EQ(both->rows.size(), 2U);
  EXPECT_EQ(embed({std::string("the dog")})->rows.front(), both->rows[1]);
  const auto too_long = embed({std::string("a"), RawTokens(100'000, 5)});
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().where, "input[1]");
}

}  // namespace
}  // namespace cistern::serve
