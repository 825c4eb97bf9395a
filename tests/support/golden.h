// Golden models: folders of tests/data/models and of the shared set, with a model, tokens, and what the
// reference computes from them; and how results are compared with it.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace cistern::testing {

// The folders in `models` that have this file; sorted.
std::vector<std::filesystem::path> folders_with(const char* file, const std::filesystem::path& models);
std::vector<std::filesystem::path> golden_folders();  // of tests/data, those with logits
std::string test_name_of(const ::testing::TestParamInfo<std::filesystem::path>& folder);
std::vector<std::uint32_t> read_tokens(const std::filesystem::path& folder, const char* key);

bool same_bits(std::span<const float> a, std::span<const float> b);
// Of values at the same place. NaN where any difference is NaN, which no comparison with a tolerance passes.
// Different lengths fail the test.
float largest_difference(std::span<const float> a, std::span<const float> b);

}  // namespace cistern::testing
