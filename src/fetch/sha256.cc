#include "fetch/sha256.h"

#include <fmt/format.h>

namespace cistern::fetch {

std::string hex_text(std::span<const unsigned char> digest) {
  std::string text;
  for (const unsigned char byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace cistern::fetch
