// A service that many requests share gives each of them the tokens that it gets alone (contract 4): for every
// golden model, beside others, from pages that others have filled, after it was put off, and whatever its
// layers keep beside pages. And at the end nothing is held for anybody.
#include "engine/service.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "base/rng.h"
#include "support/fixtures.h"
#include "support/golden.h"
#include "support/sanitizer.h"

namespace cistern {
namespace {

namespace fs = std::filesystem;
using engine::RequestId;
using engine::Service;
using engine::ServiceState;
using Ids = std::vector<text::TokenId>;

// What a request got. A test waits for its end.
class Collected final : public engine::Listener {
 public:
  void on_prompt(std::uint32_t, std::uint32_t reused) override { reused_ = reused; }
  void on_token(const engine::ServedToken& token) override {
    const std::lock_guard lock(mutex_);
    ids_.push_back(token.id);
    text_ += token.text;
    changed_.notify_all();
  }
  void on_end(const engine::ServedEnd& end) override { finish(end, {}); }
  void on_error(const Error& error) override { finish({}, error); }

  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return done_; });
  }
  void wait_for_tokens(std::size_t n) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return done_ || ids_.size() >= n; });
  }
  // After wait().
  const Ids& ids() const { return ids_; }
  const engine::ServedEnd& end() const { return end_; }
  const std::optional<Error>& error() const { return error_; }
  std::uint32_t reused() const { return reused_; }

 private:
  void finish(const engine::ServedEnd& end, std::optional<Error> error) {
    const std::lock_guard lock(mutex_);
    EXPECT_FALSE(done_) << "ended twice";
    end_ = end;
    error_ = std::move(error);
    done_ = true;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  Ids ids_;
  std::string text_;
  engine::ServedEnd end_;
  std::optional<Error> error_;
  std::uint32_t reused_ = 0;
  bool done_ = false;
};

Ids some_ids(std::size_t n, std::uint32_t n_vocab, std::uint64_t seed) {
  Rng rng(seed);
  Ids ids(n);
  for (text::TokenId& id : ids) id = static_cast<text::TokenId>(rng.next() % n_vocab);
  return ids;
}

Ids joined(Ids a, const Ids& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

engine::Request greedy(Ids prompt, std::uint32_t max_tokens) {
  engine::Request request{.prompt = std::move(prompt), .max_tokens = max_tokens};
  request.sampling.temperature = 0;
  request.ignore_end = true;
  return request;
}

std::string path_of(const fs::path& folder) {
  return (folder / "model.gguf").string();
}

std::unique_ptr<Service> start(const std::string& path, std::uint32_t running, std::uint32_t context) {
  auto model = engine::open_model({.model = path});
  EXPECT_TRUE(model) << (model ? "" : describe(model.error()));
  if (!model) return nullptr;
  engine::LoadOptions load;
  load.context_tokens = context;
  load.threads = 2;
  auto service = Service::start(*std::move(model), load, {.max_running = running});
  EXPECT_TRUE(service) << (service ? "" : describe(service.error()));
  return service ? *std::move(service) : nullptr;
}

Ids alone(const std::string& path, const Ids& prompt, std::uint32_t max_tokens, std::uint32_t context) {
  auto model = engine::open_model({.model = path});
  engine::LoadOptions load;
  load.context_tokens = context;
  load.threads = 1;
  const auto engine = engine::Engine::load(*std::move(model), load);
  EXPECT_TRUE(engine) << (engine ? "" : describe(engine.error()));
  engine::Request request = greedy(prompt, max_tokens);
  request.speculate = false;
  auto generation = (*engine)->submit(std::move(request));
  EXPECT_TRUE(generation);
  Ids ids;
  while (true) {
    const auto step = generation->next();
    EXPECT_TRUE(step) << (step ? "" : describe(step.error()));
    if (!step || !*step) return ids;
    ids.push_back((*step)->id);
  }
}

// The service publishes its state after a step; what was running has ended by then.
ServiceState settled(const Service& service) {
  ServiceState state = service.state();
  while (state.running + state.queued > 0 || state.finished + state.cancelled + state.failed == 0)
    state = service.state();
  return state;
}

class ServedModels : public ::testing::TestWithParam<fs::path> {};

TEST_P(ServedModels, give_each_request_what_it_gets_alone) {
  const std::string path = path_of(GetParam());
  const auto opened = engine::open_model({.model = path});
  ASSERT_TRUE(opened);
  const auto spec = spec::read_model_spec(opened->inventory());
  ASSERT_TRUE(spec);
  const std::uint32_t context = std::min(256U, spec->context_tokens);
  // Some share a beginning of more than a page, one of them a part of it; one is short; one comes twice.
  const std::size_t most = context - 30;
  const Ids shared = some_ids(most * 2 / 3, spec->n_vocab, 1);
  std::vector<Ids> prompts;
  prompts.push_back(joined(shared, some_ids(most / 6, spec->n_vocab, 2)));
  prompts.push_back(joined(shared, some_ids(most / 4, spec->n_vocab, 3)));
  prompts.push_back(
      joined(Ids(shared.begin(), shared.begin() + std::ssize(shared) / 2), some_ids(5, spec->n_vocab, 4)));
  prompts.push_back(some_ids(1, spec->n_vocab, 5));
  prompts.push_back(prompts[0]);
  prompts.push_back(some_ids(most, spec->n_vocab, 6));
  constexpr std::uint32_t kTokens = 12;
  std::vector<Ids> expected;
  for (const Ids& prompt : prompts) expected.push_back(alone(path, prompt, kTokens, context));

  // Three at a time, so that pages of one context and a half are shared by requests that want more.
  const auto service = start(path, 3, context);
  ASSERT_NE(service, nullptr);
  for (int round = 0; round < 2; ++round) {
    std::vector<std::shared_ptr<Collected>> got;
    for (const Ids& prompt : prompts) {
      got.push_back(std::make_shared<Collected>());
      ASSERT_TRUE(service->submit({.request = greedy(prompt, kTokens)}, got.back()));
    }
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      got[i]->wait();
      EXPECT_FALSE(got[i]->error()) << describe(*got[i]->error());
      EXPECT_EQ(got[i]->ids(), expected[i])
          << "prompt " << i << ", round " << round << ", reused " << got[i]->reused();
    }
    if (round == 1 && prompts[0].size() > kv::kPageTokens) {
      EXPECT_GT(got[0]->reused(), 0U) << "the same prompt came before";
    }
  }
  // What it said before is a beginning, too.
  const auto again = std::make_shared<Collected>();
  const Ids longer = joined(joined(prompts[0], expected[0]), some_ids(3, spec->n_vocab, 7));
  ASSERT_TRUE(service->submit({.request = greedy(longer, 3)}, again));
  again->wait();
  EXPECT_EQ(again->ids(), alone(path, longer, 3, context));
  const ServiceState state = settled(*service);
  EXPECT_EQ(state.pages_used, 0U);
  EXPECT_EQ(state.failed + state.cancelled, 0U);
}

INSTANTIATE_TEST_SUITE_P(Models, ServedModels, ::testing::ValuesIn(testing::golden_folders()),
                         testing::test_name_of);

class Served : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kContext = 256;
  std::string path_ = path_of(testing::golden_folders().front());
  std::uint32_t n_vocab_ = spec::read_model_spec(engine::open_model({.model = path_})->inventory())->n_vocab;
};

TEST_F(Served, a_full_queue_refuses) {
  auto model = engine::open_model({.model = path_});
  engine::LoadOptions load;
  load.context_tokens = kContext;
  const auto service = Service::start(*std::move(model), load, {.max_running = 1, .max_queued = 1});
  ASSERT_TRUE(service);
  std::vector<std::shared_ptr<Collected>> got;
  std::uint32_t refused = 0;
  for (int i = 0; i < 20; ++i) {
    auto listener = std::make_shared<Collected>();
    const auto id = (*service)->submit({.request = greedy(some_ids(100, n_vocab_, 1), 100)}, listener);
    if (id) {
      got.push_back(listener);
    } else {
      EXPECT_EQ(id.error().code, ErrorCode::kBusy);
      ++refused;
    }
  }
  EXPECT_GT(refused, 0U);
  for (const auto& listener : got) {
    listener->wait();
    EXPECT_EQ(listener->ids().size(), 100U);
  }
}

TEST_F(Served, a_cancelled_request_ends_and_leaves_nothing) {
  const auto service = start(path_, 2, kContext);
  ASSERT_NE(service, nullptr);
  const auto first = std::make_shared<Collected>();
  const auto queued = std::make_shared<Collected>();
  const auto id = service->submit({.request = greedy(some_ids(10, n_vocab_, 1), 240)}, first);
  ASSERT_TRUE(id);
  std::vector<std::shared_ptr<Collected>> others;
  for (int i = 0; i < 3; ++i) {
    others.push_back(std::make_shared<Collected>());
    ASSERT_TRUE(service->submit({.request = greedy(some_ids(10, n_vocab_, 2), 50)}, others.back()));
  }
  const auto second = service->submit({.request = greedy(some_ids(10, n_vocab_, 3), 50)}, queued);
  ASSERT_TRUE(second);
  service->cancel(*second);
  queued->wait();
  EXPECT_EQ(queued->end().reason, engine::StopReason::kCancelled);
  first->wait_for_tokens(2);
  service->cancel(*id);
  service->cancel(*id);
  service->cancel(12345);
  first->wait();
  EXPECT_EQ(first->end().reason, engine::StopReason::kCancelled);
  for (const auto& other : others) {
    other->wait();
    EXPECT_EQ(other->ids().size(), 50U);
  }
  EXPECT_EQ(settled(*service).pages_used, 0U);
  EXPECT_EQ(settled(*service).cancelled, 2U);
}

TEST_F(Served, a_service_that_ends_ends_its_requests) {
  const auto listener = std::make_shared<Collected>();
  const auto queued = std::make_shared<Collected>();
  {
    const auto service = start(path_, 1, kContext);
    ASSERT_NE(service, nullptr);
    ASSERT_TRUE(service->submit({.request = greedy(some_ids(10, n_vocab_, 1), 240)}, listener));
    ASSERT_TRUE(service->submit({.request = greedy(some_ids(10, n_vocab_, 1), 240)}, queued));
    listener->wait_for_tokens(1);
  }
  listener->wait();
  queued->wait();
  EXPECT_EQ(queued->end().reason, engine::StopReason::kCancelled);
}

TEST_F(Served, time_can_run_out) {
  const auto service = start(path_, 1, kContext);
  ASSERT_NE(service, nullptr);
  const auto late = std::make_shared<Collected>();
  ASSERT_TRUE(service->submit({.request = greedy(some_ids(10, n_vocab_, 1), 200), .timeout_s = 0.0}, late));
  late->wait();
  ASSERT_TRUE(late->error());
  EXPECT_EQ(late->error()->code, ErrorCode::kTimeout);
}

TEST_F(Served, more_than_the_pages_hold_takes_turns) {
  if (!testing::kMemoryIsOurs) GTEST_SKIP() << testing::kSanitizersMemory;
  // Pages for one context (and one page per request), but four requests that fill it.
  auto model = engine::open_model({.model = path_});
  engine::LoadOptions load;
  load.context_tokens = kContext;
  load.memory_bytes = 0;
  const Ids prompt = some_ids(20, n_vocab_, 9);
  std::vector<Ids> prompts;
  for (std::uint64_t i = 0; i < 4; ++i) prompts.push_back(some_ids(60 + 10 * i, n_vocab_, 20 + i));
  std::uint64_t budget = 0;  // the least that does
  {
    load.memory_bytes.reset();
    const auto spec = spec::read_model_spec(model->inventory());
    load.sequences = 4;
    load.paged = true;
    auto run = engine::plan_run(model->files, model->path, *spec, load);
    ASSERT_TRUE(run);
    const auto& plan = run->plan;
    const std::uint64_t more = (plan.paged->pages - kv::pages_of(kContext)) * kv::page_bytes(plan.cache);
    budget = plan.total_bytes() - more + kv::page_bytes(plan.cache);
  }
  // The process grows meanwhile, and the budget has to hold that, too.
  Result<std::unique_ptr<Service>> service = fail(ErrorCode::kMemory, "");
  for (int i = 0; i < 100 && !service && service.error().code == ErrorCode::kMemory; ++i) {
    load.memory_bytes = budget + i * (64ULL << 10U);
    service = Service::start(*engine::open_model({.model = path_}), load, {.max_running = 4});
  }
  ASSERT_TRUE(service) << describe(service.error());
  std::vector<std::shared_ptr<Collected>> got;
  for (const Ids& p : prompts) {
    got.push_back(std::make_shared<Collected>());
    ASSERT_TRUE((*service)->submit({.request = greedy(p, 150)}, got.back()));
  }
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    got[i]->wait();
    EXPECT_FALSE(got[i]->error());
    EXPECT_EQ(got[i]->ids(), alone(path_, prompts[i], 150, kContext)) << i;
  }
  EXPECT_LT((*service)->state().pages_all, 4 * kv::pages_of(220)) << "then nobody had to wait";
  EXPECT_EQ(settled(**service).pages_used, 0U);
}

TEST_F(Served, a_beginning_that_many_share_is_read_once) {
  const auto service = start(path_, 8, kContext);
  ASSERT_NE(service, nullptr);
  const Ids shared = some_ids(2 * kv::kPageTokens, n_vocab_, 1);
  std::vector<std::shared_ptr<Collected>> got;
  for (std::uint64_t i = 0; i < 8; ++i) {
    got.push_back(std::make_shared<Collected>());
    ASSERT_TRUE(
        service->submit({.request = greedy(joined(shared, some_ids(3, n_vocab_, 10 + i)), 5)}, got.back()));
  }
  for (const auto& listener : got) listener->wait();
  const ServiceState state = settled(*service);
  EXPECT_EQ(state.prompt_tokens, shared.size() + 8 * 3);
  EXPECT_EQ(state.reused_tokens, 7 * shared.size());
}

// Random models repeat themselves soon when they are greedy; so guesses come true, and are cut off in the
// midst by the length, which leaves nothing wrong behind.
TEST_F(Served, an_answer_alone_is_guessed_ahead_and_stays_the_same) {
  const auto service = start(path_, 4, kContext);
  ASSERT_NE(service, nullptr);
  const Ids once = some_ids(7, n_vocab_, 3);
  const Ids prompt = joined(joined(once, once), joined(once, once));
  std::uint32_t accepted = 0;
  for (std::uint32_t n = 150; n < 160; ++n) {
    const auto got = std::make_shared<Collected>();
    ASSERT_TRUE(service->submit({.request = greedy(prompt, n)}, got));
    got->wait();
    EXPECT_EQ(got->ids(), alone(path_, prompt, n, kContext));
    EXPECT_EQ(got->end().stats.decoded_tokens, n - 1);
    accepted += got->end().stats.accepted_tokens;
  }
  EXPECT_GT(accepted, 0U);
  const auto longer = std::make_shared<Collected>();
  const Ids all = joined(prompt, alone(path_, prompt, 159, kContext));
  ASSERT_TRUE(service->submit({.request = greedy(all, 20)}, longer));
  longer->wait();
  EXPECT_GT(longer->reused(), 128U);
  EXPECT_EQ(longer->ids(), alone(path_, all, 20, kContext));
  EXPECT_EQ(settled(*service).pages_used, 0U);
}

TEST_F(Served, logprobs_are_those_of_the_model) {
  const auto service = start(path_, 1, kContext);
  ASSERT_NE(service, nullptr);
  struct Logprobs final : engine::Listener {
    void on_prompt(std::uint32_t, std::uint32_t) override {}
    void on_token(const engine::ServedToken& token) override { tokens.push_back(token); }
    void on_end(const engine::ServedEnd&) override {
      done.store(true);
      done.notify_all();
    }
    void on_error(const Error&) override {
      done.store(true);
      done.notify_all();
    }
    std::vector<engine::ServedToken> tokens;
    std::atomic<bool> done{false};
  };
  const auto listener = std::make_shared<Logprobs>();
  ASSERT_TRUE(
      service->submit({.request = greedy(some_ids(10, n_vocab_, 1), 5), .top_logprobs = 3}, listener));
  listener->done.wait(false);
  ASSERT_EQ(listener->tokens.size(), 5U);
  for (const engine::ServedToken& token : listener->tokens) {
    ASSERT_EQ(token.top.size(), 3U);
    EXPECT_EQ(token.top[0].id, token.id) << "the likeliest was chosen";
    EXPECT_EQ(token.top[0].logprob, token.logprob);
    EXPECT_LE(token.logprob, 0.0F);
    EXPECT_GE(token.top[1].logprob, token.top[2].logprob);
  }
}

}  // namespace
}  // namespace cistern
