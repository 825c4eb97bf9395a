// Small vocabularies for the tests of this folder, made in memory. A TestVocab owns the strings that its
// Vocab's views point to; a copy shares the strings of its original. Test code only.
#pragma once

#include <cstdio>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "text/byte_alphabet.h"
#include "text/space_mark.h"
#include "text/utf8.h"
#include "text/vocab.h"

namespace cistern::text {

struct TestVocab {
  std::deque<std::string> strings;
  Vocab vocab;

  TokenId add(std::string token, TokenKind kind = TokenKind::kNormal) {
    const auto id = static_cast<TokenId>(vocab.tokens.size());
    vocab.scores.push_back(-static_cast<float>(id));
    vocab.tokens.push_back(strings.emplace_back(std::move(token)));
    vocab.kinds.push_back(kind);
    return id;
  }
  void merge(const std::string& left, const std::string& right) {
    add(left + right);
    vocab.merges.push_back(strings.emplace_back(left + " " + right));
  }
};

inline TestVocab byte_level_vocab(std::string pre = "gpt-2") {
  TestVocab out;
  out.vocab.model = TokenizerModel::kBpe;
  out.vocab.pre = std::move(pre);
  for (int byte = 0; byte < 256; ++byte) {
    std::string entry;
    append_utf8(entry, character_of_byte(static_cast<std::uint8_t>(byte)));
    out.add(entry);
  }
  out.merge("a", "a");
  out.merge("h", "e");
  out.merge("l", "l");
  out.merge("he", "ll");
  out.merge("aa", "aa");
  out.merge("\xC4\xA0", "\xC4\xA0");  // two spaces
  return out;
}

// <unk>, <s>, </s>, the byte tokens, "▁", a to z and some joined pieces, like the SentencePiece vocabularies
// of models.
inline TestVocab sentencepiece_vocab(TokenizerModel model = TokenizerModel::kSpm) {
  TestVocab out;
  out.vocab.model = model;
  out.vocab.unk = out.add("<unk>", TokenKind::kUnknown);
  out.vocab.bos = out.add("<s>", TokenKind::kControl);
  out.vocab.eos = out.add("</s>", TokenKind::kControl);
  for (int byte = 0; byte < 256; ++byte) {
    char name[8];
    std::snprintf(name, sizeof(name), "<0x%02X>", static_cast<unsigned>(byte));
    out.add(name, TokenKind::kByte);
  }
  const std::string mark(kSpaceMark);
  for (const std::string& piece :
       {std::string("ll"), std::string("he"), mark + "he", std::string("aa"), std::string("aaaa"), mark})
    out.add(piece);
  for (char c = 'a'; c <= 'z'; ++c) out.add(std::string(1, c));
  return out;
}

inline TestVocab wordpiece_vocab() {
  TestVocab out;
  out.vocab.model = TokenizerModel::kWordPiece;
  out.vocab.add_bos = out.vocab.add_sep = true;
  out.vocab.pad = out.add("[PAD]", TokenKind::kControl);
  out.vocab.unk = out.add("[UNK]", TokenKind::kControl);
  out.vocab.cls = out.add("[CLS]", TokenKind::kControl);
  out.vocab.sep = out.add("[SEP]", TokenKind::kControl);
  const std::string mark(kSpaceMark);
  for (const std::string& piece :
       {mark + "a", mark + "hello", mark + ".", std::string("a"), std::string("s")})
    out.add(piece);
  return out;
}

}  // namespace cistern::text
