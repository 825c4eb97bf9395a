#include "text/byte_tokens.h"

#include <fmt/format.h>

#include "text/token_index.h"

namespace cistern::text {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::optional<std::uint8_t> parse_byte_token(std::string_view text) {
  if (text.size() != 6 || !text.starts_with("<0x") || text[5] != '>') return std::nullopt;
  const int high = hex_value(text[3]), low = hex_value(text[4]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<std::uint8_t>(high * 16 + low);
}

Result<std::optional<ByteTokens>> read_byte_tokens(const Vocab& vocab) {
  ByteTokens ids;
  ids.fill(kNoToken);
  std::size_t found = 0;
  for (TokenId id = 0; id < vocab.tokens.size(); ++id) {
    if (vocab.kinds[id] != TokenKind::kByte) continue;
    const auto byte = parse_byte_token(vocab.tokens[id]);
    if (!byte) {
      return fail(ErrorCode::kFormat,
                  fmt::format("tokenizer.ggml.tokens[{}] is marked as a byte token but is not <0x00> to "
                              "<0xFF>; the file is damaged",
                              id),
                  vocab.where);
    }
    if (ids[*byte] != kNoToken) {
      return fail(
          ErrorCode::kFormat,
          fmt::format(
              "tokenizer.ggml.tokens[{}] is the same byte token <0x{:02X}> as [{}]; the file is damaged", id,
              *byte, ids[*byte]),
          vocab.where);
    }
    ids[*byte] = id;
    ++found;
  }
  if (found == 0) return std::nullopt;
  for (std::size_t byte = 0; byte < ids.size(); ++byte) {
    if (ids[byte] == kNoToken) {
      return fail(
          ErrorCode::kFormat,
          fmt::format("tokenizer.ggml.tokens has byte tokens but not <0x{:02X}>; the file is damaged", byte),
          vocab.where);
    }
  }
  return ids;
}

}  // namespace cistern::text
