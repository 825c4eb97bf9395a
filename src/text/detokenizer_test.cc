#include "text/detokenizer.h"

#include <gtest/gtest.h>

#include "text/test_vocab.h"
#include "text/tokenizer.h"

namespace cistern::text {
namespace {

std::unique_ptr<Tokenizer> make(const TestVocab& vocab) {
  return *Tokenizer::create(vocab.vocab);
}

TEST(Detokenizer, NeverSplitsACharacter) {
  for (const TestVocab& vocab : {byte_level_vocab(), sentencepiece_vocab()}) {
    const auto tokenizer = make(vocab);
    Detokenizer stream(*tokenizer);
    std::string all;
    const auto ids = tokenizer->encode("a\u00E9\u4E2D\U0001F600!", false);
    for (const TokenId id : *ids) {
      const std::string text = stream.push(id);
      EXPECT_TRUE(is_valid_utf8(text)) << text;
      all += text;
    }
    EXPECT_EQ(all + stream.flush(), "a\u00E9\u4E2D\U0001F600!");
  }
}

TEST(Detokenizer, FlushReplacesWhatNeverGotComplete) {
  const TestVocab vocab = byte_level_vocab();
  const auto tokenizer = make(vocab);
  Detokenizer stream(*tokenizer);
  EXPECT_EQ(stream.push(0xE4), "");
  EXPECT_EQ(stream.push(0xB8), "");
  EXPECT_EQ(stream.flush(), "\uFFFD") << "one maximal subpart";
  EXPECT_EQ(stream.flush(), "");
}

TEST(Detokenizer, IdsBeyondTheVocabulary) {
  const TestVocab vocab = byte_level_vocab();
  const auto tokenizer = make(vocab);
  EXPECT_EQ(tokenizer->decode(std::vector<TokenId>{'a', 1'000'000, 'b'}),
            "a\uFFFD"
            "b");
}

TEST(Detokenizer, TokensOfBadUtf8AreRepaired) {
  for (const auto make_vocab : {+[] { return sentencepiece_vocab(); }, +[] { return wordpiece_vocab(); }}) {
    TestVocab vocab = make_vocab();
    const TokenId bad = vocab.add("x\xFF");
    const TokenId control = vocab.add("<\xFF>", TokenKind::kControl);
    const auto tokenizer = make(vocab);
    EXPECT_TRUE(is_valid_utf8(tokenizer->decode(std::vector<TokenId>{bad, control, bad})));
    EXPECT_TRUE(is_valid_utf8(tokenizer->decode(std::vector<TokenId>{control, bad})));
  }
}

TEST(Detokenizer, HidesControlTokens) {
  TestVocab vocab = byte_level_vocab();
  const TokenId end = vocab.add("<|im_end|>", TokenKind::kControl);
  const auto tokenizer = make(vocab);
  Detokenizer shown(*tokenizer), hidden(*tokenizer, {.hide_control = true});
  EXPECT_EQ(shown.push(end), "<|im_end|>");
  EXPECT_EQ(hidden.push(end), "");
}

TEST(Detokenizer, ASpaceAtTheBeginningBelongsToAContinuation) {
  const TestVocab vocab = sentencepiece_vocab();
  const auto tokenizer = make(vocab);
  const std::vector<TokenId> ids = *tokenizer->encode("he", false);
  ASSERT_EQ(ids.size(), 1u);
  Detokenizer whole(*tokenizer), rest(*tokenizer, {.continuation = true});
  EXPECT_EQ(whole.push(ids[0]), "he");
  EXPECT_EQ(rest.push(ids[0]), " he");
}

// Random ids, among them broken characters: the stream and decode() agree for every kind.
TEST(Detokenizer, StreamsEqualDecode) {
  TestVocab gemma = sentencepiece_vocab();
  gemma.vocab.model = TokenizerModel::kBpe;
  gemma.vocab.pre = "gemma4";
  gemma.vocab.merges = {"a a"};
  for (const TestVocab& vocab : {byte_level_vocab(), sentencepiece_vocab(), gemma, wordpiece_vocab(),
                                 sentencepiece_vocab(TokenizerModel::kUnigram)}) {
    const auto tokenizer = make(vocab);
    std::uint64_t state = 5;
    for (int round = 0; round < 2000; ++round) {
      std::vector<TokenId> ids;
      Detokenizer stream(*tokenizer);
      std::string streamed;
      for (int i = 0; i < 9; ++i) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        ids.push_back(static_cast<TokenId>(state >> 33) % static_cast<TokenId>(tokenizer->size()));
        const std::string text = stream.push(ids.back());
        ASSERT_TRUE(is_valid_utf8(text));
        streamed += text;
      }
      ASSERT_EQ(streamed + stream.flush(), tokenizer->decode(ids));
    }
  }
}

}  // namespace
}  // namespace cistern::text
