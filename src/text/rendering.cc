#include "text/rendering.h"

#include <array>

#include "text/byte_alphabet.h"
#include "text/byte_tokens.h"
#include "text/pre_tokenizer.h"
#include "text/space_mark.h"
#include "text/utf8.h"

namespace cistern::text {
namespace {

constexpr std::string_view kUnknownSurface = " \xE2\x81\x87 ";  // SentencePiece's default, U+2047
constexpr std::string_view kSuffixMark = "##";

DecodeStyle style_of(const Vocab& vocab) {
  switch (vocab.model) {
    case TokenizerModel::kSpm:
      return DecodeStyle::kSentencePiece;
    case TokenizerModel::kUnigram:
      return is_masked_unigram(vocab) ? DecodeStyle::kByteFallback : DecodeStyle::kSentencePiece;
    case TokenizerModel::kWordPiece:
      return DecodeStyle::kWordPiece;
    case TokenizerModel::kBpe:
      break;
  }
  const PreTokenizer* family = find_pre_tokenizer(vocab.pre);
  return family != nullptr && family->raw_utf8 ? DecodeStyle::kByteFallback : DecodeStyle::kByteLevel;
}

Rendering::LeadingSpace leading_space_of(const Vocab& vocab) {
  using LeadingSpace = Rendering::LeadingSpace;
  const bool sentencepiece = vocab.model == TokenizerModel::kSpm || vocab.model == TokenizerModel::kUnigram;
  if (!sentencepiece) return LeadingSpace::kKeep;
  if (is_masked_unigram(vocab)) return LeadingSpace::kDropFirstToken;
  if (vocab.remove_extra_whitespaces) return LeadingSpace::kDropAll;
  return vocab.add_space_prefix ? LeadingSpace::kDropOne : LeadingSpace::kKeep;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

// The tidying that BERT's decoder applies to each token.
std::string tidy(std::string text) {
  constexpr std::array<std::array<std::string_view, 2>, 11> kRules = {{{" .", "."},
                                                                       {" ?", "?"},
                                                                       {" !", "!"},
                                                                       {" ,", ","},
                                                                       {" ' ", "'"},
                                                                       {" n't", "n't"},
                                                                       {" 'm", "'m"},
                                                                       {" do not", " don't"},
                                                                       {" 's", "'s"},
                                                                       {" 've", "'ve"},
                                                                       {" 're", "'re"}}};
  for (const auto& [from, to] : kRules) replace_all(text, from, to);
  return text;
}

}  // namespace

Rendering::Rendering(const Vocab& vocab)
    : vocab_(vocab), style_(style_of(vocab)), leading_space_(leading_space_of(vocab)) {
  ends_.reserve(vocab.tokens.size());
  for (TokenId id = 0; id < vocab.tokens.size(); ++id) {
    const bool bytes = style_ == DecodeStyle::kByteLevel || is_byte(id);
    all_ += bytes ? render(id) : repair_utf8(render(id));
    ends_.push_back(all_.size());
  }
}

std::string Rendering::render(TokenId id) const {
  const std::string_view token = vocab_.tokens[id];
  const TokenKind kind = vocab_.kinds[id];
  switch (style_) {
    case DecodeStyle::kByteLevel:
      if (kind == TokenKind::kNormal || kind == TokenKind::kUnused) {
        if (auto bytes = bytes_of_entry(token)) return *std::move(bytes);
      }
      return std::string(token);
    case DecodeStyle::kWordPiece:
      if (kind == TokenKind::kControl || token.starts_with(kSpaceMark)) return tidy(" " + first_text(id));
      return std::string(token);
    case DecodeStyle::kSentencePiece:
      if (kind == TokenKind::kControl) return {};
      if (kind == TokenKind::kUnknown) return std::string(kUnknownSurface);
      break;
    case DecodeStyle::kByteFallback:
      if (kind == TokenKind::kControl || kind == TokenKind::kUnknown) return std::string(token);
      break;
  }
  if (kind == TokenKind::kByte) {
    if (const auto byte = parse_byte_token(token)) return {static_cast<char>(*byte)};
  }
  return without_space_marks(token);
}

std::string Rendering::first_text(TokenId id) const {
  std::string_view token = vocab_.tokens[id];
  if (vocab_.kinds[id] == TokenKind::kControl) return repair_utf8(token);
  if (!token.starts_with(kSpaceMark)) return std::string(kSuffixMark) + repair_utf8(token);
  token.remove_prefix(kSpaceMark.size());
  return repair_utf8(token);
}

}  // namespace cistern::text
