#include "tools/token_file.h"

#include "tools/input.h"
#include "tools/json_out.h"

namespace cistern::tools {

Result<std::vector<text::TokenId>> read_token_file(const std::string& path, std::size_t n_vocab) {
  CISTERN_TRY(const std::string text, path == "-" ? read_stdin() : read_file(path));
  CISTERN_TRY(const boost::json::value document, parse_json(text, path));
  const boost::json::value* list = &document;
  if (const auto* object = document.if_object()) {
    list = object->if_contains("tokens");
    if (list == nullptr) return fail(ErrorCode::kFormat, "the object has no \"tokens\"", path);
  }
  CISTERN_TRY(auto ids, ids_from_json(*list, static_cast<std::uint32_t>(n_vocab), path));
  if (ids.empty()) return fail(ErrorCode::kFormat, "the list of tokens is empty", path);
  return ids;
}

}  // namespace cistern::tools
