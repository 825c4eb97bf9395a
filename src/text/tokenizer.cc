#include "text/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>

#include "text/check_vocab.h"
#include "text/detokenizer.h"
#include "text/end_tokens.h"
#include "text/utf8.h"

namespace cistern::text {
namespace {

Result<std::unique_ptr<Encoder>> make_encoder(const Vocab& vocab) {
  switch (vocab.model) {
    case TokenizerModel::kSpm:
      return make_spm_encoder(vocab);
    case TokenizerModel::kBpe:
      return make_bpe_encoder(vocab);
    case TokenizerModel::kWordPiece:
      return make_wordpiece_encoder(vocab);
    case TokenizerModel::kUnigram:
      return make_unigram_encoder(vocab);
  }
  return fail(ErrorCode::kUnsupported, "unknown kind of tokenizer", vocab.where);
}

// SentencePiece matches user-defined tokens itself, after its normalization.
bool encoder_matches_user_defined(const Vocab& vocab) {
  return vocab.model == TokenizerModel::kSpm ||
         (vocab.model == TokenizerModel::kUnigram && !is_masked_unigram(vocab));
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> Tokenizer::create(Vocab vocab) {
  CISTERN_TRY_VOID(check_vocab(vocab));
  complete_kinds(vocab);
  std::unique_ptr<Tokenizer> tokenizer(new Tokenizer(std::move(vocab)));
  CISTERN_TRY_VOID(tokenizer->init());
  return tokenizer;
}

Result<void> Tokenizer::init() {
  CISTERN_TRY(encoder_, make_encoder(vocab_));
  CISTERN_TRY_VOID(index_special_tokens());
  rendering_ = std::make_unique<Rendering>(vocab_);
  ends_ = end_tokens(vocab_);
  return {};
}

Result<void> Tokenizer::index_special_tokens() {
  for (TokenId id = 0; id < vocab_.tokens.size(); ++id) {
    const TokenKind kind = vocab_.kinds[id];
    const std::string_view text = vocab_.tokens[id];
    const bool user_defined = kind == TokenKind::kUserDefined && !encoder_matches_user_defined(vocab_);
    const bool special = kind == TokenKind::kControl || kind == TokenKind::kUnknown;
    // Text that is not UTF-8 is never in a prompt.
    if ((!user_defined && !special) || text.empty() || !is_valid_utf8(text)) continue;
    if (text.size() > PrefixTable::kLongestEntry) {
      return fail(
          ErrorCode::kUnsupported,
          fmt::format("tokenizer.ggml.tokens[{}]: a special token of {} bytes; at most {} are supported", id,
                      text.size(), PrefixTable::kLongestEntry),
          vocab_.where);
    }
    if (user_defined) always_.add(text, id);
    with_special_.add(text, id);
  }
  always_.build();
  with_special_.build();
  return {};
}

Result<std::vector<TokenId>> Tokenizer::encode(std::string_view text, bool parse_special) const {
  std::string repaired;
  if (!is_valid_utf8(text)) text = repaired = repair_utf8(text);
  const PrefixTable& table = parse_special ? with_special_ : always_;

  std::vector<TokenId> ids;
  std::size_t begin = 0;
  const auto encode_until = [&](std::size_t end) -> Result<void> {
    if (end == begin) return {};
    return encoder_->encode(text.substr(begin, end - begin), ids);
  };
  // The leftmost special token, of those that begin there the longest.
  for (std::size_t pos = table.empty() ? text.size() : 0; pos < text.size();) {
    if (!table.may_begin(text[pos])) {
      ++pos;
      continue;
    }
    const auto match = table.longest(text.substr(pos));
    if (match.length == 0) {
      ++pos;
      continue;
    }
    CISTERN_TRY_VOID(encode_until(pos));
    ids.push_back(match.id);
    begin = pos += match.length;
  }
  CISTERN_TRY_VOID(encode_until(text.size()));
  return ids;
}

std::optional<TokenId> Tokenizer::first_token() const {
  return vocab_.model == TokenizerModel::kWordPiece && vocab_.cls ? vocab_.cls : vocab_.bos;
}

std::vector<TokenId> Tokenizer::add_prefix_suffix(std::vector<TokenId> ids) const {
  const auto first = first_token();
  if (vocab_.add_bos && first && (ids.empty() || ids.front() != *first)) ids.insert(ids.begin(), *first);
  const auto last = vocab_.add_sep && vocab_.sep ? vocab_.sep : vocab_.add_eos ? vocab_.eos : std::nullopt;
  if (last && (ids.empty() || ids.back() != *last)) ids.push_back(*last);
  return ids;
}

// [CLS] a [SEP] b [SEP] of BERT (Devlin et al. 2019), <s> a </s></s> b </s> of RoBERTa (Liu et al. 2019).
Result<Tokenizer::Pair> Tokenizer::join_pair(std::span<const TokenId> first,
                                             std::span<const TokenId> second) const {
  const auto separator = vocab_.sep ? vocab_.sep : vocab_.eos;
  const auto begin = first_token();
  if (!separator || !begin) {
    return fail(ErrorCode::kUnsupported, "the vocabulary has no tokens to join two texts with", vocab_.where);
  }
  Pair pair;
  pair.ids.push_back(*begin);
  pair.ids.insert(pair.ids.end(), first.begin(), first.end());
  pair.ids.push_back(*separator);
  pair.first_tokens = static_cast<std::uint32_t>(pair.ids.size());
  if (vocab_.model != TokenizerModel::kWordPiece) pair.ids.push_back(*separator);
  pair.ids.insert(pair.ids.end(), second.begin(), second.end());
  pair.ids.push_back(*separator);
  return pair;
}

std::string Tokenizer::decode(std::span<const TokenId> ids) const {
  Detokenizer detokenizer(*this);
  std::string text;
  for (const TokenId id : ids) text += detokenizer.push(id);
  return text + detokenizer.flush();
}

std::string Tokenizer::piece(TokenId id) const {
  return id < size() ? repair_utf8(vocab_.tokens[id]) : std::string();
}

bool Tokenizer::is_end(TokenId id) const {
  return std::binary_search(ends_.begin(), ends_.end(), id);
}

bool Tokenizer::is_control(TokenId id) const {
  return id < size() && (vocab_.kinds[id] == TokenKind::kControl || vocab_.kinds[id] == TokenKind::kUnknown);
}

}  // namespace cistern::text
