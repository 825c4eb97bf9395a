// SentencePiece's precompiled normalization rules (tokenizer.ggml.precompiled_charsmap): a trie of strings in
// the double-array format of darts-clone, each with the offset of its replacement in a blob of NUL-terminated
// strings. The blob comes from a file and is not trusted: every step of a look-up is checked against its
// bounds. A view of the blob, which must outlive it; immutable, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace cistern::text {

class Charsmap {
 public:
  Charsmap() = default;  // no rules

  // Layout: u32 bytes of the trie, the trie (u32 units), the replacements. kFormat if that does not fit.
  static Result<Charsmap> create(std::span<const std::byte> blob, const std::string& where);

  struct Rule {
    std::size_t length = 0;  // bytes of text replaced; 0: no rule begins here
    std::string_view replacement;
  };
  // The rule for the longest or the shortest beginning of the text that has one.
  Rule longest(std::string_view text) const { return find(text, false); }
  Rule shortest(std::string_view text) const { return find(text, true); }

 private:
  Rule find(std::string_view text, bool stop_at_first) const;
  std::uint32_t unit(std::size_t index) const;

  std::span<const std::byte> trie_;
  std::string_view replacements_;
};

}  // namespace cistern::text
