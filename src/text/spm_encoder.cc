// SentencePiece's byte-pair encoding ("llama" in GGUF): merges are implied by the pieces' scores and run over
// the whole normalized text. Follows sentencepiece's bpe_model: the highest score joins first, user-defined
// pieces are frozen, unused pieces come apart again, unknown characters fall back to byte tokens.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "text/adjacency.h"
#include "text/byte_tokens.h"
#include "text/encoder.h"
#include "text/merge.h"
#include "text/sentencepiece_normalizer.h"
#include "text/utf8.h"
#include "text/word_cache.h"

namespace cistern::text {
namespace {

bool is_piece(TokenKind kind) {
  return kind == TokenKind::kNormal || kind == TokenKind::kUserDefined || kind == TokenKind::kUnused;
}

class SpmEncoder final : public Encoder {
 public:
  SpmEncoder(const Vocab& vocab, SentencePieceNormalizer normalizer, std::optional<ByteTokens> bytes)
      : vocab_(vocab), normalizer_(std::move(normalizer)), bytes_(bytes), index_(vocab.tokens.size()) {
    for (TokenId id = 0; id < vocab.tokens.size(); ++id) {
      if (!is_piece(vocab.kinds[id])) continue;
      index_.insert(vocab.tokens[id], id);
      if (vocab.kinds[id] != TokenKind::kUserDefined) adjacency_.add(vocab.tokens[id]);
    }
    adjacency_.build();
    rank_by_score();
  }

  Result<void> encode(std::string_view text, std::vector<TokenId>& out) const override {
    const std::string normalized = normalizer_.normalize(text);
    if (normalized.size() > kLongestText) return fail(ErrorCode::kTooLong, "the text is longer than 1 GiB");
    const std::string_view all = normalized;
    out.reserve(out.size() + text.size() / 3);
    WordCache cache(all.size(), out);
    Merger merger;

    std::size_t begin = 0, pos = 0;
    const auto flush = [&]() -> Result<void> {
      if (pos == begin) return {};
      const std::string_view chunk = all.substr(begin, pos - begin);
      begin = pos;
      return cache.append(chunk, [&] { return encode_chunk(chunk, merger, out); });
    };
    const PrefixTable& user_defined = normalizer_.user_defined();
    char32_t previous = 0;
    while (pos < all.size()) {
      if (user_defined.may_begin(all[pos])) {
        if (const auto match = user_defined.longest(all.substr(pos)); match.length > 0) {
          CISTERN_TRY_VOID(flush());
          out.push_back(match.id);
          begin = pos += match.length;
          continue;
        }
      }
      const CodePoint c = decode_utf8(all.substr(pos));
      if (pos > begin && !adjacency_.may_join(previous, c.value)) CISTERN_TRY_VOID(flush());
      previous = c.value;
      pos += c.length;
    }
    return flush();
  }

 private:
  // Equal scores get equal ranks: among them the leftmost pair joins first.
  void rank_by_score() {
    ranks_.resize(vocab_.tokens.size());
    std::vector<TokenId> order(vocab_.tokens.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(),
              [&](TokenId a, TokenId b) { return vocab_.scores[a] > vocab_.scores[b]; });
    std::uint32_t rank = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (i > 0 && vocab_.scores[order[i]] != vocab_.scores[order[i - 1]]) ++rank;
      ranks_[order[i]] = rank;
    }
  }

  // How pieces that must not be used were put together: length of the left part, by the whole.
  using Joints = std::unordered_map<std::string_view, std::uint32_t>;

  // REQUIRES: chunk is not empty.
  Result<void> encode_chunk(std::string_view chunk, Merger& merger, std::vector<TokenId>& out) const {
    merger.symbols.clear();
    for (std::uint32_t pos = 0; pos < chunk.size();) {
      const auto length = static_cast<std::uint32_t>(length_by_lead(chunk[pos]));
      merger.symbols.push_back({pos, length, kNoToken});
      pos += length;
    }
    Joints joints;
    merger.run([&](const Symbol& left, const Symbol& right) -> Merge {
      const std::string_view both = chunk.substr(left.begin, left.length + right.length);
      const TokenId id = index_.find(both);
      if (id == kNoToken) return {};
      if (vocab_.kinds[id] == TokenKind::kUnused) joints[both] = left.length;
      return {ranks_[id], id};
    });
    for (const Symbol& symbol : merger.symbols) {
      CISTERN_TRY_VOID(append_piece(chunk.substr(symbol.begin, symbol.length), joints, out));
    }
    return {};
  }

  Result<void> append_piece(std::string_view whole, const Joints& joints, std::vector<TokenId>& out) const {
    std::vector<std::string_view> todo = {whole};
    while (!todo.empty()) {
      const std::string_view piece = todo.back();
      todo.pop_back();
      const TokenId id = index_.find(piece);
      if (const auto joint = joints.find(piece); joint != joints.end()) {
        todo.push_back(piece.substr(joint->second));
        todo.push_back(piece.substr(0, joint->second));
      } else if (id != kNoToken) {
        out.push_back(id);
      } else if (bytes_) {
        for (const char c : piece) out.push_back((*bytes_)[static_cast<unsigned char>(c)]);
      } else if (!vocab_.unk) {
        return fail(ErrorCode::kUnsupported,
                    "the vocabulary has neither byte tokens nor an unknown token for a character of the text",
                    vocab_.where);
      } else if (out.empty() || out.back() != *vocab_.unk) {  // neighbours share one
        out.push_back(*vocab_.unk);
      }
    }
    return {};
  }

  const Vocab& vocab_;
  SentencePieceNormalizer normalizer_;
  std::optional<ByteTokens> bytes_;
  TokenIndex index_;                  // pieces by text
  std::vector<std::uint32_t> ranks_;  // by id, lower joins first
  Adjacency adjacency_;
};

}  // namespace

Result<std::unique_ptr<Encoder>> make_spm_encoder(const Vocab& vocab) {
  if (vocab.scores.size() != vocab.tokens.size()) {
    return fail(ErrorCode::kFormat, "tokenizer.ggml.scores is missing; a SentencePiece tokenizer needs it",
                vocab.where);
  }
  CISTERN_TRY(SentencePieceNormalizer normalizer, SentencePieceNormalizer::create(vocab));
  CISTERN_TRY(const auto bytes, read_byte_tokens(vocab));
  return std::make_unique<SpmEncoder>(vocab, std::move(normalizer), bytes);
}

}  // namespace cistern::text
