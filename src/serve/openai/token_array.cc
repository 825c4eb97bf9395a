#include "serve/openai/token_array.h"

#include <cstdint>
#include <limits>
#include <utility>

namespace cistern::serve::openai {
namespace {

constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();  // the body's size is one

Result<RawTokens> read_tokens(const Field& field) {
  CISTERN_TRY(const auto* array, field.array(kNoLimit));
  if (array->empty()) return field.wrong("has to have at least one token");
  RawTokens tokens(array->size());
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    CISTERN_TRY(const std::int64_t id, field[i].integer(0, INT32_MAX));
    tokens[i] = static_cast<text::TokenId>(id);
  }
  return tokens;
}

Result<TextOrTokens> read_text(const Field& field) {
  if (field.is_text()) return TextOrTokens(std::string(field.value().get_string()));
  if (!field.is_array()) return field.wrong_type("a string or an array of tokens");
  CISTERN_TRY(RawTokens tokens, read_tokens(field));
  return TextOrTokens(std::move(tokens));
}

}  // namespace

Result<std::vector<TextOrTokens>> read_texts(const Field& field, std::size_t most) {
  const bool is_list =
      field.is_array() && (field.value().get_array().empty() || !field[0].value().is_number());
  std::vector<TextOrTokens> texts;
  if (!is_list) {
    CISTERN_TRY(texts.emplace_back(), read_text(field));
    return texts;
  }
  CISTERN_TRY(const auto* array, field.array(most));
  if (array->empty()) return field.wrong("has to have at least one element");
  for (std::size_t i = 0; i < array->size(); ++i) {
    CISTERN_TRY(texts.emplace_back(), read_text(field[i]));
  }
  return texts;
}

}  // namespace cistern::serve::openai
