#include "fetch/hub_listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "fetch/names.h"

namespace cistern::fetch {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxDepth = 16;
constexpr std::size_t kMaxFiles = 100'000;
constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 50U;
constexpr std::string_view kWhere = "the hub's list of files";

std::unexpected<Error> malformed(std::size_t index, std::string_view field, std::string_view reason) {
  return fail(ErrorCode::kFormat, std::string(reason), fmt::format("{}: [{}].{}", kWhere, index, field));
}

const json::value* member(const json::object& object, std::string_view name) {
  return object.if_contains(json::string_view(name.data(), name.size()));
}

// Empty when the member is absent or no string.
std::string_view text_of(const json::object& object, std::string_view name) {
  const json::value* value = member(object, name);
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

Result<std::uint64_t> size_of(const json::object& object, std::size_t index) {
  const json::value* value = member(object, "size");
  if (value == nullptr) return malformed(index, "size", "is missing");
  json::error_code error;
  const auto size = value->to_number<std::uint64_t>(error);
  if (error || size > kMaxFileBytes) return malformed(index, "size", "is no size of a file");
  return size;
}

Result<RepositoryFile> parse_file(const json::object& entry, std::size_t index) {
  RepositoryFile file;
  file.path = text_of(entry, "path");
  if (const auto good = check_repository_path(file.path); !good) {
    return malformed(index, "path", describe(good.error()));
  }
  CISTERN_TRY(file.size_bytes, size_of(entry, index));
  const json::value* lfs = member(entry, "lfs");
  if (lfs == nullptr || !lfs->is_object()) return file;
  CISTERN_TRY(const std::uint64_t lfs_bytes, size_of(lfs->get_object(), index));
  if (lfs_bytes != file.size_bytes) return malformed(index, "lfs.size", "differs from the size beside it");
  auto digest = sha256_text(text_of(lfs->get_object(), "oid"));
  if (!digest) return malformed(index, "lfs.oid", digest.error().message);
  file.sha256 = *std::move(digest);
  return file;
}

}  // namespace

Result<std::vector<RepositoryFile>> parse_listing(std::string_view text) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::error_code error;
  const json::value document = json::parse({text.data(), text.size()}, error, {}, options);
  if (error) return fail(ErrorCode::kFormat, "is no JSON: " + error.message(), std::string(kWhere));
  if (!document.is_array()) return fail(ErrorCode::kFormat, "is no JSON array", std::string(kWhere));
  const json::array& entries = document.get_array();
  if (entries.size() > kMaxFiles)
    return fail(ErrorCode::kFormat, "has too many entries", std::string(kWhere));
  std::vector<RepositoryFile> files;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!entries[i].is_object()) return malformed(i, "", "is no object");
    const json::object& entry = entries[i].get_object();
    if (text_of(entry, "type") != "file") continue;
    // Of files that are never fetched, strange names are no reason to refuse the others.
    const std::string_view path = text_of(entry, "path");
    if (!path.ends_with(".gguf") && !check_repository_path(path)) continue;
    CISTERN_TRY(RepositoryFile file, parse_file(entry, i));
    files.push_back(std::move(file));
  }
  return files;
}

std::string next_page(std::string_view header) {
  for (std::size_t open = header.find('<'); open != std::string_view::npos; open = header.find('<', open)) {
    const std::size_t close = header.find('>', open);
    if (close == std::string_view::npos) return {};
    const std::size_t end = std::min(header.find('<', close), header.size());
    if (header.substr(close, end - close).find("rel=\"next\"") != std::string_view::npos) {
      return std::string(header.substr(open + 1, close - open - 1));
    }
    open = close;
  }
  return {};
}

}  // namespace cistern::fetch
