// Several sequences in one step, for every golden model: each gets bit for bit the logits that it gets alone
// (contract 4), whatever its layers keep of it, in prompts of several tokens and in single ones.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/rng.h"
#include "models/model_runner.h"
#include "support/fixtures.h"
#include "support/golden.h"

namespace cistern {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<std::uint32_t>;

// Of each sequence: tokens in steps, the same step for all. One crosses 128 tokens, where DeepSeek V4
// compresses, by a single token; one starts late, one pauses.
const std::vector<std::vector<std::size_t>> kSteps = {
    {1, 5, 120, 0, 17}, {1, 1, 7, 1, 1}, {3, 0, 0, 9, 2}, {1, 2, 1, 1, 1}, {0, 11, 1, 4, 1}};
constexpr std::size_t kSequences = 5;

Ids some_ids(std::size_t n, std::uint32_t n_vocab, std::uint64_t seed) {
  Rng rng(seed);
  Ids ids(n);
  for (std::uint32_t& id : ids) id = static_cast<std::uint32_t>(rng.next() % n_vocab);
  return ids;
}

class SeveralSequences : public ::testing::TestWithParam<fs::path> {};

TEST_P(SeveralSequences, get_what_each_gets_alone) {
  const auto files = file::open_model((GetParam() / "model.gguf").string());
  ASSERT_TRUE(files) << describe(files.error());
  const auto model = spec::read_model_spec(files->inventory);
  ASSERT_TRUE(model) << describe(model.error());
  // LongRoPE changes its frequencies with the length: then neither way of feeding is the same as the other.
  const std::uint32_t context = std::min(200U, model->context_tokens);
  const std::size_t longest = model->needs_long_rope(~0ULL) ? model->ropes[0].original_context : context;

  std::vector<Ids> all(kSequences);
  for (const std::vector<std::size_t>& step : kSteps) {
    for (std::size_t i = 0; i < kSequences; ++i) {
      // All tokens of a step fit one chunk, which is as long as the context.
      const Ids next = some_ids(std::min(step[i], longest - 30), model->n_vocab, 100 * i + all[i].size());
      if (all[i].size() + next.size() <= longest) all[i].insert(all[i].end(), next.begin(), next.end());
    }
  }
  for (const int threads : {1, 3}) {
    testing::ModelRunner runner(files->inventory, *model,
                                {.threads = threads, .sequences = kSequences, .context_tokens = context});
    std::vector<std::vector<float>> together(kSequences);
    std::vector<std::size_t> fed(kSequences);
    for (const std::vector<std::size_t>& step : kSteps) {
      std::vector<Ids> next(kSequences);
      for (std::size_t i = 0; i < kSequences; ++i) {
        const std::size_t n = std::min({step[i], longest - 30, all[i].size() - fed[i]});
        next[i].assign(all[i].begin() + static_cast<std::ptrdiff_t>(fed[i]),
                       all[i].begin() + static_cast<std::ptrdiff_t>(fed[i] + n));
        fed[i] += n;
      }
      const std::vector<std::vector<float>> logits = runner.step(std::span<const Ids>(next));
      for (std::size_t i = 0; i < kSequences; ++i)
        together[i].insert(together[i].end(), logits[i].begin(), logits[i].end());
    }
    for (std::size_t i = 0; i < kSequences; ++i) {
      testing::ModelRunner alone(files->inventory, *model, {.context_tokens = context});
      EXPECT_EQ(together[i], alone.logits(all[i], 256)) << "sequence " << i << ", " << threads << " threads";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, SeveralSequences, ::testing::ValuesIn(testing::golden_folders()),
                         testing::test_name_of);

}  // namespace
}  // namespace cistern
