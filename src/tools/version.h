// The version that --version, the man page and saved conversations show; equal to the project's in
// CMakeLists.txt (a test compares them).
#pragma once

namespace cistern::tools {

inline constexpr const char* kVersion = "0.1.0";

}  // namespace cistern::tools
