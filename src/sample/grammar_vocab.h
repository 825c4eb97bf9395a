// A vocabulary as constrained decoding sees it: what each token writes, which tokens end a text, and which
// write nothing but the characters that texts are mostly made of. Made once per model (tens of milliseconds
// at 128k tokens), shared by its grammars. Immutable and thread-safe; the Tokenizer must outlive it.
#pragma once

#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "sample/grammar/token_trie.h"
#include "text/tokenizer.h"

namespace cistern::sample {

// One bit per token.
using TokenBits = std::vector<std::uint64_t>;

class GrammarVocab {
 public:
  // kUnsupported where tokens are no pieces of a text (WordPiece) or no token ends one.
  static Result<std::shared_ptr<const GrammarVocab>> create(const text::Tokenizer& tokenizer);

  std::size_t size() const { return tokenizer_.size(); }
  bool is_end(text::TokenId id) const { return tokenizer_.is_end(id); }
  const std::vector<text::TokenId>& ends() const { return ends_; }
  // Control tokens that end nothing: only a literal of a grammar may write them.
  const std::vector<text::TokenId>& specials() const { return specials_; }
  // What the token writes; of a special token its name. Empty: it is never allowed.
  std::string_view bytes(text::TokenId id) const;

  const grammar::TokenTrie& all() const { return all_; }
  // Tokens of at most `chars` plain characters, and the others.
  struct Slice {
    std::uint32_t chars = 0;
    TokenBits plain;
    grammar::TokenTrie others;
  };
  // The largest whose tokens may all come where a run of so many plain characters may; null: none.
  const Slice* slice_for(std::uint32_t plain_run) const;

 private:
  explicit GrammarVocab(const text::Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  const text::Tokenizer& tokenizer_;
  std::vector<text::TokenId> ends_, specials_;
  grammar::TokenTrie all_;
  std::vector<Slice> slices_;  // by growing chars
};

}  // namespace cistern::sample
