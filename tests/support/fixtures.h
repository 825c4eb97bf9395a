// Where tests find their data. data_dir() is tests/data of this repository and always there.
// shared_fixtures() is the unpacked full fixture set named by $CISTERN_FIXTURES, where it exists; a test that
// needs it starts with `const auto fixtures = require_shared_fixtures(); if (!fixtures) GTEST_SKIP() <<
// kNoSharedFixtures;`. With $CISTERN_REQUIRE_FIXTURES set (as .ci/run does where the set exists) a missing
// set is a failure.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace cistern::testing {

inline constexpr const char* kNoSharedFixtures =
    "SKIPPED: the shared fixture set is not here ($CISTERN_FIXTURES)";

std::filesystem::path data_dir();
std::optional<std::filesystem::path> shared_fixtures();
std::optional<std::filesystem::path> require_shared_fixtures();

std::string read_text(const std::filesystem::path& path);                // fails the test when unreadable
std::vector<std::byte> read_bytes(const std::filesystem::path& path);    // likewise
std::vector<float> read_floats(const std::filesystem::path& path);       // raw little-endian f32
std::vector<std::string> read_lines(const std::filesystem::path& path);  // split at \n only

}  // namespace cistern::testing
