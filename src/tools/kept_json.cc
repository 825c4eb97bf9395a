#include "tools/kept_json.h"

#include <filesystem>

#include "tools/input.h"
#include "tools/json_out.h"
#include "tools/out_file.h"

namespace cistern::tools {
namespace {

constexpr std::uint64_t kMostBytes = 1U << 20U;

}  // namespace

boost::json::object read_kept(const std::string& path) {
  if (path.empty()) return {};
  const auto text = read_file(path, kMostBytes);
  if (!text) return {};
  const auto document = parse_json(*text, path);
  return document && document->is_object() ? document->get_object() : boost::json::object();
}

bool write_kept(const std::string& path, const boost::json::object& document) {
  if (path.empty()) return false;
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  auto file = OutFile::create(path);
  if (!file) return false;
  const std::string text = to_json(document, JsonForm::kPretty) + "\n";
  return file->write(std::as_bytes(std::span(text))) && file->commit();
}

}  // namespace cistern::tools
