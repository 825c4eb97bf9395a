#include "fetch/names.h"

#include <fmt/format.h>

#include <algorithm>

#include "file/printable.h"

namespace cistern::fetch {
namespace {

constexpr std::size_t kMaxName = 200;   // of 255, less ".part.json.tmp"
constexpr std::size_t kMaxPath = 1024;  // of a path inside a repository
constexpr std::size_t kDigestDigits = 64;
constexpr std::string_view kSuffix = ".gguf";

bool is_plain(char c) {
  return c >= ' ' && c < 0x7F && c != '\\';
}

std::unexpected<Error> refused(std::string_view name, std::string reason) {
  return fail(ErrorCode::kFormat, std::move(reason), file::printable(name));
}

}  // namespace

Result<std::string> model_file_name(std::string_view name) {
  if (name.size() > kMaxName)
    return refused(name, fmt::format("a file name of {} bytes is too long", name.size()));
  if (!std::ranges::all_of(name, is_plain) || name.find('/') != std::string_view::npos) {
    return refused(name, "is no plain file name");
  }
  if (name.size() <= kSuffix.size() || !name.ends_with(kSuffix))
    return refused(name, "is no name of a .gguf file");
  if (name.front() == '.' || name.front() == '-') return refused(name, "a model's name does not begin so");
  return std::string(name);
}

Result<void> check_repository_path(std::string_view path) {
  if (path.size() > kMaxPath)
    return refused(path, fmt::format("a path of {} bytes is too long", path.size()));
  if (!std::ranges::all_of(path, is_plain)) return refused(path, "has bytes that no path should have");
  for (std::string_view rest = path;;) {
    const std::size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return refused(path, "is no path inside a repository");
    if (slash == std::string_view::npos) return {};
    rest.remove_prefix(slash + 1);
  }
}

Result<std::string> sha256_text(std::string_view text) {
  std::string digest;
  for (const char c : text) {
    const char low = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    if ((low < '0' || low > '9') && (low < 'a' || low > 'f')) break;
    digest += low;
  }
  if (digest.size() == kDigestDigits && text.size() == kDigestDigits) return digest;
  return fail(ErrorCode::kUsage, "a SHA-256 has 64 hexadecimal digits", file::printable(text));
}

}  // namespace cistern::fetch
