// Guessing tokens must change nothing but the time: answers with and without, by repetition or by a draft
// model, greedy and sampled, are the same token by token.
#include <gtest/gtest.h>

#include "engine/answer_test.h"
#include "engine/draft_length.h"
#include "engine/prompt_lookup.h"
#include "sample/grammar.h"
#include "support/fixtures.h"

namespace cistern::engine {
namespace {

OpenModel open(const std::string& name) {
  auto model = open_model({.model = (testing::data_dir() / "models" / name / "model.gguf").string()});
  EXPECT_TRUE(model) << describe(model.error());
  return std::move(*model);
}

std::unique_ptr<Engine> load(const std::string& name) {
  auto engine = Engine::load(open(name), {.threads = 2});
  EXPECT_TRUE(engine) << describe(engine.error());
  return std::move(*engine);
}

Answer answer(Engine& engine, bool speculate, float temperature, std::uint32_t max_tokens) {
  Ids prompt;
  for (std::uint32_t i = 0; i < 24; ++i) prompt.push_back(i % 6 * 11 + 40);
  Request request{.prompt = prompt,
                  .max_tokens = max_tokens,
                  .sampling = {.temperature = temperature, .repetition_penalty = 1.1F, .seed = 7},
                  .ignore_end = true,
                  .speculate = speculate};
  // A model of random weights repeats itself seldom: three tokens that are far likelier than all others.
  for (const text::TokenId id : {50U, 51U, 52U}) request.sampling.logit_bias.emplace_back(id, 8.0F);
  return answer(engine, std::move(request));
}

// Windows and recurrent states take tokens back in ways of their own.
TEST(Speculation, answers_are_the_same_without_it) {
  for (const char* name : {"llama", "gemma3", "mistral", "qwen2"}) {
    const auto engine = load(name);
    for (const float temperature : {0.0F, 0.7F}) {
      for (const std::uint32_t n : {1U, 2U, 40U, 150U}) {
        const Answer plain = answer(*engine, false, temperature, n);
        const Answer guessed = answer(*engine, true, temperature, n);
        EXPECT_EQ(plain.ids, guessed.ids) << name << " at " << temperature;
        EXPECT_EQ(plain.stats.drafted_tokens, 0U);
        EXPECT_LE(guessed.stats.accepted_tokens, guessed.stats.drafted_tokens);
        EXPECT_EQ(guessed.stats.decoded_tokens, guessed.stats.decode_steps + guessed.stats.accepted_tokens);
      }
    }
  }
}

// Of the guesses of one pass, the grammar sees those that are chosen, in their order.
TEST(Speculation, a_grammar_holds_with_and_without_it) {
  const auto engine = load("llama");
  const auto vocab = sample::GrammarVocab::create(engine->tokenizer());
  ASSERT_TRUE(vocab) << describe(vocab.error());
  const auto grammar = sample::compile_gbnf(R"(root ::= ("ab" | "ba" | [a-z]{3} " ")*)", *vocab);
  ASSERT_TRUE(grammar) << describe(grammar.error());
  for (const float temperature : {0.0F, 0.7F}) {
    Request request{.prompt = {40, 51, 62, 40, 51, 62},
                    .max_tokens = 80,
                    .sampling = {.temperature = temperature, .seed = 7},
                    .speculate = false,
                    .grammar = *grammar};
    const Answer plain = answer(*engine, request);
    request.speculate = true;
    const Answer guessed = answer(*engine, request);
    EXPECT_EQ(plain.ids, guessed.ids) << temperature;
    EXPECT_GT(guessed.stats.drafted_tokens + plain.ids.size(), 0U);
    sample::GrammarState state(*grammar);
    for (const text::TokenId id : plain.ids) ASSERT_TRUE(state.accept(id));
  }
}

TEST(Speculation, a_recurrent_state_is_taken_back) {
  const auto fixtures = testing::require_shared_fixtures();
  if (!fixtures) GTEST_SKIP() << testing::kNoSharedFixtures;
  for (const char* name : {"mamba2", "qwen35", "lfm2", "deepseek4", "kimi-linear"}) {
    auto model = open_model({.model = (*fixtures / "models" / name / "model.gguf").string()});
    ASSERT_TRUE(model) << describe(model.error());
    auto engine = Engine::load(std::move(*model), {.context_tokens = 256, .threads = 2});
    ASSERT_TRUE(engine) << describe(engine.error());
    const Answer plain = answer(**engine, false, 0.7F, 120);
    const Answer guessed = answer(**engine, true, 0.7F, 120);
    EXPECT_EQ(plain.ids, guessed.ids) << name;
    EXPECT_LT(guessed.stats.accepted_tokens, guessed.stats.drafted_tokens) << name << ": nothing taken back";
  }
}

TEST(Speculation, a_draft_model_changes_nothing_but_the_steps) {
  const auto engine = load("llama");
  const Answer plain = answer(*engine, false, 0.5F, 100);
  ASSERT_TRUE(engine->set_draft_model(open("llama"), {.threads = 1}));  // itself: never wrong when greedy
  const Answer guessed = answer(*engine, true, 0.5F, 100);
  EXPECT_EQ(plain.ids, guessed.ids);
  EXPECT_GT(guessed.stats.drafted_tokens, 0U);
}

TEST(Speculation, a_draft_model_must_have_the_same_vocabulary) {
  const auto engine = load("llama");
  const auto other = engine->set_draft_model(open("qwen2"), {});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::kUsage);
  EXPECT_NE(other.error().message.find("vocabulary"), std::string::npos);
}

// Of a text that is another each time.
struct Lookup {
  PromptLookup lookup;
  TokenHistory history;
};

Ids guess(Lookup& lookup, std::uint32_t most) {
  const auto guesses = lookup.lookup.propose(lookup.history, most);
  EXPECT_TRUE(guesses);
  return {guesses->begin(), guesses->end()};
}

Ids guess(Lookup& lookup, const Ids& tokens, std::uint32_t most) {
  lookup.history.start(tokens);
  return guess(lookup, most);
}

TEST(PromptLookup, says_what_followed_the_same_three_tokens) {
  Lookup lookup;
  EXPECT_EQ(guess(lookup, {1, 2, 3, 4, 5, 9, 1, 2, 3}, 4), (Ids{4, 5, 9, 1}));
  EXPECT_EQ(guess(lookup, {1, 2, 3, 4, 5, 9, 1, 2, 3}, 2), (Ids{4, 5}));
  EXPECT_EQ(guess(lookup, {1, 2, 3, 4, 5, 9, 1, 2, 3, 7}, 2), Ids{});
  EXPECT_EQ(guess(lookup, {1, 2}, 2), Ids{});
  EXPECT_EQ(guess(lookup, {}, 2), Ids{});
}

TEST(PromptLookup, goes_round_in_a_short_repetition) {
  Lookup lookup;
  EXPECT_EQ(guess(lookup, {5, 5, 5, 5}, 6), (Ids{5, 5, 5, 5, 5, 5}));
  EXPECT_EQ(guess(lookup, {8, 1, 2, 1, 2, 1, 2, 1}, 5), (Ids{2, 1, 2, 1, 2}));
}

TEST(PromptLookup, prefers_the_place_that_agrees_longest) {
  Lookup lookup;
  EXPECT_EQ(guess(lookup, {7, 8, 1, 2, 3, 40, 9, 9, 1, 2, 3, 50, 7, 8, 1, 2, 3}, 1), Ids{40});
}

TEST(PromptLookup, forgets_a_text_that_is_another) {
  Lookup lookup;
  EXPECT_EQ(guess(lookup, {1, 2, 3, 4, 1, 2, 3}, 1), Ids{4});
  EXPECT_EQ(guess(lookup, {9, 1, 2, 3}, 1), Ids{});
}

TEST(PromptLookup, learns_as_the_text_grows) {
  Lookup lookup;
  EXPECT_EQ(guess(lookup, {1, 2, 3, 4, 5}, 2), Ids{});
  for (const text::TokenId id : {1U, 2U, 3U}) lookup.history.append(id);
  EXPECT_EQ(guess(lookup, 2), (Ids{4, 5}));
  lookup.history.append(9);
  EXPECT_EQ(guess(lookup, 2), Ids{});
  for (const text::TokenId id : {2U, 3U, 9U}) lookup.history.append(id);
  EXPECT_EQ(guess(lookup, 1), Ids{2});
}

TEST(DraftLength, tries_now_and_then_what_is_not_best) {
  DraftLength length;
  EXPECT_EQ(length.next(7).made, 0U);  // what a plain step takes comes first
  length.add_step(0, 0, 1.0);
  int n_plain = 0;
  for (int i = 0; i < 320; ++i) {
    const DraftLength::Count n = length.next(7);
    EXPECT_EQ(n.made, n.checked);
    n_plain += n.made == 0;
    length.add_step(n.checked, n.checked, 1.0 + 0.05 * n.checked);
  }
  EXPECT_EQ(n_plain, 20);
  int n_hints = 0, n_checked = 0;
  for (int i = 0; i < 640; ++i) {
    const DraftLength::Count n = length.next(7);
    n_checked += n.checked > 0;
    if (n.made > 0 && n.checked == 0) {
      ++n_hints;
      length.add_hint(false);
    } else {
      length.add_step(n.checked, 0, 1.0 + 0.05 * n.checked);
    }
  }
  EXPECT_GE(n_hints, 20);
  EXPECT_LT(n_checked, 64);
  while (length.best(7) == 0) length.add_hint(true);
  EXPECT_GT(length.next(7).checked, 0U);
  EXPECT_EQ(length.next(0).made, 0U);
}

TEST(DraftLength, grows_with_luck_and_falls_to_nothing_without) {
  DraftLength length;
  for (int i = 0; i < 50; ++i) {
    length.add_step(0, 0, 1.0);
    length.add_step(4, 4, 1.2);
  }
  EXPECT_EQ(length.best(7), 7U);
  for (int i = 0; i < 50; ++i) length.add_step(4, 0, 1.2);
  EXPECT_EQ(length.best(7), 0U);
  for (int i = 0; i < 50; ++i) length.add_hint(true);
  EXPECT_GT(length.best(7), 0U);
}

TEST(DraftLength, is_nothing_where_each_token_costs_a_step) {
  DraftLength length;
  for (int i = 0; i < 50; ++i) {
    length.add_step(0, 0, 1.0);
    length.add_step(2, 1, 3.0);
  }
  EXPECT_EQ(length.best(7), 0U);
}

}  // namespace
}  // namespace cistern::engine
