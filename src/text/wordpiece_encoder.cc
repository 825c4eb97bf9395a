// BERT's WordPiece: words of the normalized text, each covered from the left by the longest tokens. GGUF
// writes "▁word" for the beginning of a word and the bare suffix for what BERT's vocab.txt writes as
// "##suffix". Follows Hugging Face's BertNormalizer, BertPreTokenizer and WordPiece.
#include <utf8proc.h>

#include <string>

#include "text/encoder.h"
#include "text/nfc.h"
#include "text/space_mark.h"
#include "text/token_index.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace cistern::text {
namespace {

constexpr std::size_t kLongestWordCharacters = 100;  // longer words are unknown: max_input_chars_per_word

using CodePoints = std::vector<char32_t>;

bool is_removed(char32_t c) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  if (c == 0 || c == 0xFFFD) return true;
  const auto kind = category_of(c);
  return kind == UTF8PROC_CATEGORY_CC || kind == UTF8PROC_CATEGORY_CF || kind == UTF8PROC_CATEGORY_CO;
}

bool is_cjk(char32_t c) {  // the blocks that BERT lists
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
         (c >= 0x2A700 && c <= 0x2B73F) || (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

bool is_punctuation(char32_t c) {
  if (c < 0x80)
    return (c >= 0x21 && c <= 0x2F) || (c >= 0x3A && c <= 0x40) || (c >= 0x5B && c <= 0x60) ||
           (c >= 0x7B && c <= 0x7E);
  const auto kind = category_of(c);
  return kind >= UTF8PROC_CATEGORY_PC && kind <= UTF8PROC_CATEGORY_PO;
}

class WordPieceEncoder final : public Encoder {
 public:
  explicit WordPieceEncoder(const Vocab& vocab) : vocab_(vocab), index_(vocab.tokens.size()) {
    for (TokenId id = 0; id < vocab.tokens.size(); ++id) {
      if (vocab.kinds[id] == TokenKind::kNormal) index_.insert(vocab.tokens[id], id);
    }
  }

  Result<void> encode(std::string_view text, std::vector<TokenId>& out) const override {
    std::string word(kSpaceMark);
    std::size_t characters = 0;
    const auto flush = [&] {
      if (characters > 0) append_word(word, characters, out);
      word.resize(kSpaceMark.size());
      characters = 0;
    };
    const auto add = [&](char32_t c) {
      append_utf8(word, c);
      ++characters;
    };
    for (const char32_t c : normalize(text)) {
      if (is_whitespace(c)) {
        flush();
      } else if (is_punctuation(c)) {
        flush();
        add(c);
        flush();
      } else {
        add(c);
      }
    }
    flush();
    return {};
  }

 private:
  CodePoints normalize(std::string_view text) const {
    CodePoints out = vocab_.strip_accents ? without_accents(clean(text)) : decode(clean(text));
    if (!vocab_.lowercase) return out;
    CodePoints lower;
    lower.reserve(out.size());
    for (const char32_t c : out) {
      lower.push_back(static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))));
      if (c == 0x130) {  // the only character whose lower case is two: i and a dot above
        lower.back() = 'i';
        lower.push_back(0x307);
      }
    }
    return lower;
  }

  static std::string clean(std::string_view text) {
    std::string out;
    out.reserve(text.size() + text.size() / 4);
    while (!text.empty()) {
      const CodePoint c = decode_utf8(text);
      text.remove_prefix(c.length);
      if (is_removed(c.value)) continue;
      if (is_cjk(c.value)) {
        out += ' ';
        append_utf8(out, c.value);
        out += ' ';
      } else {
        append_utf8(out, is_whitespace(c.value) ? U' ' : c.value);
      }
    }
    return out;
  }

  static CodePoints decode(std::string_view text) {
    CodePoints out;
    out.reserve(text.size());
    while (!text.empty()) {
      const CodePoint c = decode_utf8(text);
      text.remove_prefix(c.length);
      out.push_back(c.value);
    }
    return out;
  }

  static CodePoints without_accents(const std::string& text) {
    if (!may_need_decomposition(text)) return decode(text);
    CodePoints out = to_nfd(text);
    std::erase_if(out, [](char32_t c) { return category_of(c) == UTF8PROC_CATEGORY_MN; });
    return out;
  }

  static bool may_need_decomposition(std::string_view text) {
    for (const char c : text) {
      if (static_cast<unsigned char>(c) >= 0x80) return true;
    }
    return false;
  }

  // `word` is the space mark and the word.
  void append_word(const std::string& word, std::size_t characters, std::vector<TokenId>& out) const {
    const std::size_t first = out.size();
    const std::string_view all = word;
    std::size_t begin = 0;
    while (begin < all.size() && characters <= kLongestWordCharacters) {
      std::size_t end = all.size();
      TokenId id = kNoToken;
      while (end > begin && (id = index_.find(all.substr(begin, end - begin))) == kNoToken) {
        do --end;
        while (end > begin && (static_cast<unsigned char>(all[end]) & 0xC0) == 0x80);
      }
      if (id == kNoToken) break;
      out.push_back(id);
      begin = end;
    }
    if (begin == all.size()) return;
    out.resize(first);
    out.push_back(*vocab_.unk);
  }

  const Vocab& vocab_;
  TokenIndex index_;
};

}  // namespace

Result<std::unique_ptr<Encoder>> make_wordpiece_encoder(const Vocab& vocab) {
  if (!vocab.unk) {
    return fail(ErrorCode::kFormat,
                "tokenizer.ggml.unknown_token_id is missing; a WordPiece tokenizer needs it", vocab.where);
  }
  return std::make_unique<WordPieceEncoder>(vocab);
}

}  // namespace cistern::text
