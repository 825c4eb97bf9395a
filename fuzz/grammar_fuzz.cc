// Arbitrary text as a JSON Schema (where it is JSON) and as a GBNF grammar: compiling gives a grammar or an
// error, and a few tokens along the masks of a grammar end soon, are accepted and never lead to nothing at
// all.
#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "sample/grammar.h"
#include "text/test_vocab.h"

namespace {

using namespace cistern;

const text::Tokenizer& tokenizer() {
  static text::TestVocab made = [] {
    text::TestVocab vocab = text::byte_level_vocab();
    vocab.vocab.eos = vocab.add("</s>", text::TokenKind::kControl);
    vocab.add("<|tool_call|>", text::TokenKind::kControl);
    return vocab;
  }();
  static const auto created = text::Tokenizer::create(made.vocab);
  return **created;
}

void walk(const Result<sample::GrammarPtr>& grammar, const sample::GrammarVocab& vocab, std::size_t choice) {
  if (!grammar) return;
  sample::GrammarState state(*grammar);
  std::vector<float> logits(vocab.size());
  for (int step = 0; step < 12; ++step) {
    std::ranges::fill(logits, 0.0F);
    state.mask(logits);
    std::vector<text::TokenId> allowed;
    for (text::TokenId id = 0; id < logits.size(); ++id) {
      if (std::isfinite(logits[id])) allowed.push_back(id);
    }
    CISTERN_CHECK(!allowed.empty());
    const text::TokenId id = allowed[(choice = choice * 31 + 7) % allowed.size()];
    CISTERN_CHECK(state.accept(id));
    if (vocab.is_end(id)) return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  static const sample::GrammarVocabPtr vocab = *sample::GrammarVocab::create(tokenizer());
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  walk(sample::compile_gbnf(input, vocab), *vocab, size);
  boost::json::error_code error;
  const boost::json::value schema = boost::json::parse(input, error);
  if (!error) walk(sample::compile_json_schema(schema, vocab), *vocab, size);
  return 0;
}
