// The alphabet of byte-level BPE: vocabularies of the GPT-2 family write each byte as one printable character
// (printable Latin-1 as itself, the other 68 bytes as U+0100 and up), so that "Ġ" is a space and "Ċ" a
// newline. Used to turn vocabulary entries back into the bytes they stand for. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cistern::text {

// The character that stands for a byte.
char32_t character_of_byte(std::uint8_t byte);

// The bytes that a vocabulary entry stands for; nullopt if a character of it is outside of the alphabet.
std::optional<std::string> bytes_of_entry(std::string_view entry);

}  // namespace cistern::text
