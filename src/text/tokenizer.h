// Text to token ids and back, for every kind of vocabulary that GGUF files carry: SentencePiece BPE,
// byte-level BPE, WordPiece, Unigram. Made from a Vocab (spec/vocab.h reads one from a file); used by the
// engine, the chat code and the tools. Immutable after creation and thread-safe. The bytes that the Vocab's
// views point to must outlive it.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "text/encoder.h"
#include "text/prefix_table.h"
#include "text/rendering.h"
#include "text/vocab.h"

namespace cistern::text {

class Tokenizer {
 public:
  // kFormat: the vocabulary contradicts itself; kUnsupported: an unknown pre-tokenizer, the message lists the
  // known ones. Errors name the GGUF key and the index.
  static Result<std::unique_ptr<Tokenizer>> create(Vocab vocab);

  // Never adds tokens around the text. User-defined tokens written in the text always become their ids;
  // control tokens only with parse_special. Invalid UTF-8 is read as U+FFFD, one for each maximal subpart.
  Result<std::vector<TokenId>> encode(std::string_view text, bool parse_special) const;

  // What the model wants around a prompt: BOS or CLS before it, EOS or SEP after it, unless there already.
  std::vector<TokenId> add_prefix_suffix(std::vector<TokenId> ids) const;

  // Two texts as one, as rerankers read them, with what the model wants around and between them. The first
  // text with its tokens is the first `first_tokens`. kUnsupported where the vocabulary has no separator.
  struct Pair {
    std::vector<TokenId> ids;
    std::uint32_t first_tokens = 0;
  };
  Result<Pair> join_pair(std::span<const TokenId> first, std::span<const TokenId> second) const;

  // Valid UTF-8: see Detokenizer.
  std::string decode(std::span<const TokenId> ids) const;

  // As the vocabulary writes it ("Ġthe"), for display; bad UTF-8 repaired. Empty beyond the vocabulary.
  std::string piece(TokenId id) const;

  bool is_end(TokenId id) const;      // generation stops here
  bool is_control(TokenId id) const;  // control or unknown token

  std::size_t size() const { return vocab_.tokens.size(); }
  const Vocab& vocab() const { return vocab_; }
  const Rendering& rendering() const { return *rendering_; }

 private:
  explicit Tokenizer(Vocab vocab) : vocab_(std::move(vocab)) {}
  Result<void> init();
  Result<void> index_special_tokens();
  std::optional<TokenId> first_token() const;  // of a text, where there is one

  Vocab vocab_;
  std::unique_ptr<Encoder> encoder_;
  std::unique_ptr<Rendering> rendering_;
  PrefixTable always_;         // tokens that are matched in every text
  PrefixTable with_special_;   // and with parse_special
  std::vector<TokenId> ends_;  // sorted
};

}  // namespace cistern::text
