// The 256 byte tokens "<0x00>" … "<0xFF>" of SentencePiece-style vocabularies: what a character becomes that
// no token has. Read strictly, since other engines were attacked through names such as "<0x-1>".
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "text/vocab.h"

namespace cistern::text {

// The byte of a name that is exactly <0xHH>, else nullopt.
std::optional<std::uint8_t> parse_byte_token(std::string_view text);

using ByteTokens = std::array<TokenId, 256>;

// By byte; nullopt if the vocabulary has none. kFormat if one is malformed, doubled or missing.
// REQUIRES: vocab.kinds has one entry per token.
Result<std::optional<ByteTokens>> read_byte_tokens(const Vocab& vocab);

}  // namespace cistern::text
