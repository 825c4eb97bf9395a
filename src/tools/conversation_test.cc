#include "tools/conversation.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "support/temp_dir.h"

namespace cistern::tools {
namespace {

TEST(Conversation, ComesBackAsItWas) {
  const testing::TempDir dir;
  const std::string path = (dir.path() / "talk.json").string();
  const Conversation before{.model = "guide",
                            .system = "Be \"kind\".\n",
                            .messages = {{"user", "Grüße 🙂"}, {"assistant", "line\nline"}}};
  ASSERT_TRUE(save_conversation(before, path));
  const auto after = load_conversation(path);
  ASSERT_TRUE(after) << describe(after.error());
  EXPECT_EQ(after->system, before.system);
  ASSERT_EQ(after->messages.size(), 2U);
  EXPECT_EQ(after->messages[1].content, "line\nline");
  EXPECT_EQ(after->all_messages().size(), 3U);
  EXPECT_EQ(after->all_messages()[0].role, "system");
}

TEST(Conversation, ErrorsNameTheMessage) {
  const testing::TempDir dir;
  const std::string path =
      dir.write(
             "c.json",
             R"({"model": "", "system": "", "messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]})")
          .string();
  const auto result = load_conversation(path);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kFormat);
  EXPECT_EQ(result.error().where, path + ": message 1");
}

}  // namespace
}  // namespace cistern::tools
