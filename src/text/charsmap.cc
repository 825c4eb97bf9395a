#include "text/charsmap.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/cursor.h"

namespace cistern::text {
namespace {

// The bit fields of a darts-clone unit.
bool has_leaf(std::uint32_t unit) {
  return ((unit >> 8) & 1) != 0;
}
std::uint32_t value_of(std::uint32_t unit) {
  return unit & 0x7FFFFFFFu;
}
std::uint32_t label_of(std::uint32_t unit) {
  return unit & (0x80000000u | 0xFFu);
}
std::uint32_t offset_of(std::uint32_t unit) {
  return (unit >> 10) << ((unit & (1u << 9)) >> 6);
}

// Unicode's longest compatibility decomposition, of U+FDFA, has 33 bytes. The bound keeps a hostile file from
// blowing texts up.
constexpr std::size_t kLongestReplacement = 64;

std::size_t longest_string(std::string_view strings) {
  std::size_t longest = 0, begin = 0;
  while (begin < strings.size()) {
    const std::size_t end = std::min(strings.find('\0', begin), strings.size());
    longest = std::max(longest, end - begin);
    begin = end + 1;
  }
  return longest;
}

}  // namespace

Result<Charsmap> Charsmap::create(std::span<const std::byte> blob, const std::string& where) {
  Charsmap charsmap;
  if (blob.empty()) return charsmap;
  ByteCursor cursor(blob);
  const auto trie_bytes = cursor.read<std::uint32_t>();
  const auto trie = trie_bytes ? cursor.take(*trie_bytes) : std::nullopt;
  if (!trie || *trie_bytes % sizeof(std::uint32_t) != 0 || *trie_bytes == 0) {
    return fail(ErrorCode::kFormat,
                fmt::format("tokenizer.ggml.precompiled_charsmap: {} bytes do not hold the trie that its "
                            "header announces; the file is damaged",
                            blob.size()),
                where);
  }
  charsmap.trie_ = *trie;
  const auto rest = *cursor.take(cursor.remaining());
  charsmap.replacements_ = {reinterpret_cast<const char*>(rest.data()), rest.size()};
  if (longest_string(charsmap.replacements_) > kLongestReplacement) {
    return fail(ErrorCode::kFormat,
                fmt::format("tokenizer.ggml.precompiled_charsmap has a replacement of more than {} bytes; "
                            "the file is damaged",
                            kLongestReplacement),
                where);
  }
  return charsmap;
}

std::uint32_t Charsmap::unit(std::size_t index) const {
  std::uint32_t unit;
  std::memcpy(&unit, trie_.data() + index * sizeof(unit), sizeof(unit));
  return unit;
}

Charsmap::Rule Charsmap::find(std::string_view text, bool stop_at_first) const {
  const std::size_t units = trie_.size() / sizeof(std::uint32_t);
  if (units == 0) return {};
  Rule best;
  std::size_t node = offset_of(unit(0));
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    node ^= byte;
    if (node >= units) break;
    const std::uint32_t here = unit(node);
    if (label_of(here) != byte) break;
    node ^= offset_of(here);
    if (node >= units) break;
    if (!has_leaf(here)) continue;
    const std::uint32_t at = value_of(unit(node));
    if (at >= replacements_.size()) break;
    const std::string_view tail = replacements_.substr(at);
    best = {i + 1, tail.substr(0, tail.find('\0'))};
    if (stop_at_first) break;
  }
  return best;
}

}  // namespace cistern::text
