// Golden models with one number of their metadata changed. What is still read as a model must run: no value
// leads out of bounds or into a division by zero. What the logits then are is nobody's promise.
#include <gtest/gtest.h>

#include <iostream>

#include "models/model_runner.h"
#include "support/edited_model.h"

namespace cistern {
namespace {

class MutatedModels : public ::testing::TestWithParam<std::string> {};

TEST_P(MutatedModels, run_when_they_are_read) {
  constexpr std::uint32_t kContext = 24;
  int n_run = 0;
  for (const testing::Mutant& mutant : testing::mutants_of(GetParam())) {
    SCOPED_TRACE(mutant.about);
    const std::vector<std::byte> bytes = mutant.model.build();
    const auto files = file::open_model(bytes, "mutant.gguf");
    if (!files) continue;  // a flag that is neither 0 nor 1
    const auto model = spec::read_model_spec(files->inventory);
    if (!model || !model->causal || model->context_tokens < kContext) continue;
    // A state, a window or a number of steps may be beyond what a test should take.
    const auto plan = plan::make_plan({.budget_bytes = 256U << 20U}, *model, files->inventory,
                                      {.context_tokens = kContext, .kv_type = DType::kF32, .threads = 2});
    if (!plan) continue;
    testing::ModelRunner runner(files->inventory, *model, {.threads = 2, .context_tokens = kContext});
    const std::vector<std::uint32_t> ids(kContext, 7);
    const std::vector<float> logits = runner.logits(ids, 9);
    EXPECT_EQ(logits.size(), std::size_t{kContext} * model->n_vocab);
    ++n_run;
  }
  std::cout << GetParam() << ": " << n_run << " run\n";
}

INSTANTIATE_TEST_SUITE_P(Models, MutatedModels, ::testing::ValuesIn(testing::golden_names()),
                         [](const auto& instance) {
                           std::string name = instance.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace cistern
