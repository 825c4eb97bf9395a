// A directory of its own for a test, removed with everything in it at the end of the test.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace cistern::testing {

class TempDir {
 public:
  TempDir();  // fails the test when it cannot be made
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::filesystem::path& path() const { return path_; }
  // Writes a file below the directory, making the folders on the way, and gives its full path.
  std::filesystem::path write(std::string_view name, std::span<const std::byte> bytes) const;
  std::filesystem::path write(std::string_view name, std::string_view text) const;

 private:
  std::filesystem::path path_;
};

}  // namespace cistern::testing
