// Guessing with the model's own layer: the answer stays the same, guesses depend on the tokens alone and not
// on how they arrived, and a layer that knows what the model will say is always right.
#include "engine/mtp_drafter.h"

#include <gtest/gtest.h>

#include <numeric>

#include "engine/answer_test.h"
#include "support/edited_model.h"
#include "support/fixtures.h"
#include "support/mtp_models.h"

namespace cistern::engine {
namespace {

constexpr const char* kArchitectures[] = {"deepseek2", "deepseek32", "glm-dsa",  "glm4moe",
                                          "qwen3next", "qwen35",     "qwen35moe"};

Ids some_tokens(std::size_t count, std::uint32_t step = 37) {
  Ids ids;
  for (std::uint32_t i = 0; i < count; ++i) ids.push_back(i * step % 499 + 5);
  return ids;
}

Answer answer(Engine& engine, const Ids& prompt, bool speculate, Request request) {
  request.prompt = prompt;
  request.ignore_end = true;
  request.speculate = speculate;
  return answer(engine, std::move(request));
}

std::unique_ptr<Engine> load(OpenModel model, std::uint32_t context_tokens) {
  auto engine = Engine::load(std::move(model), {.context_tokens = context_tokens, .threads = 2, .mtp = true});
  EXPECT_TRUE(engine) << describe(engine.error());
  return std::move(*engine);
}

Ids propose(Runtime& runtime, text::TokenId pending, std::uint32_t most) {
  TokenHistory history;
  history.start(runtime.sequence->tokens());
  history.append(pending);
  const auto guesses = runtime.mtp->propose(history, most);
  EXPECT_TRUE(guesses) << describe(guesses.error());
  return {guesses->begin(), guesses->end()};
}

TEST(MtpDrafter, changes_no_answer) {
  for (const char* arch : kArchitectures) {
    for (const float temperature : {0.0F, 0.8F}) {
      const auto engine =
          load(testing::MtpModel(arch).open(), 256);  // which knows nothing of its guesses yet
      ASSERT_TRUE(engine->plan().mtp) << arch;
      const Request request{.max_tokens = 90, .sampling = {.temperature = temperature, .seed = 3}};
      const Answer plain = answer(*engine, some_tokens(20), false, request);
      const Answer guessed = answer(*engine, some_tokens(20), true, request);
      EXPECT_EQ(plain.ids, guessed.ids) << arch << " at " << temperature;
      EXPECT_GT(guessed.stats.drafted_tokens, 0U) << arch;
      EXPECT_LT(guessed.stats.accepted_tokens, guessed.stats.drafted_tokens) << arch;
    }
  }
}

TEST(MtpDrafter, reads_embedding_and_head_of_its_own) {
  const auto fixtures = testing::require_shared_fixtures();
  if (!fixtures) GTEST_SKIP() << testing::kNoSharedFixtures;
  auto model = open_model({.model = (*fixtures / "models" / "glm4moe-nextn" / "model.gguf").string()});
  ASSERT_TRUE(model) << describe(model.error());
  const auto engine = load(std::move(*model), 200);
  ASSERT_TRUE(engine->spec().mtp);
  Ids prompt = some_tokens(12);
  for (text::TokenId& id : prompt) id %= engine->spec().n_vocab;
  const Request request{.max_tokens = 60, .sampling = {.temperature = 0}};
  const Answer guessed = answer(*engine, prompt, true, request);
  EXPECT_EQ(guessed.ids, answer(*engine, prompt, false, request).ids);
  EXPECT_GT(guessed.stats.drafted_tokens, 0U);
}

// What is still read as a model with such a layer runs, whatever a number of its metadata says.
TEST(MtpDrafter, runs_when_metadata_lie) {
  ModelShape shape = testing::mtp_shape("deepseek32");
  shape.layers = 2;
  shape.vocab = 300;
  const testing::TempDir dir;
  dir.write("model.gguf", testing::MtpModel(shape).bytes());
  int n_run = 0;
  for (const testing::Mutant& mutant : testing::mutants_of(dir.path().string())) {
    SCOPED_TRACE(mutant.about);
    auto model = open_model({.model = dir.write("mutant.gguf", mutant.model.build()).string()});
    if (!model) continue;
    auto runtime = load_runtime(std::move(*model),
                                {.context_tokens = 24, .threads = 1, .memory_bytes = 1U << 30U, .mtp = true});
    if (!runtime || !(*runtime)->mtp) continue;
    ASSERT_TRUE((*runtime)->sequence->feed(Ids(9, 7), {.chunk_tokens = 4}));
    EXPECT_EQ(propose(**runtime, 7, 3).size(), 3U);
    ++n_run;
  }
  EXPECT_GT(n_run, 20);
}

// Greedy, the model's next tokens by its own logits.
Ids continuation(Runtime& runtime, std::size_t count) {
  Ids ids;
  for (std::size_t i = 0; i < count; ++i) {
    const auto logits = runtime.sequence->last_logits();
    EXPECT_TRUE(logits);
    ids.push_back(static_cast<text::TokenId>(std::ranges::max_element(*logits) - logits->begin()));
    EXPECT_TRUE(runtime.sequence->feed({&ids.back(), 1}, {}));
  }
  return ids;
}

TEST(MtpDrafter, is_always_right_where_it_knows) {
  for (const char* arch : {"deepseek2", "glm4moe", "qwen3next", "qwen35"}) {
    testing::MtpModel file(arch);
    file.make_predictable();
    const auto runtime = file.load({.context_tokens = 128, .threads = 2, .mtp = true});
    ASSERT_TRUE(runtime->sequence->feed(some_tokens(20), {}));
    const Ids truth = continuation(*runtime, 9);
    runtime->sequence->clear();
    ASSERT_TRUE(runtime->sequence->feed(some_tokens(20), {}));
    EXPECT_EQ(propose(*runtime, truth[0], 7), Ids(truth.begin() + 1, truth.begin() + 8)) << arch;

    const auto engine = load(file.open(), 128);
    const Request request{.max_tokens = 60, .sampling = {.temperature = 0}};
    const Answer plain = answer(*engine, some_tokens(20), false, request);
    const Answer guessed = answer(*engine, some_tokens(20), true, request);
    EXPECT_EQ(plain.ids, guessed.ids) << arch;
    EXPECT_EQ(guessed.stats.accepted_tokens, guessed.stats.drafted_tokens) << arch;
    EXPECT_GT(guessed.stats.accepted_tokens, 0U) << arch;
  }
}

// What a runtime that has read these tokens in one go guesses after them.
Ids fresh_guesses(const testing::MtpModel& file, const LoadOptions& options, const Ids& tokens) {
  const auto runtime = file.load(options);
  EXPECT_TRUE(runtime->sequence->feed(std::span(tokens).first(tokens.size() - 1), {}));
  return propose(*runtime, tokens.back(), 5);
}

TEST(MtpDrafter, follows_pieces_rejections_and_other_beginnings) {
  for (const char* arch : kArchitectures) {
    SCOPED_TRACE(arch);
    testing::MtpModel file(arch);
    // What the layer remembers of the tokens before counts for much.
    for (float& weight : file.values("blk.4.attn_output.weight")) weight *= 50;
    const LoadOptions options{.context_tokens = 96, .kv_type = DType::kF32, .threads = 2, .mtp = true};
    const auto runtime = file.load(options);
    Sequence& sequence = *runtime->sequence;
    const Ids tokens = some_tokens(60);
    const auto from = [&](std::size_t first, std::size_t count) {
      return std::span(tokens).subspan(first, count);
    };

    ASSERT_TRUE(sequence.feed(from(0, 30), {.chunk_tokens = 7}));
    EXPECT_EQ(propose(*runtime, tokens[30], 5), fresh_guesses(file, options, some_tokens(31)));

    // Three of six tentative tokens turn out right, with and without guesses before.
    for (const std::size_t begin : {30U, 33U}) {
      Ids tentative(from(begin, 3).begin(), from(begin, 3).end());
      tentative.insert(tentative.end(), {9, 8, 7});
      ASSERT_TRUE(sequence.can_feed_tentatively(6));
      ASSERT_TRUE(sequence.feed_tentatively(tentative, {}));
      ASSERT_TRUE(sequence.keep(3, {}));
    }
    EXPECT_EQ(propose(*runtime, tokens[36], 5), fresh_guesses(file, options, some_tokens(37)));
    EXPECT_EQ(propose(*runtime, 11, 5).size(), 5U);  // the pending token may be another

    // A text with the same beginning, cut where guesses were made and where none were.
    for (const std::size_t same : {36U, 20U, 30U, 1U}) {
      Ids other(from(0, same).begin(), from(0, same).end());
      const Ids tail = some_tokens(12, 91);
      other.insert(other.end(), tail.begin(), tail.end());
      const std::uint32_t kept = sequence.keep_common_prefix(other);
      EXPECT_LE(kept, same);
      if (!runtime->caches[0].has_state()) {
        EXPECT_GE(kept + 1, same);
      }
      ASSERT_TRUE(sequence.feed(std::span(other).subspan(kept, other.size() - 1 - kept), {}));
      EXPECT_EQ(propose(*runtime, other.back(), 5), fresh_guesses(file, options, other)) << same;
      (void)sequence.keep_common_prefix(tokens);
      ASSERT_TRUE(sequence.feed(from(sequence.tokens().size(), 40 - sequence.tokens().size()), {}));
    }
  }
}

// More tokens than wait at most: they are read on the way.
TEST(MtpDrafter, reads_long_texts_on_the_way) {
  const testing::MtpModel file("qwen35");
  const LoadOptions options{.context_tokens = 900, .kv_type = DType::kF32, .threads = 2, .mtp = true};
  const Ids tokens = some_tokens(851);
  const auto runtime = file.load(options);
  for (std::size_t begin = 0; begin < 850;) {
    const std::size_t n = std::min<std::size_t>(850 - begin, begin % 3 == 0 ? 200 : 75);
    ASSERT_TRUE(runtime->sequence->feed(std::span(tokens).subspan(begin, n), {}));
    begin += n;
  }
  const Ids guesses = propose(*runtime, tokens.back(), 5);
  EXPECT_EQ(guesses, fresh_guesses(file, options, tokens));
}

TEST(MtpDrafter, goes_on_after_a_context_shift_and_in_the_next_answer) {
  for (const char* arch : {"glm4moe", "qwen35"}) {
    testing::MtpModel file(arch);
    file.make_predictable();
    const auto engine = load(file.open(), 48);
    const Request request{
        .max_tokens = 120, .sampling = {.temperature = 0}, .context_shift = true, .keep_tokens = 4};
    const Answer plain = answer(*engine, some_tokens(20), false, request);
    const Answer guessed = answer(*engine, some_tokens(20), true, request);
    EXPECT_EQ(plain.ids, guessed.ids) << arch;
    EXPECT_EQ(guessed.stats.accepted_tokens, guessed.stats.drafted_tokens) << arch;

    Ids next = some_tokens(20);
    next.insert(next.end(), {77, 78});
    const Request short_one{.max_tokens = 20, .sampling = {.temperature = 0}};
    const Answer first = answer(*engine, next, true, short_one);
    next.insert(next.end(), first.ids.begin(), first.ids.end());
    const Answer second = answer(*engine, next, true, short_one);
    EXPECT_EQ(second.stats.accepted_tokens, second.stats.drafted_tokens) << arch;
    EXPECT_GE(second.stats.reused_tokens + 2U, next.size()) << arch;
    EXPECT_EQ(second.ids, answer(*engine, next, false, short_one).ids) << arch;
  }
}

TEST(MtpDrafter, is_in_the_plan_byte_by_byte) {
  const testing::MtpModel file("glm4moe");
  const auto with = file.load({.context_tokens = 128, .threads = 1, .mtp = true});
  const auto without = file.load({.context_tokens = 128, .threads = 1});
  EXPECT_TRUE(with->mtp);
  EXPECT_FALSE(without->mtp);
  EXPECT_FALSE(without->plan.mtp);
  std::uint64_t weights = 0;
  for (const file::TensorInfo& info : with->open.inventory().tensors()) {
    if (info.name.starts_with("blk.4.")) weights += info.size_bytes;
  }
  EXPECT_EQ(with->plan.weights_bytes, without->plan.weights_bytes + weights);
  EXPECT_EQ(with->plan.kv_bytes, without->plan.kv_bytes / testing::kMtpLayers * (testing::kMtpLayers + 1));
  EXPECT_EQ(with->plan.buffer_bytes, with->arena.bytes().size());
  const std::uint64_t hidden = std::uint64_t{129} * 64 * sizeof(float);
  EXPECT_GE(with->plan.buffer_bytes, without->plan.buffer_bytes + hidden);
}

// Where it does not fit, the model runs without it.
TEST(MtpDrafter, is_left_out_where_memory_is_short) {
  ModelShape shape = testing::mtp_shape("qwen35");
  shape.layers = 1;
  shape.ffn = 16384;  // megabytes more than what the process itself may vary by
  const testing::MtpModel file(shape);
  LoadOptions options{.context_tokens = 64, .threads = 1, .mtp = true};
  const std::uint64_t full = file.load(options)->plan.total_bytes();
  options.mtp = false;
  const std::uint64_t less = file.load(options)->plan.total_bytes();
  ASSERT_GT(full, less + (6U << 20U));
  options.mtp = true;
  options.memory_bytes = less + (full - less) / 2;
  const auto runtime = file.load(options);
  EXPECT_FALSE(runtime->mtp);
  EXPECT_LE(runtime->plan.total_bytes(), *options.memory_bytes);
}

}  // namespace
}  // namespace cistern::engine
