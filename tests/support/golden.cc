#include "support/golden.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <cstring>

#include "support/fixtures.h"

namespace cistern::testing {

namespace fs = std::filesystem;

std::vector<fs::path> folders_with(const char* file, const fs::path& models) {
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(models)) {
    if (fs::exists(entry.path() / file)) folders.push_back(entry.path());
  }
  std::ranges::sort(folders);
  return folders;
}

std::vector<fs::path> golden_folders() {
  return folders_with("logits.f32", data_dir() / "models");
}

std::string test_name_of(const ::testing::TestParamInfo<fs::path>& folder) {
  std::string name = folder.param.filename().string();
  std::ranges::replace(name, '-', '_');
  return name;
}

std::vector<std::uint32_t> read_tokens(const fs::path& folder, const char* key) {
  const boost::json::value json = boost::json::parse(read_text(folder / "tokens.json"));
  std::vector<std::uint32_t> ids;
  for (const boost::json::value& id : json.at(key).as_array()) ids.push_back(id.to_number<std::uint32_t>());
  return ids;
}

bool same_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

float largest_difference(std::span<const float> a, std::span<const float> b) {
  EXPECT_EQ(a.size(), b.size());
  float largest = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const float difference = std::fabs(a[i] - b[i]);
    if (std::isnan(difference)) return difference;  // and stays: later comparisons would lose it
    largest = std::max(largest, difference);
  }
  return largest;
}

}  // namespace cistern::testing
