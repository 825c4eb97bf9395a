#include "tools/machine_cache.h"

#include <filesystem>

#include "sys/user_folders.h"
#include "tools/input.h"
#include "tools/json_out.h"
#include "tools/out_file.h"

namespace cistern::tools {
namespace {

constexpr std::uint64_t kMaxCacheBytes = 1U << 20U;

}  // namespace

std::string machine_cache_path() {
  return sys::user_file(sys::UserFolder::kCache, "machine.json");
}

std::optional<MachineFigures> read_machine_cache(const std::string& path, const boost::json::object& key) {
  if (path.empty()) return std::nullopt;
  const auto text = read_file(path, kMaxCacheBytes);
  if (!text) return std::nullopt;
  const auto document = parse_json(*text, path);
  if (!document || !document->is_object()) return std::nullopt;
  const boost::json::value* kept_key = document->get_object().if_contains("key");
  const boost::json::value* figures = document->get_object().if_contains("figures");
  if (kept_key == nullptr || figures == nullptr || !figures->is_object()) return std::nullopt;
  // As text: a number has one spelling, and what is written as 8.0 is read back as 8.
  if (to_json(*kept_key) != to_json(key)) return std::nullopt;
  return figures_from_json(figures->get_object());
}

bool write_machine_cache(const std::string& path, const boost::json::object& key,
                         const MachineFigures& figures) {
  if (path.empty()) return false;
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  auto file = OutFile::create(path);
  if (!file) return false;
  const boost::json::object document = {{"key", key}, {"figures", figures_json(figures)}};
  const std::string text = to_json(document, JsonForm::kPretty) + "\n";
  return file->write(std::as_bytes(std::span(text))) && file->commit();
}

}  // namespace cistern::tools
