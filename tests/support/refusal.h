// What a refusal for want of memory says: the smallest budget that would do, for tests that hold it to that.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <string>

namespace cistern::testing {

// In "... the least that would do is 85.3 MiB ...", in bytes. Fails the test when the message says no such
// thing.
inline std::uint64_t least_bytes_in(const std::string& message) {
  static constexpr char kBefore[] = "the least that would do is ";
  const std::size_t at = message.find(kBefore);
  EXPECT_NE(at, std::string::npos) << message;
  if (at == std::string::npos) return 0;
  char* unit = nullptr;
  const double number = std::strtod(message.c_str() + at + sizeof kBefore - 1, &unit);
  for (const auto& [name, bytes] : {std::pair{" KiB", 1024.0}, {" MiB", 0x1p20}, {" GiB", 0x1p30}}) {
    if (std::string(unit).starts_with(name)) return static_cast<std::uint64_t>(number * bytes);
  }
  ADD_FAILURE() << "no number of bytes: " << message;
  return 0;
}

}  // namespace cistern::testing
