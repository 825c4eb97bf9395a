#include "sys/linux/proc_text.h"

#include <algorithm>
#include <charconv>
#include <fstream>

namespace cistern::sys {

std::optional<std::string> read_small_file(const std::filesystem::path& path) {
  constexpr std::streamsize kMaxBytes = 65536;
  std::ifstream in(path, std::ios::binary);
  std::string text(static_cast<std::size_t>(kMaxBytes), '\0');
  in.read(text.data(), kMaxBytes);
  if (in.gcount() == 0) return std::nullopt;
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

std::optional<std::uint64_t> parse_u64(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  std::uint64_t number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec != std::errc{}) return std::nullopt;
  return number;
}

std::optional<std::uint64_t> find_number(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!line.starts_with(name)) continue;
    const std::string_view rest = line.substr(name.size());
    if (rest.starts_with(' ') || rest.starts_with('\t')) return parse_u64(rest);
  }
  return std::nullopt;
}

}  // namespace cistern::sys
