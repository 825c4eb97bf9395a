#include "sys/dynamic_library.h"

#include <gtest/gtest.h>

#include <array>

namespace cistern::sys {
namespace {

TEST(DynamicLibrary, WhatIsNotThereIsAnErrorThatNamesTheFirst) {
  const std::array names = {"libcistern-has-no-such.so.1", "libnor-this.so"};
  const auto library = DynamicLibrary::open(names);
  ASSERT_FALSE(library);
  EXPECT_EQ(library.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(library.error().message.find(names[0]), std::string::npos) << library.error().message;
}

TEST(DynamicLibrary, TheFirstThatIsThereIsTaken) {
  const std::array names = {"libcistern-has-no-such.so.1", "libm.so.6", "libSystem.B.dylib"};
  const auto library = DynamicLibrary::open(names);
  ASSERT_TRUE(library) << describe(library.error());
  double (*cosine)(double) = nullptr;
  ASSERT_TRUE(library->find("cos", cosine));
  EXPECT_EQ(cosine(0), 1);
  void (*nothing)() = nullptr;
  EXPECT_FALSE(library->find("cistern_has_no_such_function", nothing));
}

}  // namespace
}  // namespace cistern::sys
