#include "serve/error_status.h"

#include <gtest/gtest.h>

namespace cistern::serve {
namespace {

TEST(ErrorStatus, every_code_has_one) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::kTimeout); ++code) {
    const ErrorStatus status = status_of(static_cast<ErrorCode>(code));
    EXPECT_GE(status.http, 400U) << code;
    EXPECT_FALSE(status.openai.empty() || status.anthropic.empty()) << code;
  }
  EXPECT_EQ(status_of(ErrorCode::kBusy).http, 429U);
  EXPECT_EQ(status_of(ErrorCode::kNotFound).http, 404U);
}

TEST(ErrorStatus, clients_hear_of_fields_and_not_of_paths) {
  EXPECT_EQ(client_message({ErrorCode::kUsage, "is no number", "messages[2].content"}),
            "messages[2].content: is no number");
  EXPECT_EQ(client_message({ErrorCode::kUnsupported, "the keyword is not supported", "schema#/properties/a"}),
            "schema#/properties/a: the keyword is not supported");
  EXPECT_EQ(client_message({ErrorCode::kFormat, "is damaged", "/home/me/models/a.gguf"}), "is damaged");
  EXPECT_EQ(client_message({ErrorCode::kIo, "cannot be read", "a.gguf"}), "cannot be read");
  EXPECT_EQ(client_field({ErrorCode::kTooLong, "too long", "prompt"}), "prompt");
}

}  // namespace
}  // namespace cistern::serve
