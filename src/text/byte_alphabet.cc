#include "text/byte_alphabet.h"

#include <array>

#include "text/utf8.h"

namespace cistern::text {
namespace {

constexpr bool stands_for_itself(int byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

struct Alphabet {
  std::array<char16_t, 256> character_of{};
  std::array<std::int16_t, 0x144> byte_of{};  // by character; -1 outside of the alphabet

  constexpr Alphabet() {
    byte_of.fill(-1);
    char16_t next = 0x100;
    for (int byte = 0; byte < 256; ++byte) {
      character_of[byte] = stands_for_itself(byte) ? static_cast<char16_t>(byte) : next++;
      byte_of[character_of[byte]] = static_cast<std::int16_t>(byte);
    }
  }
};

constexpr Alphabet kAlphabet;

}  // namespace

char32_t character_of_byte(std::uint8_t byte) {
  return kAlphabet.character_of[byte];
}

std::optional<std::string> bytes_of_entry(std::string_view entry) {
  std::string bytes;
  bytes.reserve(entry.size());
  while (!entry.empty()) {
    const CodePoint c = decode_utf8(entry);
    if (!c.valid || c.value >= kAlphabet.byte_of.size() || kAlphabet.byte_of[c.value] < 0)
      return std::nullopt;
    bytes += static_cast<char>(kAlphabet.byte_of[c.value]);
    entry.remove_prefix(c.length);
  }
  return bytes;
}

}  // namespace cistern::text
