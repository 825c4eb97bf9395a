#include "serve/model_pool.h"

#include <gtest/gtest.h>

#include <future>

#include "support/fixtures.h"
#include "support/sanitizer.h"

namespace cistern::serve {
namespace {

const Offer kGuide = {.id = "guide", .path = "guide"};

Offer golden(const std::string& name) {
  return {.id = name, .path = (testing::data_dir() / "models" / name / "model.gguf").string()};
}

Result<ModelPool::Lease> waited(ModelPool& pool, const Offer& offer) {
  std::promise<Result<ModelPool::Lease>> promise;
  const auto ticket =
      pool.wait_for(offer, [&](Result<ModelPool::Lease> lease) { promise.set_value(std::move(lease)); });
  EXPECT_TRUE(ticket);
  return promise.get_future().get();
}

TEST(ModelPoolTest, SeveralModelsStayWhereMemoryAllows) {
  ModelPool pool({});
  EXPECT_EQ(pool.lease(kGuide), nullptr);
  ASSERT_TRUE(waited(pool, kGuide));
  ASSERT_TRUE(waited(pool, golden("llama")));
  EXPECT_NE(pool.lease(kGuide), nullptr);
  EXPECT_EQ(pool.loaded().size(), 2U);
  EXPECT_EQ(pool.loads(), 2U);
}

TEST(ModelPoolTest, AModelThatCannotBeLoadedSaysWhyToAllWhoWait) {
  ModelPool pool({});
  const auto lease = waited(pool, {.id = "none", .path = "/nowhere/none.gguf"});
  ASSERT_FALSE(lease);
  EXPECT_EQ(lease.error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(waited(pool, kGuide)) << "the pool goes on";
}

TEST(ModelPoolTest, AModelThatNobodyUsesIsUnloadedAndLoadedAgain) {
  std::promise<void> unloaded;
  ModelPool pool(
      {.policy = {}, .idle_unload_s = 1e-6, .on_event = [&, once = false](const PoolEvent& e) mutable {
         if (e.kind != PoolEvent::Kind::kUnloaded || std::exchange(once, true)) return;
         unloaded.set_value();
       }});
  auto lease = waited(pool, kGuide);
  ASSERT_TRUE(lease);
  EXPECT_EQ(pool.loaded().size(), 1U) << "it is in use";
  *lease = nullptr;
  unloaded.get_future().wait();
  EXPECT_EQ(pool.lease(kGuide), nullptr);
  EXPECT_TRUE(waited(pool, kGuide));
  EXPECT_EQ(pool.loads(), 2U);
}

// One that is in use makes those wait who want another's memory.
TEST(ModelPoolTest, WhereMemoryIsShortTheIdleOneMakesRoom) {
  if (!testing::kMemoryIsOurs) GTEST_SKIP() << testing::kSanitizersMemory;
  ModelPool::Options options;
  std::vector<std::string> unloaded;
  options.on_event = [&](const PoolEvent& e) {
    if (e.kind == PoolEvent::Kind::kUnloaded) unloaded.push_back(e.id);
  };
  // As large as what each takes by itself and less than its keys and values, so that no two fit, though
  // this process has grown meanwhile.
  options.policy.load.context_tokens = 1024;
  options.policy.service.max_running = 1;
  std::uint64_t alone_bytes = 0;
  for (int round = 0; round < 2; ++round) {  // the first one touches pages of this program for the first time
    ModelPool alone(options);
    const auto lease = waited(alone, kGuide);
    ASSERT_TRUE(lease) << describe(lease.error());
    alone_bytes = (*lease)->service->plan().total_bytes();
  }
  options.policy.load.memory_bytes = alone_bytes + (3U << 20U);
  unloaded.clear();
  ModelPool pool(options);
  auto guide = waited(pool, kGuide);
  ASSERT_TRUE(guide) << describe(guide.error());
  std::promise<Result<ModelPool::Lease>> other;
  ASSERT_TRUE(pool.wait_for({.id = "again", .path = "guide"},
                            [&](Result<ModelPool::Lease> lease) { other.set_value(std::move(lease)); }));
  EXPECT_TRUE(unloaded.empty());
  *guide = nullptr;
  const auto lease = other.get_future().get();
  EXPECT_EQ(unloaded, std::vector<std::string>{"guide"});
}

TEST(ModelPoolTest, WhoGivesUpIsNotCalled) {
  ModelPool pool({});
  std::promise<void> began;
  std::promise<void> go_on;
  ASSERT_TRUE(pool.wait_for(kGuide, [&](const Result<ModelPool::Lease>&) {
    began.set_value();
    go_on.get_future().wait();
  }));
  began.get_future().wait();
  const auto ticket = pool.wait_for(golden("llama"), [](const Result<ModelPool::Lease>&) { FAIL(); });
  ASSERT_TRUE(ticket);
  EXPECT_TRUE(pool.give_up(*ticket));
  go_on.set_value();
  EXPECT_TRUE(waited(pool, kGuide));
}

}  // namespace
}  // namespace cistern::serve
