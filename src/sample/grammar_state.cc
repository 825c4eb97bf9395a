#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "sample/grammar.h"
#include "sample/grammar/compiled.h"
#include "sample/grammar/walker.h"

namespace cistern::sample {
namespace {

using grammar::ConfigId;
using grammar::kDead;
using grammar::TokenTrie;
using grammar::Walker;
using text::TokenId;

constexpr float kNever = -std::numeric_limits<float>::infinity();
// Of one mask: beyond, a hostile grammar allows what was found until then. A common one takes some thousand.
constexpr std::uint64_t kMostWork = 4'000'000;

void set_bit(TokenBits& bits, TokenId id) {
  bits[id / 64] |= std::uint64_t{1} << (id % 64);
}

}  // namespace

struct GrammarState::Impl {
  explicit Impl(GrammarPtr with)
      : grammar(std::move(with)), walker(grammar->automaton()), place(walker.begin()) {}

  const TokenBits& current_mask();
  TokenBits compute_mask();
  void walk(const TokenTrie& trie, TokenBits& bits);
  ConfigId after(TokenId id);
  // Nothing may come here: an end of the text, even if it is not complete.
  bool is_stuck() {
    return std::ranges::all_of(current_mask(), [](std::uint64_t word) { return word == 0; });
  }

  GrammarPtr grammar;
  Walker walker;
  ConfigId place;
  grammar::Mask mask;  // of place; null: not known
};

GrammarState::GrammarState(GrammarPtr grammar) : impl_(std::make_unique<Impl>(std::move(grammar))) {}
GrammarState::GrammarState(GrammarState&&) noexcept = default;
GrammarState& GrammarState::operator=(GrammarState&&) noexcept = default;
GrammarState::~GrammarState() = default;

bool GrammarState::can_end() const {
  return impl_->walker.accepts(impl_->place);
}

const TokenBits& GrammarState::Impl::current_mask() {
  if (mask) return *mask;
  const std::string key = walker.key(place);
  mask = grammar->masks().find(key);
  if (!mask) {
    mask = std::make_shared<const TokenBits>(compute_mask());
    grammar->masks().add(key, mask);
  }
  return *mask;
}

TokenBits GrammarState::Impl::compute_mask() {
  const GrammarVocab& vocab = grammar->vocab();
  TokenBits bits;
  if (const auto* slice = vocab.slice_for(walker.plain_run(place))) {
    bits = slice->plain;
    walk(slice->others, bits);
  } else {
    bits.resize((vocab.size() + 63) / 64);
    walk(vocab.all(), bits);
  }
  for (const TokenId id : grammar->specials()) {
    if (after(id) != kDead) set_bit(bits, id);
  }
  return bits;
}

void GrammarState::Impl::walk(const TokenTrie& trie, TokenBits& bits) {
  std::vector<ConfigId> path(trie.longest + 2);
  path[0] = place;
  const std::uint64_t limit = walker.work() + kMostWork;
  for (std::size_t i = 0; i + 1 < trie.nodes.size();) {
    const TokenTrie::Node& node = trie.nodes[i];
    const ConfigId next = walker.step(path[node.depth], node.byte);
    if (next == kDead) {
      i = node.end;
      continue;
    }
    path[node.depth + 1U] = next;
    for (std::size_t t = node.tokens; t < trie.nodes[i + 1].tokens; ++t) set_bit(bits, trie.tokens[t]);
    if (walker.crowded()) {
      path[node.depth + 2U] = place;
      walker.compact(std::span(path).first(node.depth + 3U));
      place = path[node.depth + 2U];
    }
    if (walker.work() > limit) return;
    ++i;
  }
}

// Where the token leads; kDead where it may not come.
ConfigId GrammarState::Impl::after(TokenId id) {
  const GrammarVocab& vocab = grammar->vocab();
  const std::string_view bytes = vocab.bytes(id);
  const bool is_special = std::ranges::binary_search(vocab.specials(), id);
  ConfigId at = bytes.empty() || vocab.is_end(id) ? kDead : place;
  for (const char c : bytes) {
    if (at == kDead) break;
    const auto byte = static_cast<std::uint8_t>(c);
    at = is_special ? walker.step_literal(at, byte) : walker.step(at, byte);
  }
  return at;
}

void GrammarState::mask(std::span<float> logits) {
  Impl& s = *impl_;
  const TokenBits& bits = s.current_mask();
  const bool ends = can_end() || s.is_stuck();
  std::vector<std::pair<TokenId, float>> kept;
  for (const TokenId id : s.grammar->vocab().ends()) {
    if (ends && id < logits.size()) kept.emplace_back(id, logits[id]);
  }
  bool possible = false;
  for (std::size_t begin = 0; begin < logits.size(); begin += 64) {
    const std::uint64_t word = begin / 64 < bits.size() ? bits[begin / 64] : 0;
    const std::span<float> row = logits.subspan(begin, std::min<std::size_t>(64, logits.size() - begin));
    if (word == 0) std::ranges::fill(row, kNever);
    if (word == 0 || (word == ~std::uint64_t{0} && possible)) continue;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if ((word >> i & 1U) == 0) row[i] = kNever;
      possible = possible || row[i] > kNever;
    }
  }
  for (const auto& [id, logit] : kept) {
    logits[id] = logit;
    possible = possible || logit > kNever;
  }
  if (possible) return;
  for (const auto& [id, logit] : kept) logits[id] = 0;
  for (TokenId id = 0; id < logits.size() && id / 64 < bits.size(); ++id) {
    if ((bits[id / 64] >> (id % 64) & 1U) != 0) logits[id] = 0;
  }
}

bool GrammarState::accept(TokenId id) {
  Impl& s = *impl_;
  if (s.grammar->vocab().is_end(id)) return can_end() || s.is_stuck();
  const ConfigId to = s.after(id);
  if (to == kDead) return false;
  s.place = to;
  s.mask = nullptr;
  if (s.walker.crowded()) s.walker.compact(std::span(&s.place, 1));
  return true;
}

}  // namespace cistern::sample
