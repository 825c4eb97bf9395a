#include "support/fixtures.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <span>

namespace cistern::testing {

namespace fs = std::filesystem;

fs::path data_dir() {
  return CISTERN_TEST_DATA_DIR;
}

std::optional<fs::path> shared_fixtures() {
  const char* dir = std::getenv("CISTERN_FIXTURES");
  if (dir == nullptr || !fs::is_directory(fs::path(dir) / "models")) return std::nullopt;
  return fs::path(dir);
}

std::optional<fs::path> require_shared_fixtures() {
  auto dir = shared_fixtures();
  if (!dir && std::getenv("CISTERN_REQUIRE_FIXTURES") != nullptr) {
    ADD_FAILURE() << "CISTERN_REQUIRE_FIXTURES is set, but CISTERN_FIXTURES names no fixture set";
  }
  return dir;
}

std::string read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) ADD_FAILURE() << "cannot read " << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::byte> read_bytes(const fs::path& path) {
  const std::string text = read_text(path);
  std::vector<std::byte> bytes(text.size());
  std::ranges::copy(std::as_bytes(std::span(text)), bytes.begin());
  return bytes;
}

std::vector<float> read_floats(const fs::path& path) {
  const std::string text = read_text(path);
  std::vector<float> values(text.size() / sizeof(float));
  std::memcpy(values.data(), text.data(), values.size() * sizeof(float));
  return values;
}

std::vector<std::string> read_lines(const fs::path& path) {
  const std::string text = read_text(path);
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (end > begin) lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

}  // namespace cistern::testing
