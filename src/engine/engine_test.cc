#include "engine/engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "engine/answer_test.h"
#include "support/fixtures.h"
#include "support/temp_dir.h"
#include "sys/memory_limits.h"

namespace cistern::engine {
namespace {

std::string model_path(const std::string& name) {
  return (testing::data_dir() / "models" / name / "model.gguf").string();
}

std::unique_ptr<Engine> load(const std::string& path, LoadOptions options = {}) {
  auto open = open_model({.model = path});
  EXPECT_TRUE(open) << describe(open.error());
  options.threads = 2;
  auto engine = Engine::load(std::move(*open), options);
  EXPECT_TRUE(engine) << describe(engine.error());
  return std::move(*engine);
}

Ids some_ids(std::size_t n, std::uint32_t seed = 1) {
  Ids ids;
  for (std::uint32_t i = 0; i < n; ++i) ids.push_back((seed * 31 + i * 37) % 290 + 5);
  return ids;
}

Request greedy(Ids prompt, std::uint32_t max_tokens) {
  return {.prompt = std::move(prompt),
          .max_tokens = max_tokens,
          .sampling = {.temperature = 0},
          .ignore_end = true};
}

std::vector<float> all_logits(Engine& engine, const Ids& ids, std::uint32_t chunk = 0) {
  std::vector<float> result;
  const auto done = engine.logits(
      ids, chunk, [&](std::span<const float> row) { result.insert(result.end(), row.begin(), row.end()); });
  EXPECT_TRUE(done) << describe(done.error());
  return result;
}

text::TokenId best_after(Engine& engine, const Ids& ids) {
  const std::vector<float> logits = all_logits(engine, ids);
  const std::size_t n_vocab = engine.spec().n_vocab;
  const auto last = logits.end() - static_cast<std::ptrdiff_t>(n_vocab);
  return static_cast<text::TokenId>(std::max_element(last, logits.end()) - last);
}

Ids joined(const Ids& a, const Ids& b) {
  Ids both = a;
  both.insert(both.end(), b.begin(), b.end());
  return both;
}

TEST(Engine, logits_do_not_depend_on_chunks) {
  auto engine = load(model_path("gemma3"), {.kv_type = DType::kF32});
  const Ids ids = some_ids(40);
  const std::vector<float> whole = all_logits(*engine, ids);
  EXPECT_EQ(whole.size(), 40U * engine->spec().n_vocab);
  EXPECT_EQ(all_logits(*engine, ids, 1), whole);
  EXPECT_EQ(all_logits(*engine, ids, 7), whole);
}

TEST(Engine, greedy_takes_the_best_logit_at_every_step) {
  auto engine = load(model_path("qwen3"));
  auto judge = load(model_path("qwen3"));
  const Ids prompt = some_ids(9);
  const Answer a = answer(*engine, greedy(prompt, 12));
  ASSERT_EQ(a.ids.size(), 12U);
  EXPECT_EQ(a.reason, StopReason::kLength);
  for (std::size_t i = 0; i < a.ids.size(); ++i) {
    EXPECT_EQ(a.ids[i],
              best_after(*judge,
                         joined(prompt, Ids(a.ids.begin(), a.ids.begin() + static_cast<std::ptrdiff_t>(i)))));
  }
}

TEST(Engine, a_second_prompt_reuses_what_the_cache_holds_and_gives_the_same_answer) {
  for (const char* name : {"llama", "mistral", "gemma3", "phi3-longrope"}) {
    auto engine = load(model_path(name));
    const Ids first = some_ids(10);
    const Answer a = answer(*engine, greedy(first, 8));
    const Ids second = joined(joined(first, a.ids), some_ids(5, 9));
    const Answer b = answer(*engine, greedy(second, 8));
    EXPECT_EQ(b.ids, answer(*load(model_path(name)), greedy(second, 8)).ids) << name;
    EXPECT_EQ(b.stats.prompt_tokens, second.size());
    EXPECT_EQ(b.stats.reused_tokens, 10U + 7) << name << ": all but the last token of the first answer";
  }
}

TEST(Engine, a_prompt_that_goes_back_behind_a_window_is_read_again) {
  auto engine = load(model_path("mistral"), {.context_tokens = 200});
  const Ids prompt = some_ids(150);
  answer(*engine, greedy(prompt, 4));
  Ids changed(prompt.begin(), prompt.begin() + 20);
  changed = joined(changed, some_ids(10, 5));
  EXPECT_EQ(answer(*engine, greedy(changed, 6)).ids,
            answer(*load(model_path("mistral")), greedy(changed, 6)).ids);
}

TEST(Engine, longrope_changes_sides_where_the_sequence_outgrows_the_original_context) {
  auto engine = load(model_path("phi3-longrope"));
  auto judge = load(model_path("phi3-longrope"));
  const Ids prompt = some_ids(25);  // the original context is 32
  const Answer a = answer(*engine, greedy(prompt, 16));
  ASSERT_EQ(a.ids.size(), 16U);
  for (std::size_t i = 0; i < a.ids.size(); ++i) {
    EXPECT_EQ(a.ids[i],
              best_after(*judge,
                         joined(prompt, Ids(a.ids.begin(), a.ids.begin() + static_cast<std::ptrdiff_t>(i)))))
        << i;
  }
  EXPECT_EQ(answer(*engine, greedy(prompt, 4)).ids, Ids(a.ids.begin(), a.ids.begin() + 4)) << "and back";
}

TEST(Engine, a_full_context_ends_the_answer_or_shifts) {
  auto engine = load(model_path("llama"), {.context_tokens = 24});
  const Ids prompt = some_ids(20);
  const Answer full = answer(*engine, greedy(prompt, 0));
  EXPECT_EQ(full.reason, StopReason::kContextFull);
  EXPECT_EQ(full.ids.size(), 5U) << "4 fit behind the prompt, and one more is known";

  Request shifting = greedy(prompt, 12);
  shifting.context_shift = true;
  shifting.keep_tokens = 2;
  const Answer shifted = answer(*engine, shifting);
  EXPECT_EQ(shifted.reason, StopReason::kLength);
  ASSERT_EQ(shifted.ids.size(), 12U);
  EXPECT_EQ(Ids(shifted.ids.begin(), shifted.ids.begin() + 5), full.ids);
  // At the first shift the cache holds 24 tokens: 2 stay, 11 go, 11 stay.
  const Ids before = joined(prompt, Ids(shifted.ids.begin(), shifted.ids.begin() + 4));
  const Ids kept = joined(Ids(before.begin(), before.begin() + 2), Ids(before.begin() + 13, before.end()));
  EXPECT_EQ(shifted.ids[5], best_after(*load(model_path("llama")), joined(kept, {shifted.ids[4]})));
}

TEST(Engine, what_cannot_be_asked_is_refused_with_a_reason) {
  auto engine = load(model_path("llama"), {.context_tokens = 24});
  EXPECT_EQ(engine->submit(greedy({}, 1)).error().code, ErrorCode::kUsage);
  EXPECT_EQ(engine->submit(greedy({100000}, 1)).error().code, ErrorCode::kUsage);
  const auto long_prompt = engine->submit(greedy(some_ids(25), 1));
  EXPECT_EQ(long_prompt.error().code, ErrorCode::kTooLong);
  EXPECT_NE(long_prompt.error().message.find("25 tokens"), std::string::npos);
  EXPECT_EQ(engine->logits(Ids{400}, 0, [](auto) {}).error().code, ErrorCode::kUsage);
  EXPECT_EQ(engine->logits(some_ids(25), 0, [](auto) {}).error().code, ErrorCode::kTooLong);
  Request bad = greedy(some_ids(3), 1);
  bad.sampling.top_p = -1;
  EXPECT_EQ(engine->submit(bad).error().code, ErrorCode::kUsage);
}

TEST(Engine, cancel_ends_the_answer_before_its_next_token) {
  auto engine = load(model_path("llama"));
  auto generation = engine->submit(greedy(some_ids(5), 50));
  ASSERT_TRUE(*generation->next());
  engine->cancel();
  EXPECT_FALSE(*generation->next());
  EXPECT_EQ(generation->stop_reason(), StopReason::kCancelled);
  EXPECT_EQ(answer(*engine, greedy(some_ids(5), 3)).ids.size(), 3U) << "the next one is not affected";
}

TEST(Engine, a_context_that_is_asked_for_is_taken_while_loading_an_automatic_one_as_it_fills) {
  LoadOptions options{.sequences = 16, .threads = 2};
  std::uint64_t before = sys::current_rss_bytes();
  const auto automatic = load(kGuide, options);
  const std::uint64_t kv_bytes = automatic->plan().kv_bytes;
  ASSERT_GE(kv_bytes, 32U << 20U);
  EXPECT_LT(sys::current_rss_bytes(), before + kv_bytes);
  options.context_tokens = automatic->context_tokens();
  before = sys::current_rss_bytes();
  const auto exact = load(kGuide, options);
  EXPECT_EQ(exact->plan().kv_bytes, kv_bytes);
  EXPECT_GE(sys::current_rss_bytes(), before + kv_bytes);
}

TEST(Engine, stop_strings_are_never_shown) {
  auto engine = load(kGuide);
  const auto ids =
      engine->tokenizer().encode("<|bos|><|im_start|>user\nHello!<|im_end|>\n<|im_start|>assistant\n", true);
  const Answer whole = answer(*engine, {.prompt = *ids, .sampling = {.temperature = 0}});
  EXPECT_EQ(whole.reason, StopReason::kEnd);
  const std::size_t cut = whole.text.find("tiny model");
  ASSERT_NE(cut, std::string::npos) << whole.text;
  const Answer stopped =
      answer(*engine, {.prompt = *ids, .sampling = {.temperature = 0}, .stop = {"iny mod", "never"}});
  EXPECT_EQ(stopped.reason, StopReason::kStopString);
  EXPECT_EQ(stopped.text, whole.text.substr(0, cut + 1));
}

TEST(Engine, the_same_seed_gives_the_same_text_on_any_number_of_threads) {
  Ids first;
  for (const int threads : {1, 2, 3}) {
    auto engine = Engine::load(*open_model({.model = model_path("llama")}), {.threads = threads});
    Request request = greedy(some_ids(5), 20);
    request.sampling = {.temperature = 1.0F, .seed = 42};
    const Answer a = answer(**engine, request);
    if (first.empty()) first = a.ids;
    EXPECT_EQ(a.ids, first);
  }
}

TEST(Engine, a_file_that_shrinks_while_running_is_an_error_that_names_it) {
  const testing::TempDir dir;
  const std::string path = dir.write("shrinking.gguf", testing::read_bytes(model_path("llama"))).string();
  auto engine = load(path);
  auto generation = engine->submit(greedy(some_ids(5), 50));
  ASSERT_TRUE(*generation->next());
  std::filesystem::resize_file(path, 9000);
  const auto step = generation->next();
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().code, ErrorCode::kIo);
  EXPECT_NE(describe(step.error()).find("shrinking.gguf"), std::string::npos);
}

TEST(Engine, kv_types_of_fewer_bits_stay_close_to_f32) {
  const Ids ids = some_ids(30);
  const std::vector<float> exact = all_logits(*load(model_path("gemma"), {.kv_type = DType::kF32}), ids);
  // Heads of 32 values in [-4, 4] or so; a wrong layout moves logits by their own size, about 2. Where the
  // ISA multiplies bfloat16, keys and values of F16 are rounded to it.
  for (const auto& [type, tolerance] :
       {std::pair{DType::kF16, 0.04F}, {DType::kBF16, 0.08F}, {DType::kQ8_0, 0.15F}, {DType::kQ4_0, 1.5F}}) {
    const std::vector<float> ours = all_logits(*load(model_path("gemma"), {.kv_type = type}), ids);
    float largest = 0;
    for (std::size_t i = 0; i < ours.size(); ++i) largest = std::max(largest, std::abs(ours[i] - exact[i]));
    EXPECT_LT(largest, tolerance);
    EXPECT_GT(largest, 0.0F);
  }
}

}  // namespace
}  // namespace cistern::engine
