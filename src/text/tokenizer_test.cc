#include "text/tokenizer.h"

#include <gtest/gtest.h>

#include <limits>

#include "text/byte_tokens.h"
#include "text/test_vocab.h"

namespace cistern::text {
namespace {

using Ids = std::vector<TokenId>;

std::unique_ptr<Tokenizer> make(const TestVocab& vocab) {
  auto tokenizer = Tokenizer::create(vocab.vocab);
  EXPECT_TRUE(tokenizer.has_value()) << (tokenizer ? "" : describe(tokenizer.error()));
  return tokenizer ? *std::move(tokenizer) : nullptr;
}

std::string error_of(const Vocab& vocab) {
  const auto tokenizer = Tokenizer::create(vocab);
  EXPECT_FALSE(tokenizer.has_value());
  return tokenizer ? "" : tokenizer.error().message;
}

Ids encode(const Tokenizer& tokenizer, std::string_view text, bool special = false) {
  auto ids = tokenizer.encode(text, special);
  EXPECT_TRUE(ids.has_value()) << (ids ? "" : describe(ids.error()));
  return ids ? *std::move(ids) : Ids{};
}

std::vector<std::string> pieces(const Tokenizer& tokenizer, std::string_view text, bool special = false) {
  std::vector<std::string> out;
  for (const TokenId id : encode(tokenizer, text, special)) out.push_back(tokenizer.piece(id));
  return out;
}

using Pieces = std::vector<std::string>;

TEST(Tokenizer, ByteLevel) {
  const TestVocab vocab = byte_level_vocab();
  const auto tokenizer = make(vocab);
  EXPECT_EQ(pieces(*tokenizer, "hello"), (Pieces{"hell", "o"}));
  EXPECT_EQ(pieces(*tokenizer, "aaaaa"), (Pieces{"aaaa", "a"}));
  EXPECT_EQ(pieces(*tokenizer, "\u00E9"), (Pieces{"\u00C3", "\u00A9"}));
}

TEST(Tokenizer, SentencePieceStartsWithASpaceAndFallsBackToBytes) {
  const TestVocab vocab = [] {
    TestVocab v = sentencepiece_vocab();
    v.vocab.add_bos = true;
    return v;
  }();
  const auto tokenizer = make(vocab);
  EXPECT_EQ(pieces(*tokenizer, "hello"), (Pieces{"\u2581he", "ll", "o"}));
  EXPECT_EQ(pieces(*tokenizer, "\u00E9"), (Pieces{"\u2581", "<0xC3>", "<0xA9>"}));
  EXPECT_EQ(pieces(*tokenizer, "<s>he"), (Pieces{"\u2581", "<0x3C>", "s", "<0x3E>", "he"}));
  EXPECT_EQ(pieces(*tokenizer, "<s>he", true), (Pieces{"<s>", "\u2581he"}))
      << "a space at the start of each stretch of text";
  EXPECT_EQ(tokenizer->add_prefix_suffix({}), (Ids{1}));
  EXPECT_EQ(tokenizer->add_prefix_suffix({1, 5}), (Ids{1, 5})) << "not twice";
}

TEST(Tokenizer, UnusedPiecesComeApartAgain) {
  TestVocab vocab = sentencepiece_vocab();
  vocab.add("hell", TokenKind::kUnused);
  vocab.vocab.add_space_prefix = false;
  EXPECT_EQ(pieces(*make(vocab), "hell"), (Pieces{"he", "ll"}));
}

TEST(Tokenizer, UserDefinedPiecesAreFrozen) {
  TestVocab vocab = sentencepiece_vocab();
  vocab.vocab.add_space_prefix = false;
  vocab.add("el", TokenKind::kUserDefined);
  vocab.add("  ", TokenKind::kUserDefined);
  const auto tokenizer = make(vocab);
  EXPECT_EQ(pieces(*tokenizer, "hello"), (Pieces{"h", "el", "l", "o"}));
  EXPECT_EQ(pieces(*tokenizer, "a   a"), (Pieces{"a", "  ", "\u2581", "a"}));
}

TEST(Tokenizer, WordPiece) {
  const TestVocab vocab = wordpiece_vocab();
  const auto tokenizer = make(vocab);
  EXPECT_EQ(pieces(*tokenizer, "Hellos. \u00C1a x"),
            (Pieces{"\u2581hello", "s", "\u2581.", "\u2581a", "a", "[UNK]"}));
  EXPECT_EQ(tokenizer->add_prefix_suffix({5}), (Ids{2, 5, 3}));
  const auto pair = tokenizer->join_pair(Ids{5, 6}, Ids{7});
  ASSERT_TRUE(pair);
  EXPECT_EQ(pair->ids, (Ids{2, 5, 6, 3, 7, 3}));
  EXPECT_EQ(pair->first_tokens, 4U);
  EXPECT_EQ(tokenizer->decode(encode(*tokenizer, "hellos.")), "hellos.");
}

// As RobertaTokenizer and XLMRobertaTokenizer build inputs of two texts.
TEST(Tokenizer, PairsOfRoberta) {
  const auto tokenizer = make(sentencepiece_vocab(TokenizerModel::kUnigram));
  const auto pair = tokenizer->join_pair(Ids{8}, Ids{9, 10});
  ASSERT_TRUE(pair);
  EXPECT_EQ(pair->ids, (Ids{1, 8, 2, 2, 9, 10, 2}));
  EXPECT_EQ(pair->first_tokens, 3U);

  const auto none = make(byte_level_vocab());
  ASSERT_FALSE(none->join_pair(Ids{8}, Ids{9}));
  EXPECT_EQ(none->join_pair(Ids{8}, Ids{9}).error().code, ErrorCode::kUnsupported);
}

TEST(Tokenizer, SeparatorsThatAreMissingGiveWayToTheEnd) {
  TestVocab vocab = sentencepiece_vocab();
  vocab.vocab.add_bos = vocab.vocab.add_eos = vocab.vocab.add_sep = true;
  EXPECT_EQ(make(vocab)->add_prefix_suffix({5}), (Ids{1, 5, 2}));
}

TEST(Tokenizer, UnigramTakesTheBestSum) {
  TestVocab vocab = sentencepiece_vocab(TokenizerModel::kUnigram);
  for (std::size_t id = 0; id < vocab.vocab.scores.size(); ++id)
    vocab.vocab.scores[id] = vocab.vocab.tokens[id].size() > 1 ? -1.0F : -5.0F;
  const auto tokenizer = make(vocab);
  EXPECT_EQ(pieces(*tokenizer, "hello"), (Pieces{"\u2581he", "ll", "o"}));
  EXPECT_EQ(tokenizer->decode(encode(*tokenizer, "hello \u00E9")), "hello \u00E9");
}

TEST(Tokenizer, SpecialTokensTheLeftmostThenTheLongest) {
  TestVocab vocab = byte_level_vocab();
  vocab.add("<a", TokenKind::kControl);
  vocab.add("<a>", TokenKind::kControl);
  vocab.add("><", TokenKind::kUserDefined);
  const auto tokenizer = make(vocab);
  EXPECT_EQ(pieces(*tokenizer, "<a><a", true), (Pieces{"<a>", "<a"}));
  EXPECT_EQ(pieces(*tokenizer, "<a><a", false), (Pieces{"<", "a", "><", "a"}))
      << "user-defined tokens are always found";
}

TEST(Tokenizer, InvalidUtf8IsReadAsReplacementCharacters) {
  for (const TestVocab& vocab : {byte_level_vocab(), sentencepiece_vocab()}) {
    const auto tokenizer = make(vocab);
    EXPECT_EQ(encode(*tokenizer, "a\xFF\xE4\xB8z"), encode(*tokenizer, "a\uFFFD\uFFFDz"));
    const std::string with_nul("a\0b", 3);
    EXPECT_EQ(tokenizer->decode(encode(*tokenizer, with_nul, true)), with_nul);
  }
}

TEST(Tokenizer, EndTokens) {
  TestVocab vocab = byte_level_vocab();
  const TokenId eos = vocab.add("</s>", TokenKind::kControl);
  const TokenId turn = vocab.add("<|im_end|>", TokenKind::kControl);
  const TokenId text = vocab.add("<|eot_id|>", TokenKind::kNormal);
  vocab.vocab.eos = eos;
  const auto tokenizer = make(vocab);
  EXPECT_TRUE(tokenizer->is_end(eos));
  EXPECT_TRUE(tokenizer->is_end(turn));
  EXPECT_FALSE(tokenizer->is_end(text)) << "not a control token";
  EXPECT_FALSE(tokenizer->is_end(0));
  EXPECT_FALSE(tokenizer->is_end(1'000'000));
}

TEST(Tokenizer, InGptOssEndClosesAMessage) {
  TestVocab vocab = byte_level_vocab();
  const TokenId end = vocab.add("<|end|>", TokenKind::kControl);
  EXPECT_TRUE(make(vocab)->is_end(end));
  vocab.add("<|return|>", TokenKind::kControl);
  vocab.add("<|call|>", TokenKind::kControl);
  EXPECT_FALSE(make(vocab)->is_end(end));
}

TEST(Tokenizer, UnknownPreTokenizerNamesTheOptionAndTheKnownOnes) {
  const TestVocab vocab = byte_level_vocab("nobody-knows-this");
  const std::string message = error_of(vocab.vocab);
  for (const char* part : {"nobody-knows-this", "--pre", "qwen2", "tokenizer.ggml.pre"})
    EXPECT_NE(message.find(part), std::string::npos) << message;
}

TEST(Tokenizer, MergesMustNameTokens) {
  TestVocab vocab = byte_level_vocab();
  vocab.vocab.merges[1] = "he";
  EXPECT_NE(error_of(vocab.vocab).find("tokenizer.ggml.merges[1]"), std::string::npos);
  vocab.vocab.merges[1] = "zz qq";
  EXPECT_NE(error_of(vocab.vocab).find("tokenizer.ggml.merges[1]"), std::string::npos);
  vocab.vocab.merges.clear();
  EXPECT_NE(error_of(vocab.vocab).find("tokenizer.ggml.merges"), std::string::npos);
}

TEST(Tokenizer, KindsAreWorkedOutWhereTheFileHasNone) {
  TestVocab vocab = sentencepiece_vocab();
  const Ids expected = encode(*make(vocab), "he\u00E9<s>", true);
  vocab.vocab.kinds.clear();
  EXPECT_EQ(encode(*make(vocab), "he\u00E9<s>", true), expected);
}

// llama.cpp#25969 / #27226: byte tokens such as <0x-1> were parsed with stoi and written before an array.
TEST(PeerVulnerability, LlamaCpp25969ByteTokens) {
  EXPECT_EQ(parse_byte_token("<0x0A>"), 10);
  EXPECT_EQ(parse_byte_token("<0xfF>"), 255);
  for (const char* name :
       {"<0x-1>", "<0xZZ>", "<0x0>", "<0x000>", "<0X0A>", "<0x0A", "0x0A", "", "<0x+1>", "<0x 1>"}) {
    EXPECT_EQ(parse_byte_token(name), std::nullopt) << name;
    if (*name == '\0') continue;
    TestVocab vocab = sentencepiece_vocab();
    vocab.vocab.tokens[7] = name;
    EXPECT_NE(error_of(vocab.vocab).find("tokenizer.ggml.tokens[7]"), std::string::npos) << name;
  }
  TestVocab missing = sentencepiece_vocab();
  missing.vocab.kinds[7] = TokenKind::kNormal;
  EXPECT_NE(error_of(missing.vocab).find("<0x04>"), std::string::npos);
}

// llama.cpp#25508 / #25475, mistral.rs#2225: ids of special tokens beyond the vocabulary.
TEST(PeerVulnerability, LlamaCpp25508SpecialTokenIds) {
  for (auto member : {&Vocab::bos, &Vocab::eos, &Vocab::eot, &Vocab::eom, &Vocab::unk, &Vocab::sep,
                      &Vocab::pad, &Vocab::mask, &Vocab::cls}) {
    TestVocab vocab = sentencepiece_vocab();
    vocab.vocab.*member = static_cast<TokenId>(vocab.vocab.tokens.size());
    EXPECT_NE(error_of(vocab.vocab).find("_token_id is"), std::string::npos);
    vocab.vocab.*member = std::numeric_limits<TokenId>::max();
    EXPECT_NE(error_of(vocab.vocab).find("_token_id is"), std::string::npos);
  }
}

// llama.cpp#26690 / #24888 / #20735: lengths of scores and token_type were not checked.
TEST(PeerVulnerability, LlamaCpp26690ArrayLengths) {
  TestVocab vocab = sentencepiece_vocab();
  vocab.vocab.scores.pop_back();
  EXPECT_NE(error_of(vocab.vocab).find("tokenizer.ggml.scores"), std::string::npos);
  vocab = sentencepiece_vocab();
  vocab.vocab.kinds.pop_back();
  EXPECT_NE(error_of(vocab.vocab).find("tokenizer.ggml.token_type"), std::string::npos);
  vocab = sentencepiece_vocab();
  vocab.vocab.scores[3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_NE(error_of(vocab.vocab).find("tokenizer.ggml.scores[3]"), std::string::npos);
}

// CVE-2025-49847: the length of a token's text was cast to a signed 32-bit number.
TEST(PeerVulnerability, Cve202549847LongTokens) {
  TestVocab vocab = sentencepiece_vocab();
  vocab.add(std::string(1 << 20, 'q'));
  const auto tokenizer = make(vocab);
  EXPECT_EQ(
      tokenizer->decode(std::vector<TokenId>{static_cast<TokenId>(vocab.vocab.tokens.size() - 1)}).size(),
      std::size_t{1} << 20);
  vocab.add(std::string(1 << 20, 'r'), TokenKind::kControl);
  EXPECT_NE(error_of(vocab.vocab).find("special token of 1048576 bytes"), std::string::npos);
}

TEST(Tokenizer, HostileTexts) {
  TestVocab masked = sentencepiece_vocab(TokenizerModel::kUnigram);
  masked.vocab.mask = masked.add("<mask>", TokenKind::kControl);
  for (const TestVocab& vocab : {byte_level_vocab(), byte_level_vocab("qwen2"), sentencepiece_vocab(),
                                 sentencepiece_vocab(TokenizerModel::kUnigram), masked, wordpiece_vocab()}) {
    const auto tokenizer = make(vocab);
    for (const char* unit :
         {" ", "a", "1", "'", "\n", "e\u0301", "\u0301\u0327", "\xFF", "<", "<s>", "\u4E2D", "l"}) {
      std::string text;
      while (text.size() < (1 << 18)) text += unit;
      const auto ids = tokenizer->encode(text, true);
      ASSERT_TRUE(ids.has_value()) << describe(ids.error());
      tokenizer->decode(*ids);
    }
  }
}

}  // namespace
}  // namespace cistern::text
