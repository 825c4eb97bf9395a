// Constrained decoding: a grammar says which texts an answer may be, and at each token which tokens may come.
// Grammars are compiled from JSON Schemas and from GBNF (docs/structured-output.md says what is known of
// both); what is not known is an error, never an answer without constraint. A Grammar is immutable and
// thread-safe, to be shared by requests; a GrammarState follows one answer and is not thread-safe. Lifetime:
// a state holds its grammar, a grammar its GrammarVocab, whose Tokenizer must outlive them.
#pragma once

#include <boost/json/value.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "sample/grammar_vocab.h"

namespace cistern::sample {

class Grammar;
using GrammarPtr = std::shared_ptr<const Grammar>;
using GrammarVocabPtr = std::shared_ptr<const GrammarVocab>;

// JSON that the schema admits. kUnsupported for keywords that are not known, kFormat for a schema that
// contradicts itself; `where` is the JSON pointer of the keyword.
Result<GrammarPtr> compile_json_schema(const boost::json::value& schema, GrammarVocabPtr vocab);

// Any JSON object.
Result<GrammarPtr> any_json_object(GrammarVocabPtr vocab);

// A schema that the text of a grammar may name as if it were a rule.
struct NamedSchema {
  std::string rule;
  boost::json::value schema;
};

// A grammar in the notation of GBNF, its rule `root`. kFormat where it is malformed, with line and column.
Result<GrammarPtr> compile_gbnf(std::string_view text, GrammarVocabPtr vocab,
                                std::span<const NamedSchema> schemas = {});

class GrammarState {
 public:
  explicit GrammarState(GrammarPtr grammar);
  GrammarState(GrammarState&&) noexcept;
  GrammarState& operator=(GrammarState&&) noexcept;
  ~GrammarState();

  // Sets the logits of tokens that may not come to minus infinity. If all that may come had that already,
  // they are all equal afterwards. Tokens that end a text may come exactly where the text may end, and where
  // nothing else may.
  void mask(std::span<float> logits);

  // The token was chosen. False, and nothing changes, where it may not come.
  bool accept(text::TokenId id);

  // Whether the text may end here.
  bool can_end() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cistern::sample
