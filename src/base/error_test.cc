#include "base/error.h"

#include <gtest/gtest.h>

namespace cistern {
namespace {

TEST(Error, is_described_in_one_line_whatever_it_quotes) {
  EXPECT_EQ(describe({ErrorCode::kFormat, "bad", "model.gguf"}), "model.gguf: bad");
  EXPECT_EQ(describe({ErrorCode::kFormat, "unknown 'll\nama\x7F'", ""}), "unknown 'll\\x0Aama\\x7F'");
}

TEST(Error, usage_exits_with_2_and_the_rest_with_1) {
  EXPECT_EQ(exit_status(ErrorCode::kUsage), 2);
  EXPECT_EQ(exit_status(ErrorCode::kFormat), 1);
  EXPECT_EQ(exit_status(ErrorCode::kMemory), 1);
  EXPECT_EQ(name_of(ErrorCode::kMemory), "memory");
}

}  // namespace
}  // namespace cistern
