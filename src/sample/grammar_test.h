// What tests of constrained decoding share: vocabularies, and walking texts token by token. Test code only.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "sample/grammar.h"
#include "text/test_vocab.h"

namespace cistern::sample {

// A vocabulary with what grammars need: bytes, pieces that reach over the parts of JSON, control tokens.
struct GrammarFixture {
  text::TestVocab made;
  std::unique_ptr<text::Tokenizer> tokenizer;
  GrammarVocabPtr vocab;
  text::TokenId end = 0, tool_call = 0;

  GrammarFixture() : made(text::byte_level_vocab()) {
    const auto piece = [&](std::string_view bytes) {
      std::string entry;
      for (const char c : bytes)
        text::append_utf8(entry, text::character_of_byte(static_cast<std::uint8_t>(c)));
      if (std::ranges::find(made.vocab.tokens, entry) == made.vocab.tokens.end()) made.add(entry);
    };
    for (const char* bytes :
         {"{\"", "\":",  "\": ",    "\",",      "\", \"",      "\"}",      "}}",    "]}",        "],",
          "[\"", "{}",   "[]",      "true",     "false",       "null",     "tr",    "ue",        "name",
          "the", " and", "abc",     "xyz",      "hello world", "12",       "123",   "00",        "-1",
          "1.",  ".5",   "e+",      ", ",       ",\n",         ": ",       "\n  ",  "\n    ",    "  ",
          "\\n", "\\\"", "\\u00",   "\xC3\xA9", "\xE4\xB8",    "\xAD\xE6", "2024-", "-01",       "T1",
          ":00", "age",  "\"age\"", "red",      "green",       "ab",       "bb",    "aaaaaaaaaa"})
      piece(bytes);
    end = made.add("</s>", text::TokenKind::kControl);
    made.vocab.eos = end;
    tool_call = made.add("<|tool_call|>", text::TokenKind::kControl);
    made.add("<unused>", text::TokenKind::kUnused);
    auto created = text::Tokenizer::create(made.vocab);
    EXPECT_TRUE(created) << describe(created.error());
    tokenizer = *std::move(created);
    auto with = GrammarVocab::create(*tokenizer);
    EXPECT_TRUE(with) << describe(with.error());
    vocab = *with;
  }
};

inline std::vector<text::TokenId> allowed_tokens(GrammarState& state, std::size_t n_vocab) {
  std::vector<float> logits(n_vocab, 0.0F);
  state.mask(logits);
  std::vector<text::TokenId> out;
  for (text::TokenId id = 0; id < n_vocab; ++id) {
    if (logits[id] == 0) out.push_back(id);
  }
  return out;
}

// The text of a random way through the grammar, which prefers to end; nothing if it became too long.
inline std::optional<std::string> random_text(const GrammarPtr& grammar, const GrammarVocab& vocab, Rng& rng,
                                              std::size_t most_tokens = 400) {
  GrammarState state(grammar);
  std::string text;
  for (std::size_t i = 0; i < most_tokens; ++i) {
    const std::vector<text::TokenId> allowed = allowed_tokens(state, vocab.size());
    EXPECT_FALSE(allowed.empty());
    if (state.can_end() && rng.uniform() < 0.5) return text;
    const text::TokenId id = allowed[rng.next() % allowed.size()];
    if (vocab.is_end(id)) {
      EXPECT_TRUE(state.can_end()) << "nothing may follow: " << text;
      return text;
    }
    EXPECT_TRUE(state.accept(id)) << id << " after " << text;
    text += vocab.bytes(id);
  }
  return std::nullopt;
}

// Whether the text can be written and end, in tokens cut at random (the longest first where `rng` is null).
// Each token must be allowed by the mask exactly when it is accepted.
inline bool admits(const GrammarPtr& grammar, const GrammarVocab& vocab, std::string_view text, Rng* rng) {
  GrammarState state(grammar);
  while (!text.empty()) {
    std::vector<text::TokenId> fitting;
    std::size_t longest = 0;
    for (text::TokenId id = 0; id < vocab.size(); ++id) {
      const std::string_view bytes = vocab.bytes(id);
      const bool is_special = std::ranges::binary_search(vocab.specials(), id);
      if (bytes.empty() || is_special || vocab.is_end(id) || !text.starts_with(bytes)) continue;
      if (rng == nullptr && bytes.size() > longest) fitting.clear();
      if (rng != nullptr || bytes.size() >= longest) fitting.push_back(id);
      longest = std::max(longest, bytes.size());
    }
    const text::TokenId id = fitting[rng == nullptr ? 0 : rng->next() % fitting.size()];
    const std::vector<text::TokenId> allowed = allowed_tokens(state, vocab.size());
    const bool is_allowed = std::ranges::binary_search(allowed, id);
    const bool is_accepted = state.accept(id);
    EXPECT_EQ(is_allowed, is_accepted) << "before " << text;
    if (!is_accepted) return false;
    text.remove_prefix(vocab.bytes(id).size());
  }
  return state.can_end();
}

inline bool admits(const GrammarPtr& grammar, const GrammarVocab& vocab, std::string_view text) {
  const bool longest = admits(grammar, vocab, text, nullptr);
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    Rng rng(seed);
    EXPECT_EQ(admits(grammar, vocab, text, &rng), longest) << text;
  }
  return longest;
}

}  // namespace cistern::sample
