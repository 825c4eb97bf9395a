#include "sample/grammar_vocab.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "sample/grammar/automaton.h"
#include "sample/grammar/char_set.h"
#include "text/utf8.h"

namespace cistern::sample {
namespace {

using text::TokenId;
using text::TokenKind;

constexpr std::size_t kLongestToken = std::numeric_limits<std::uint16_t>::max();
constexpr std::array<std::uint32_t, 5> kSliceChars = {4, 8, 16, 32, grammar::kEndless};

// Nothing where the token is not whole characters, or others than plain ones.
std::optional<std::uint32_t> plain_chars(std::string_view bytes) {
  std::uint32_t count = 0;
  while (!bytes.empty()) {
    const text::CodePoint c = text::decode_utf8(bytes);
    if (!c.valid || !grammar::CharSet::plain().contains(c.value)) return std::nullopt;
    bytes.remove_prefix(c.length);
    ++count;
  }
  return count;
}

}  // namespace

std::string_view GrammarVocab::bytes(TokenId id) const {
  if (id >= size()) return {};
  if (tokenizer_.is_control(id)) {
    const bool is_special = std::ranges::binary_search(specials_, id);
    return is_special ? tokenizer_.vocab().tokens[id] : std::string_view();
  }
  if (tokenizer_.vocab().kinds[id] == TokenKind::kUnused) return {};
  return tokenizer_.rendering().text(id);
}

const GrammarVocab::Slice* GrammarVocab::slice_for(std::uint32_t plain_run) const {
  const auto beyond = std::ranges::upper_bound(slices_, plain_run, {}, &Slice::chars);
  return beyond == slices_.begin() ? nullptr : &*std::prev(beyond);
}

Result<std::shared_ptr<const GrammarVocab>> GrammarVocab::create(const text::Tokenizer& tokenizer) {
  if (tokenizer.rendering().style() == text::DecodeStyle::kWordPiece) {
    return fail(ErrorCode::kUnsupported, "grammars work with generating models; this vocabulary is WordPiece",
                tokenizer.vocab().where);
  }
  std::shared_ptr<GrammarVocab> vocab(new GrammarVocab(tokenizer));
  std::vector<std::pair<std::string_view, TokenId>> sorted;
  for (TokenId id = 0; id < tokenizer.size(); ++id) {
    if (tokenizer.is_end(id)) {
      vocab->ends_.push_back(id);
      continue;
    }
    if (tokenizer.vocab().kinds[id] == TokenKind::kControl) {
      if (!tokenizer.vocab().tokens[id].empty()) vocab->specials_.push_back(id);
      continue;
    }
    const std::string_view bytes = vocab->bytes(id);
    if (!bytes.empty() && bytes.size() <= kLongestToken) sorted.emplace_back(bytes, id);
  }
  if (vocab->ends_.empty()) {
    return fail(ErrorCode::kUnsupported, "no token of this vocabulary ends a text, which grammars need",
                tokenizer.vocab().where);
  }
  std::ranges::sort(sorted);
  vocab->all_ = grammar::TokenTrie(sorted);

  std::vector<std::optional<std::uint32_t>> plain;
  for (const auto& [bytes, id] : sorted) plain.push_back(plain_chars(bytes));
  for (const std::uint32_t chars : kSliceChars) {
    Slice slice{.chars = chars, .plain = TokenBits((tokenizer.size() + 63) / 64)};
    std::vector<std::pair<std::string_view, TokenId>> others;
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      if (plain[i] && *plain[i] <= chars) {
        slice.plain[sorted[i].second / 64] |= std::uint64_t{1} << (sorted[i].second % 64);
      } else {
        others.push_back(sorted[i]);
      }
    }
    slice.others = grammar::TokenTrie(others);
    vocab->slices_.push_back(std::move(slice));
  }
  return vocab;
}

}  // namespace cistern::sample
