// Byte-pair encoding with explicit merges: byte-level (GPT-2 and most models since) and over raw UTF-8 with
// byte tokens (Gemma 4). Follows Hugging Face's BPE: normalize, split, merge each piece by the ranks of the
// merges.
#include <fmt/format.h>

#include <string>

#include "text/adjacency.h"
#include "text/byte_alphabet.h"
#include "text/byte_tokens.h"
#include "text/encoder.h"
#include "text/merge_table.h"
#include "text/nfc.h"
#include "text/pre_tokenizer.h"
#include "text/space_mark.h"
#include "text/splitter.h"
#include "text/utf8.h"
#include "text/word_cache.h"

namespace cistern::text {
namespace {

class BpeEncoder final : public Encoder {
 public:
  BpeEncoder(const Vocab& vocab, const PreTokenizer& family, Splitter splitter)
      : vocab_(vocab), family_(family), splitter_(std::move(splitter)) {}

  Result<void> init() {
    index_ = TokenIndex(vocab_.tokens.size());
    for (TokenId id = 0; id < vocab_.tokens.size(); ++id) index_.insert(vocab_.tokens[id], id);
    CISTERN_TRY_VOID(read_merges());
    return family_.raw_utf8 ? init_raw() : init_bytes();
  }

  Result<void> encode(std::string_view text, std::vector<TokenId>& out) const override {
    if (text.size() > kLongestText) return fail(ErrorCode::kTooLong, "the text is longer than 1 GiB");
    std::string normalized;
    if (family_.nfc && may_need_nfc(text)) text = normalized = to_nfc(text);
    if (family_.raw_utf8) text = normalized = with_space_marks(text);

    CISTERN_TRY(const auto pieces, splitter_.split(text));
    out.reserve(out.size() + text.size() / 4);
    WordCache cache(text.size(), out);
    Merger merger;
    for (const std::string_view piece : pieces) {
      if (!family_.raw_utf8) {
        CISTERN_TRY_VOID(cache.append(piece, [&] { return encode_bytes(piece, merger, out); }));
        continue;
      }
      CISTERN_TRY_VOID(for_each_chunk(piece, [&](std::string_view chunk) {
        return cache.append(chunk, [&] { return encode_raw(chunk, merger, out); });
      }));
    }
    return {};
  }

 private:
  Result<void> read_merges() {
    merges_ = MergeTable(vocab_.merges.size());
    std::string merged;
    for (std::uint32_t rank = 0; rank < vocab_.merges.size(); ++rank) {
      const std::string_view merge = vocab_.merges[rank];
      const std::size_t space = merge.find(' ', 1);
      if (space == std::string_view::npos || space + 1 == merge.size()) {
        return fail(ErrorCode::kFormat,
                    fmt::format("tokenizer.ggml.merges[{}] is not two tokens separated by a space", rank),
                    vocab_.where);
      }
      const std::string_view left = merge.substr(0, space), right = merge.substr(space + 1);
      merged.assign(left).append(right);
      const TokenId ids[] = {index_.find(left), index_.find(right), index_.find(merged)};
      for (const TokenId id : ids) {
        if (id != kNoToken) continue;
        return fail(
            ErrorCode::kFormat,
            fmt::format("tokenizer.ggml.merges[{}] names a token that tokenizer.ggml.tokens lacks", rank),
            vocab_.where);
      }
      merges_.insert(ids[0], ids[1], {rank, ids[2]});
    }
    return {};
  }

  Result<void> init_bytes() {
    byte_ids_.fill(kNoToken);
    for (int byte = 0; byte < 256; ++byte) {
      std::string entry;
      append_utf8(entry, character_of_byte(static_cast<std::uint8_t>(byte)));
      byte_ids_[byte] = index_.find(entry);
      if (byte_ids_[byte] == kNoToken && vocab_.unk) byte_ids_[byte] = *vocab_.unk;
    }
    if (!family_.ignore_merges) return {};
    // Whole pieces are looked up as bytes.
    whole_texts_.reserve(vocab_.tokens.size());
    whole_ = TokenIndex(vocab_.tokens.size());
    for (TokenId id = 0; id < vocab_.tokens.size(); ++id) {
      if (vocab_.kinds[id] != TokenKind::kNormal) continue;
      auto bytes = bytes_of_entry(vocab_.tokens[id]);
      if (!bytes || bytes->empty()) continue;
      whole_texts_.push_back(*std::move(bytes));
      whole_.insert(whole_texts_.back(), id);
    }
    return {};
  }

  Result<void> init_raw() {
    CISTERN_TRY(const auto bytes, read_byte_tokens(vocab_));
    if (!bytes) {
      return fail(ErrorCode::kFormat,
                  "tokenizer.ggml.token_type marks no byte tokens, which this tokenizer needs", vocab_.where);
    }
    byte_ids_ = *bytes;
    for (const std::string_view token : vocab_.tokens) adjacency_.add(token);
    adjacency_.build();
    return {};
  }

  Result<void> encode_bytes(std::string_view piece, Merger& merger, std::vector<TokenId>& out) const {
    if (family_.ignore_merges) {
      if (const TokenId id = whole_.find(piece); id != kNoToken) {
        out.push_back(id);
        return {};
      }
    }
    merger.symbols.clear();
    for (std::uint32_t i = 0; i < piece.size(); ++i) {
      const auto byte = static_cast<unsigned char>(piece[i]);
      if (byte_ids_[byte] == kNoToken) {
        return fail(ErrorCode::kUnsupported,
                    fmt::format("the vocabulary has no token for the byte 0x{:02X} of the text", byte),
                    vocab_.where);
      }
      merger.symbols.push_back({i, 1, byte_ids_[byte]});
    }
    finish(merger, out);
    return {};
  }

  // Calls encode on stretches of the piece that no merge can join.
  template <class EncodeChunk>
  Result<void> for_each_chunk(std::string_view piece, EncodeChunk&& encode_chunk) const {
    std::size_t begin = 0;
    char32_t previous = 0;
    for (std::size_t pos = 0; pos < piece.size();) {
      const CodePoint c = decode_utf8(piece.substr(pos));
      if (pos > begin && !adjacency_.may_join(previous, c.value)) {
        CISTERN_TRY_VOID(encode_chunk(piece.substr(begin, pos - begin)));
        begin = pos;
      }
      previous = c.value;
      pos += c.length;
    }
    return encode_chunk(piece.substr(begin));
  }

  Result<void> encode_raw(std::string_view chunk, Merger& merger, std::vector<TokenId>& out) const {
    merger.symbols.clear();
    for (std::uint32_t pos = 0; pos < chunk.size();) {
      const auto length = static_cast<std::uint32_t>(length_by_lead(chunk[pos]));
      if (const TokenId id = index_.find(chunk.substr(pos, length)); id != kNoToken) {
        merger.symbols.push_back({pos, length, id});
      } else {
        for (std::uint32_t i = pos; i < pos + length; ++i) {
          merger.symbols.push_back({i, 1, byte_ids_[static_cast<unsigned char>(chunk[i])]});
        }
      }
      pos += length;
    }
    finish(merger, out);
    return {};
  }

  void finish(Merger& merger, std::vector<TokenId>& out) const {
    merger.run([&](const Symbol& left, const Symbol& right) { return merges_.find(left.id, right.id); });
    for (const Symbol& symbol : merger.symbols) out.push_back(symbol.id);
  }

  const Vocab& vocab_;
  const PreTokenizer& family_;
  Splitter splitter_;
  TokenIndex index_;  // by text as in the file
  MergeTable merges_;
  ByteTokens byte_ids_{};
  std::vector<std::string> whole_texts_;
  TokenIndex whole_;  // ignore_merges: by bytes
  Adjacency adjacency_;
};

}  // namespace

Result<std::unique_ptr<Encoder>> make_bpe_encoder(const Vocab& vocab) {
  const PreTokenizer* family = find_pre_tokenizer(vocab.pre);
  if (family == nullptr) {
    return fail(ErrorCode::kUnsupported,
                fmt::format("tokenizer.ggml.pre: unknown pre-tokenizer '{}'; --pre NAME chooses one of: {}",
                            vocab.pre, known_pre_tokenizers()),
                vocab.where);
  }
  if (vocab.merges.empty()) {
    return fail(ErrorCode::kFormat, "tokenizer.ggml.merges is missing or empty; a BPE tokenizer needs it",
                vocab.where);
  }
  CISTERN_TRY(Splitter splitter, Splitter::create(family->splits));
  auto encoder = std::make_unique<BpeEncoder>(vocab, *family, std::move(splitter));
  CISTERN_TRY_VOID(encoder->init());
  return encoder;
}

}  // namespace cistern::text
