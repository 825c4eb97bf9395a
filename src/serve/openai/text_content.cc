#include "serve/openai/text_content.h"

#include <fmt/format.h>

#include <limits>

namespace cistern::serve::openai {
namespace {

Result<std::string> text_of_part(const Field& part, std::span<const TextPart> text_parts) {
  if (part.is_text()) return part.text();
  CISTERN_TRY(const Fields fields, Fields::of(part));
  CISTERN_TRY(const Field type_field, fields.require("type"));
  CISTERN_TRY(const std::string type, type_field.text());
  for (const auto& [text_type, name] : text_parts) {
    if (type != text_type) continue;
    CISTERN_TRY(const Field text, fields.require(name));
    return text.text();
  }
  return part.wrong(fmt::format("parts of the type '{}' are not supported, text alone is", type),
                    ErrorCode::kUnsupported);
}

}  // namespace

Result<std::string> text_content(const Field& field, std::span<const TextPart> text_parts) {
  if (field.is_text()) return field.text();
  if (!field.is_array()) return field.wrong_type("a string or an array of parts");
  CISTERN_TRY(const auto* parts, field.array(std::numeric_limits<std::size_t>::max()));
  std::string all;
  for (std::size_t i = 0; i < parts->size(); ++i) {
    CISTERN_TRY(const std::string text, text_of_part(field[i], text_parts));
    if (i > 0) all += '\n';
    all += text;
  }
  return all;
}

}  // namespace cistern::serve::openai
