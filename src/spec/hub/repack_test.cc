#include "spec/hub/repack.h"

#include <gtest/gtest.h>

#include "spec/hub/paper_model.h"

namespace cistern::spec::hub {
namespace {

std::uint64_t bytes_of(const PaperModel& paper) {
  return paper.inventory.tensor_bytes();
}

TEST(Repack, gives_the_sizes_of_the_model_in_that_quant) {
  const auto full = paper_model_of_name("llama-3.1-8b", "BF16");
  const auto small = paper_model_of_name("llama-3.1-8b", "Q4_K_M");
  ASSERT_TRUE(full && small);
  const auto other = repacked(full->spec, full->inventory, "Q4_K_M");
  ASSERT_TRUE(other) << describe(other.error());
  EXPECT_EQ(other->tensor_bytes(), bytes_of(*small));
  EXPECT_EQ(other->tensors().size(), small->inventory.tensors().size());
}

TEST(Repack, refuses_what_is_no_quant) {
  const auto full = paper_model_of_name("llama-3.1-8b", "BF16");
  ASSERT_TRUE(full);
  EXPECT_FALSE(repacked(full->spec, full->inventory, "no such quant"));
}

}  // namespace
}  // namespace cistern::spec::hub
