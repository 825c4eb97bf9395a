// Reads the small text files under /proc and /sys. Every function takes a path, so tests use trees of their
// own. Absent or malformed is nothing, never an error: the callers ask "is there a limit?". Thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace cistern::sys {

std::optional<std::string> read_small_file(const std::filesystem::path& path);  // at most 64 KiB
std::optional<std::uint64_t> parse_u64(std::string_view text);  // leading digits, spaces before

// The number after `name` at the start of a line: "MemTotal:  123 kB", "inactive_file 123".
std::optional<std::uint64_t> find_number(std::string_view text, std::string_view name);

}  // namespace cistern::sys
