#include "sys/user_folders.h"

#include <gtest/gtest.h>
#include <stdlib.h>

namespace cistern::sys {
namespace {

TEST(UserFolders, FollowTheEnvironment) {
  setenv("HOME", "/home/somebody", 1);
  setenv("XDG_STATE_HOME", "/elsewhere", 1);
  unsetenv("XDG_CACHE_HOME");
  setenv("XDG_CONFIG_HOME", "relative", 1);
  EXPECT_EQ(user_file(UserFolder::kState, "file"), "/elsewhere/cistern/file");
  EXPECT_EQ(user_file(UserFolder::kCache, "file"), "/home/somebody/.cache/cistern/file");
  EXPECT_EQ(user_file(UserFolder::kConfig, "file"), "/home/somebody/.config/cistern/file");
  unsetenv("XDG_STATE_HOME");
  EXPECT_EQ(user_file(UserFolder::kState, "file"), "/home/somebody/.local/state/cistern/file");
  unsetenv("HOME");
  EXPECT_EQ(user_file(UserFolder::kState, "file"), "");
}

}  // namespace
}  // namespace cistern::sys
