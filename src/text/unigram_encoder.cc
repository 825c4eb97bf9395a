// SentencePiece's unigram language model ("t5" in GGUF): the segmentation whose pieces have the highest sum
// of scores, by dynamic programming over byte positions. Follows sentencepiece's EncodeOptimized, and for
// XLM-R and its kin Hugging Face's, to the precision of their sums (float there, double here), so that ties
// fall the same way.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "text/byte_tokens.h"
#include "text/encoder.h"
#include "text/metaspace_normalizer.h"
#include "text/prefix_table.h"
#include "text/sentencepiece_normalizer.h"
#include "text/space_mark.h"
#include "text/token_index.h"
#include "text/utf8.h"

namespace cistern::text {
namespace {

constexpr float kUnknownPenalty = 10.0F;

class UnigramEncoder final : public Encoder {
 public:
  UnigramEncoder(const Vocab& vocab, SentencePieceNormalizer normalizer, Charsmap charsmap,
                 std::optional<ByteTokens> bytes)
      : vocab_(vocab), normalizer_(std::move(normalizer)), charsmap_(charsmap), bytes_(bytes) {}

  Result<void> init() {
    for (TokenId id = 0; id < vocab_.tokens.size(); ++id) {
      const TokenKind kind = vocab_.kinds[id];
      if (kind == TokenKind::kNormal) {
        lowest_ = std::min(lowest_, vocab_.scores[id]);
        highest_ = std::max(highest_, vocab_.scores[id]);
      }
      if (kind != TokenKind::kNormal && kind != TokenKind::kUserDefined) continue;
      const std::string text = kind == TokenKind::kUserDefined && vocab_.escape_whitespaces
                                   ? with_space_marks(vocab_.tokens[id])
                                   : std::string(vocab_.tokens[id]);
      if (text.empty()) continue;
      if (text.size() > PrefixTable::kLongestEntry) {
        return fail(ErrorCode::kUnsupported,
                    fmt::format("tokenizer.ggml.tokens[{}]: a token of {} bytes; at most {} are supported",
                                id, text.size(), PrefixTable::kLongestEntry),
                    vocab_.where);
      }
      pieces_.add(text, id);
    }
    pieces_.build();
    return {};
  }

  Result<void> encode(std::string_view text, std::vector<TokenId>& out) const override {
    if (is_masked_unigram(vocab_)) {
      for (const std::string& word : metaspace_words(text, charsmap_)) append_best<double>(word, out);
      return {};
    }
    const std::string normalized = normalizer_.normalize(text);
    if (normalized.size() > kLongestText) return fail(ErrorCode::kTooLong, "the text is longer than 1 GiB");
    append_best<float>(normalized, out);
    return {};
  }

 private:
  template <class Sum>
  struct Node {  // of the best path that ends at a position: its last piece
    TokenId id = kNoToken;
    std::uint32_t begin = 0;
    Sum score = 0;
  };

  template <class Sum>
  std::vector<Node<Sum>> best_paths(std::string_view text) const {
    std::vector<Node<Sum>> best(text.size() + 1);
    const auto relax = [&](std::size_t begin, std::size_t end, TokenId id, double score) {
      Node<Sum>& node = best[end];
      if (node.id != kNoToken && !(score > node.score)) return;
      node = {id, static_cast<std::uint32_t>(begin), static_cast<Sum>(score)};
    };
    for (std::size_t pos = 0; pos < text.size();) {
      const Sum so_far = best[pos].score;
      const std::size_t character = length_by_lead(text[pos]);
      bool has_single = false;
      pieces_.for_each(text.substr(pos), [&](std::size_t length, TokenId id) {
        if (vocab_.kinds[id] == TokenKind::kUserDefined) {  // a bonus makes sure that it is chosen
          relax(pos, pos + length, id, static_cast<float>(length) * highest_ - 0.1 + so_far);
        } else {
          relax(pos, pos + length, id, static_cast<double>(vocab_.scores[id]) + so_far);
        }
        has_single = has_single || length == character;
      });
      if (!has_single)
        relax(pos, pos + character, *vocab_.unk, static_cast<Sum>(lowest_ - kUnknownPenalty) + so_far);
      pos += character;
    }
    return best;
  }

  // REQUIRES: valid UTF-8 of at most 4 GiB.
  template <class Sum>
  void append_best(std::string_view text, std::vector<TokenId>& out) const {
    const std::vector<Node<Sum>> best = best_paths<Sum>(text);
    std::vector<std::size_t> ends;  // of the pieces, from the last to the first
    for (std::size_t end = text.size(); end > 0; end = best[end].begin) ends.push_back(end);
    bool after_unknown = false;
    for (std::size_t i = ends.size(); i-- > 0;) {
      const Node<Sum>& piece = best[ends[i]];
      const bool unknown = piece.id == *vocab_.unk;
      if (unknown && bytes_) {
        for (std::size_t at = piece.begin; at < ends[i]; ++at)
          out.push_back((*bytes_)[static_cast<unsigned char>(text[at])]);
      } else if (!unknown || !after_unknown) {  // neighbouring unknown characters share one
        out.push_back(piece.id);
      }
      after_unknown = unknown;
    }
  }

  const Vocab& vocab_;
  SentencePieceNormalizer normalizer_;
  Charsmap charsmap_;
  std::optional<ByteTokens> bytes_;
  PrefixTable pieces_;
  float lowest_ = std::numeric_limits<float>::max();
  float highest_ = std::numeric_limits<float>::lowest();
};

}  // namespace

Result<std::unique_ptr<Encoder>> make_unigram_encoder(const Vocab& vocab) {
  if (vocab.scores.size() != vocab.tokens.size()) {
    return fail(ErrorCode::kFormat, "tokenizer.ggml.scores is missing; a Unigram tokenizer needs it",
                vocab.where);
  }
  if (!vocab.unk) {
    return fail(ErrorCode::kFormat,
                "tokenizer.ggml.unknown_token_id is missing; a Unigram tokenizer needs it", vocab.where);
  }
  CISTERN_TRY(SentencePieceNormalizer normalizer, SentencePieceNormalizer::create(vocab));
  CISTERN_TRY(const Charsmap charsmap, Charsmap::create(vocab.precompiled_charsmap, vocab.where));
  CISTERN_TRY(const auto bytes, read_byte_tokens(vocab));
  auto encoder = std::make_unique<UnigramEncoder>(vocab, std::move(normalizer), charsmap, bytes);
  CISTERN_TRY_VOID(encoder->init());
  return encoder;
}

}  // namespace cistern::text
